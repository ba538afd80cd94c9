// Opens a ledger for a command that stops or resumes calls.
import type { ControlWriter } from '@sudoagent/ledger'
import { CliError, EXIT, isCoded } from '../../exit.js'
import { readSigner, withWriter } from '../../ledger/ledger-writer.js'
import { openLedgerReader } from '../../ledger/place.js'
import type { Io } from '../../terminal/io.js'
import type { NoteOptions } from './note.js'

/**
 * Opens an existing ledger, and passes it to `use`.
 *
 * @throws CliError if the ledger has no entries, if another process writes a JSONL ledger, or for an argument that the
 * ledger refuses; the errors of `withWriter`
 */
export async function withControls<T>(
  { ledger, privateKey }: NoteOptions,
  io: Io,
  use: (ledger: ControlWriter) => Promise<T>,
): Promise<T> {
  const signer = privateKey === undefined ? null : await readSigner(privateKey, io)
  const reader = await openLedgerReader(ledger)
  const first = await reader.lineAt(1).finally(() => reader.close())
  if (first === null)
    throw new CliError(EXIT.failed, `\`${ledger}\` has no entries yet`, 'it starts with the first call')
  try {
    return await withWriter(ledger, signer, use)
  } catch (error) {
    if (isCoded(error) && error.code === 'LEDGER_LOCKED')
      throw new CliError(
        EXIT.failed,
        `another process writes \`${ledger}\``,
        'stop the calls there (`engine.stop`), or use a SQLite ledger, which several processes can write',
        error,
      )
    // Exit code 1 says that there is no such stop, so no other refusal uses it.
    if (isCoded(error) && error.code !== 'STOP_NOT_FOUND')
      throw new CliError(EXIT.failed, error.message, error.hint, error)
    throw error instanceof TypeError ? new CliError(EXIT.usage, error.message, undefined, error) : error
  }
}
