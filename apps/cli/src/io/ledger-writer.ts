// A ledger that a command adds to: opened as what it is, with a key, and closed whatever happens.
import { createSigner, type Signer } from '@sudoagent/crypto'
import { type ControlWriter, type LedgerWriter, openLedger } from '@sudoagent/ledger'
import type { Io } from '../io.js'
import { readPrivateKey } from './private-key.js'

/** The signer of a private key in a file. @throws CliError naming the file */
export async function readSigner(path: string, io: Io): Promise<Signer> {
  return createSigner(await readPrivateKey(path, io))
}

/**
 * Opens the ledger at `path` for writing, which must be there, hands it to `use`, and closes it.
 *
 * @throws LedgerError of `openLedger` and of the store, and whatever `use` throws
 */
export async function withWriter<T>(
  path: string,
  signer: Signer,
  use: (ledger: LedgerWriter & ControlWriter) => Promise<T>,
): Promise<T> {
  // A writer makes a ledger where there is none; a reader does not.
  const reader = await openLedger(path)
  await reader.close()
  const ledger =
    reader.kind === 'jsonl'
      ? (await import('@sudoagent/ledger/jsonl')).JsonlLedger.open(path, { signer })
      : (await import('@sudoagent/ledger/sqlite')).SqliteLedger.open(path, { signer })
  try {
    return await use(ledger)
  } finally {
    await ledger.close()
  }
}
