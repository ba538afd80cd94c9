// A ledger that a command adds to: opened as what it is, with a key, and closed whatever happens.
import { createSigner, type Signer } from '@sudoagent/crypto'
import type { ControlWriter, LedgerWriter } from '@sudoagent/ledger'
import { CliError, EXIT } from '../exit.js'
import { readPrivateKey } from '../key/private-key.js'
import type { Io } from '../terminal/io.js'
import { isServer, openLedgerReader, openLedgerWriter } from './place.js'

/** The signer of a private key in a file. @throws CliError naming the file */
export async function readSigner(path: string, io: Io): Promise<Signer> {
  return createSigner(await readPrivateKey(path, io))
}

/**
 * Opens the ledger at `path` for writing, which must be there, hands it to `use`, and closes it.
 *
 * @throws LedgerError of `openLedgerReader` and of the store, and whatever `use` throws
 */
export async function withWriter<T>(
  path: string,
  signer: Signer,
  use: (ledger: LedgerWriter & ControlWriter) => Promise<T>,
): Promise<T> {
  // A writer makes a ledger where there is none; a reader does not.
  const reader = await openLedgerReader(path)
  await reader.close()
  // What has not begun is left as it is: the change is then refused.
  const file = (['jsonl', 'sqlite'] as const).find((kind) => kind === reader.kind)
  const kind = file === undefined ? {} : { kind: file }
  const ledger = await openLedgerWriter(path, { signer, ...kind, begin: false })
  try {
    return await use(ledger)
  } finally {
    await ledger.close()
  }
}

/**
 * Opens a ledger for writing, and makes it where it is not there: a file by the end of its name.
 *
 * @throws CliError when the name does not say what kind it will be; LedgerError of the store
 */
export async function openOrMakeWriter(place: string, signer: Signer | undefined): Promise<LedgerWriter> {
  if (!isServer(place) && !/\.(?:jsonl|ndjson|sqlite3?|db)$/i.test(place))
    throw new CliError(
      EXIT.usage,
      `\`${place}\` does not say what kind of ledger it is`,
      'let its name end in .sqlite or .jsonl',
    )
  return openLedgerWriter(place, signer === undefined ? {} : { signer })
}
