/**
 * Reads the content of a control entry in a receipt. Stops, their ends and questions concern calls: their form is
 * checked as in a ledger, because the receipt is explained in words. Other control entries are only shown.
 */
import { hashEntry } from '../entry/entry-hash.js'
import { type Fields, isObject, own } from '../entry/fields.js'
import { type Asked, hasTimeToAnswer, isAsked, questionRows } from '../entry/question.js'
import { isResume, isStop, type Resume, type Stop, stopRows } from '../entry/stop.js'
import { scanJson } from '../json/scan.js'
import { entryOf, type ReceiptContent, sealOf } from './content.js'
import { receiptInvalid } from './fields.js'
import { hasExactNumbers } from './question-numbers.js'

/** A control entry, as stated. */
export interface ReceiptControl {
  /** `stop`, `resume`, `asked`, or another kind of control entry; null if the entry does not state its kind. */
  readonly kind: string | null
  /** The stop, the end of a stop, or the question; null for other kinds. */
  readonly block: Stop | Resume | Asked | null
  readonly created_at: string | null
  /** The time at which the entry was recorded, by the ledger clock. */
  readonly recorded_at: string | null
  /** The id of the signing key, as stated in the entry. */
  readonly key_id: string | null
  /** The whole entry as canonical JSON. */
  readonly line: string
}

const FITS: ReadonlyMap<unknown, (block: Fields) => boolean> = new Map([
  ['stop', isStop],
  ['resume', isResume],
  ['asked', isAsked],
])

/**
 * A control entry as rows for people: a name, and an unescaped value. Other kinds have one row, which is their
 * canonical JSON.
 */
export function controlRows({ block, line }: ReceiptControl): [name: string, value: string][] {
  if (block !== null) return block.kind === 'asked' ? questionRows(block) : stopRows(block)
  const span = scanJson(line).members.get('checkpoint')
  return [['content', span === undefined ? 'none' : line.slice(...span)]]
}

/**
 * @throws CryptoError `RECEIPT_INVALID` if the line is not a control entry, or does not have the form of a stop, a
 *   resume or a question although it states that kind
 */
export function readControlEntry(line: string): ReceiptContent<ReceiptControl> {
  const entry = entryOf(line, 'entry', 'checkpoint')
  const block = own(JSON.parse(line) as Fields, 'checkpoint')
  const kind = isObject(block) ? own(block, 'kind') : null
  const shown = {
    kind: typeof kind === 'string' ? kind : null,
    block: null,
    created_at: entry.textOrNull('created_at'),
    recorded_at: entry.textOrNull('recorded_at'),
    key_id: entry.textOrNull('key_id'),
    line,
  }
  const content = {
    entryHash: hashEntry(line, scanJson(line).members),
    claims: { ...sealOf(entry), event: 'checkpoint' },
  }
  const fits = FITS.get(kind)
  if (fits === undefined) return { ...content, shown }
  if (!fits(block as Fields) || shown.created_at === null)
    throw receiptInvalid('field `entry.checkpoint` does not follow the ledger format')
  const known = block as unknown as Stop | Resume | Asked
  if (known.kind === 'asked' && !hasExactNumbers(line, 'checkpoint', known))
    throw receiptInvalid('field `entry.checkpoint` does not follow the ledger format')
  if (known.kind === 'asked' && !hasTimeToAnswer(known, shown.recorded_at))
    throw receiptInvalid('the deadline of the question is not 1 ms to 7 days after the entry')
  return { ...content, shown: { ...shown, block: known } }
}
