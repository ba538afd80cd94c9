// Opens a ledger for a command that appends entries, and always closes the ledger.
import { createSigner, type Signer } from '@sudoagent/crypto'
import type { ControlWriter, LedgerWriter } from '@sudoagent/ledger'
import { CliError, EXIT } from '../exit.js'
import { readPrivateKey } from '../key/private-key.js'
import type { Io } from '../terminal/io.js'
import { isServer, openLedgerReader, openLedgerWriter } from './place.js'

/** Reads a private key from a file. @throws CliError naming the file */
export async function readSigner(path: string, io: Io): Promise<Signer> {
  return createSigner(await readPrivateKey(path, io))
}

/**
 * Opens an existing ledger for writing, passes it to `use`, and closes it.
 *
 * @throws LedgerError from `openLedgerReader` and from the store; any error from `use`
 */
export async function withWriter<T>(
  path: string,
  signer: Signer | null,
  use: (ledger: LedgerWriter & ControlWriter) => Promise<T>,
): Promise<T> {
  // The reader fails if the ledger does not exist; the writer would create it.
  const reader = await openLedgerReader(path)
  await reader.close()
  // With `begin: false`, the writer does not add a genesis entry to an empty ledger, so the store rejects the change.
  const file = (['jsonl', 'sqlite'] as const).find((kind) => kind === reader.kind)
  const kind = file === undefined ? {} : { kind: file }
  const ledger = await openLedgerWriter(path, { ...(signer === null ? {} : { signer }), ...kind, begin: false })
  try {
    return await use(ledger)
  } finally {
    await ledger.close()
  }
}

/**
 * Opens a ledger for writing and creates it if it does not exist; the file extension selects the format.
 *
 * @throws CliError if the extension does not name a ledger format; LedgerError from the store
 */
export async function openOrMakeWriter(place: string, signer: Signer | undefined): Promise<LedgerWriter> {
  if (!isServer(place) && !/\.(?:jsonl|ndjson|sqlite3?|db)$/i.test(place))
    throw new CliError(
      EXIT.usage,
      `the extension of \`${place}\` does not name a ledger format`,
      'use .sqlite or .jsonl',
    )
  return openLedgerWriter(place, signer === undefined ? {} : { signer })
}
