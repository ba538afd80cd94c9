// Prints messages on stderr, one line each: `sudoagent: error: …`, `sudoagent: hint: …`, `sudoagent: note: …`.
// Loaded on demand: `--help` and most commands print no message.
import { escapeForTerminal } from '@sudoagent/crypto/text'
import { painter } from '../text/paint.js'
import { rowsOf } from '../text/rows.js'
import type { Io } from './io.js'

export type MessageKind = 'error' | 'hint' | 'note'

const COLOURS = { error: 'red', hint: 'cyan', note: 'yellow' } as const

/** Indentation of continuation lines on a narrow terminal. */
const INDENT = 4

/** Prints one message. The text may contain paths and ledger text, so control characters are shown as code points. */
export async function printMessage(io: Io, kind: MessageKind, text: string): Promise<void> {
  const paint = await painter(io.stderr.colour)
  const label = `sudoagent: ${kind}: `
  const [first = '', ...further] = rowsOf(label, escapeForTerminal(text), io.stderr.columns, INDENT)
  const rows = [`sudoagent: ${paint[COLOURS[kind]](kind)}: ${first.slice(label.length)}`, ...further]
  await io.stderr.write(`${rows.join('\n')}\n`)
}
