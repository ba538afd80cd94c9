// The one form of everything that is said on stderr: `sudoagent: error: …`, `sudoagent: hint: …`, `sudoagent: note: …`, a line each. Loaded
// when there is something to say: most commands have nothing to, and `--help` should not wait for it.
import { printable } from '@sudoagent/ledger'
import { painter } from '../text/paint.js'
import { rowsOf } from '../text/rows.js'
import type { Io } from './io.js'

export type MessageKind = 'error' | 'hint' | 'note'

const COLOURS = { error: 'red', hint: 'cyan', note: 'yellow' } as const

/** Blanks in front of the further rows of a message that a terminal has no room for. */
const INDENT = 4

/** Says one line on stderr. Paths and text of a ledger may stand in it: whatever could move a cursor is shown as its code point. */
export async function printMessage(io: Io, kind: MessageKind, text: string): Promise<void> {
  const paint = await painter(io.stderr.colour)
  const label = `sudoagent: ${kind}: `
  const [first = '', ...further] = rowsOf(label, printable(text), io.stderr.columns, INDENT)
  const rows = [`sudoagent: ${paint[COLOURS[kind]](kind)}: ${first.slice(label.length)}`, ...further]
  await io.stderr.write(`${rows.join('\n')}\n`)
}
