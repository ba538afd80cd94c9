import { CliError, EXIT } from '../exit.js'
import type { Io } from '../terminal/io.js'

/** Returns the signed head of a ledger. @throws CliError if the ledger has no signed head */
export async function storedCheckpoint(ledger: string, io: Io): Promise<string> {
  const { withLedger } = await import('./ledger-file.js')
  const { parseNote } = await import('@sudoagent/crypto/note')
  const { head } = await withLedger(ledger, io, true, ({ reader }) => reader.evidence())
  if (head === null) throw new CliError(EXIT.no, `\`${ledger}\` has no checkpoint`, NONE_HINT)
  if (head === 'unreadable') throw new CliError(EXIT.no, `the head of \`${ledger}\` cannot be read`, VERIFY_HINT)
  if (!head.text.includes('\n\n')) throw new CliError(EXIT.no, `\`${ledger}\` is not signed`, NONE_HINT)
  try {
    parseNote(head.text)
  } catch (error) {
    throw new CliError(EXIT.no, `the head of \`${ledger}\` is not a signed checkpoint`, VERIFY_HINT, error)
  }
  return head.text
}

const NONE_HINT =
  'ledgers written with a signer have a checkpoint; use `sudoagent checkpoint --private-key` to sign one now'
export const VERIFY_HINT = 'run `sudoagent verify` for details'
