// The lines that a store could not deliver as text, as the walk treats them.
import type { LineFault } from '../entry/stored-line.js'
import type { UnreadableLine } from '../rules/line-facts.js'

export const LOST_HINT =
  'without its hash the tree is unknown, so checkpoints and receipts from this entry on cannot be checked'

const fault = (code: LineFault, message: string): UnreadableLine => ({
  kind: 'unreadable',
  code,
  message,
  claimedHash: null,
})

export const FAULTS: { readonly [code in LineFault]: UnreadableLine } = {
  LINE_TOO_LONG: fault('LINE_TOO_LONG', 'line exceeds the maximum length of an entry'),
  LINE_TORN: fault('LINE_TORN', 'the last line is incomplete: a write was interrupted, or the file was truncated'),
  COLUMN_MISMATCH: fault('COLUMN_MISMATCH', 'the entry of the row is not text'),
}
