// The one form of everything that is said on stderr: `sudoagent: error: …`, `sudoagent: hint: …`, `sudoagent: note: …`, a line each. Loaded
// when there is something to say: most commands have nothing to, and `--help` should not wait for it.
import { printable } from '@sudoagent/ledger'
import type { Io } from './io.js'
import { painter } from './paint.js'

export type MessageKind = 'error' | 'hint' | 'note'

const COLOURS = { error: 'red', hint: 'cyan', note: 'yellow' } as const

/** Says one line on stderr. Paths and text of a ledger may stand in it: whatever could move a cursor is shown as its code point. */
export async function say(io: Io, kind: MessageKind, text: string): Promise<void> {
  const paint = await painter(io.stderr.colour)
  await io.stderr.write(`sudoagent: ${paint[COLOURS[kind]](kind)}: ${printable(text)}\n`)
}
