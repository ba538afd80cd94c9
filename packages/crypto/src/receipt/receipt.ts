/**
 * A receipt is a JSON file that proves that a decision was recorded. Verification needs neither the ledger nor a
 * network.
 *
 *     {
 *       "ledger_position": 2,
 *       "schema_version": "2.0",
 *       "ledger_version": "2.0",
 *       "request_id": "083a0f8c-664e-4692-9c0d-fb611024f7a4",
 *       "created_at": "2026-11-22T20:18:30.054069Z",
 *       "policy_id": "refunds:v2",
 *       "policy_hash": "6bd5cb51…",
 *       "decision_hash": "0566c2b9…",
 *       "entry_hash": "823ec7cb…",
 *       "entry_signature": "oIVlXAk3…",
 *       "entry": { "action": "refund", … },
 *       "outcome": { "ledger_position": 3, "entry_hash": …, "entry_signature": …, "entry": …, "proof": … },
 *       "proof": "c2sp.org/tlog-proof@v1\nindex 1\n…\n\nsudoagent.dev/ledger/…\n15\n…\n\n— sudoagent.dev/ledger/… …\n"
 *     }
 *
 * `entry` is the canonical ledger line with white space between tokens. Removing that white space restores the
 * original line byte for byte, including numbers of any length, so the hash can be computed. `entry` may be
 * omitted, but only from decision and outcome together; the other fields are then unproven statements by the author
 * of the receipt. `proof` (`tlog-proof.ts`) connects `entry_hash` to a signed checkpoint, and is null if the ledger
 * does not have a signed checkpoint. `outcome` is null if no outcome was recorded.
 *
 * The receipt of a control entry (a stop, its end, a question, …) has `event` in place of the members of the call:
 *
 *     { "ledger_position": 20, "schema_version": "2.0", "ledger_version": "2.0", "event": "checkpoint",
 *       "entry_hash": …, "entry_signature": …, "entry": …, "proof": … }
 *
 * Other members are refused, because nothing would prove them. This file reads and writes receipts; `verify.ts`
 * verifies them.
 */
import { isBytes } from '../bytes/bytes.js'
import { parseDecimal } from '../bytes/decimal.js'
import type { Hash } from '../bytes/hash.js'
import { decodeUtf8 } from '../bytes/utf8.js'
import { LEDGER_VERSION } from '../entry/shape.js'
import { CryptoError } from '../error.js'
import { compactJson, indentJson } from '../json/layout.js'
import { scanJson } from '../json/scan.js'
import { JsonScanner } from '../json/scanner.js'
import { JSON_DEPTH_MAX } from '../json/value.js'
import { noteBytes } from '../note/note-text.js'
import { ReceiptFields, receiptInvalid } from './fields.js'

/** The input for one entry of a receipt. */
export interface ReceiptEntryParts {
  /** The position of the entry in the ledger, from 1. */
  readonly position: number
  /** The canonical line of the entry as stored in the ledger. */
  readonly line: string
  /** The tlog-proof for index `position` − 1; null if the ledger does not have a signed checkpoint. */
  readonly proof: string | null
}

/** The input for a receipt: a decision, and its outcome if one was recorded; or a control entry. */
export interface ReceiptParts extends ReceiptEntryParts {
  readonly outcome?: ReceiptEntryParts | null | undefined
}

/** The unverified statements in a receipt about one entry. */
export interface UnverifiedReceiptEntry {
  /** From 1. */
  readonly ledger_position: number
  readonly entry_hash: Hash
  /** The base64 encoding of 64 bytes; null if the entry is not signed. */
  readonly entry_signature: string | null
  /** The canonical line of the entry; null if `entry` was omitted. */
  readonly line: string | null
  /** An unparsed tlog-proof; null if the receipt does not contain a proof. */
  readonly proof: string | null
}

/** The unverified content of a receipt. `verifyReceipt` verifies a receipt. */
export type UnverifiedReceipt = UnverifiedCallReceipt | UnverifiedControlReceipt

/** The unverified content of the receipt of a control entry. */
export interface UnverifiedControlReceipt extends UnverifiedReceiptEntry {
  readonly event: 'checkpoint'
  readonly schema_version: string
  readonly ledger_version: string
  readonly outcome: null
}

/** The unverified content of the receipt of a call. */
export interface UnverifiedCallReceipt extends UnverifiedReceiptEntry {
  readonly event: 'decision'
  readonly schema_version: string
  readonly ledger_version: string
  readonly request_id: string
  readonly created_at: string
  readonly policy_id: string
  readonly policy_hash: string
  readonly decision_hash: Hash
  readonly outcome: UnverifiedReceiptEntry | null
}

/**
 * The maximum size of a receipt in bytes. This is enough for two entries of 4 MiB each (the ledger limit) and their
 * proofs, without indentation. Real receipts have 2 to 20 KB.
 */
export const RECEIPT_BYTES_MAX = 16 * 1024 * 1024

/** The start of a proof file, the kind of file most easily mistaken for a receipt. */
const BARE_PROOF = 'c2sp.org/tlog-proof@'

const ENTRY_MEMBERS = ['ledger_position', 'entry_hash', 'entry_signature', 'entry', 'proof']
const CONTROL_MEMBERS = [...ENTRY_MEMBERS, 'schema_version', 'ledger_version', 'event']
const RECEIPT_MEMBERS = [
  ...ENTRY_MEMBERS,
  'schema_version',
  'ledger_version',
  'request_id',
  'created_at',
  'policy_id',
  'policy_hash',
  'decision_hash',
  'outcome',
]

/**
 * The maximum nesting depth of a receipt. An entry may be nested up to `JSON_DEPTH_MAX` levels. A receipt adds one
 * level around the decision entry and two around the outcome entry.
 */
const RECEIPT_DEPTH_MAX = JSON_DEPTH_MAX + 2

/**
 * Encodes a receipt with a final line feed. The content is not verified: if an entry was tampered with,
 * `verifyReceipt` refuses the resulting receipt.
 *
 * @param options - `withEntry: false` omits the entry content. The receipt still proves the entry hashes, and the
 *   owner of the entries can show that the entries match these hashes.
 * @throws CryptoError `RECEIPT_INVALID` if `parseReceipt` would refuse the receipt, or an entry lacks a required
 *   field
 */
export function encodeReceipt(parts: ReceiptParts, options: { readonly withEntry: boolean }): string {
  const { outcome } = parts
  const entry = entryOf(parts)
  const isControl = entry.text('event') === 'checkpoint'
  const compact = object([
    ['ledger_position', String(parts.position)],
    ['schema_version', quote(entry.text('schema_version'))],
    ['ledger_version', quote(entry.text('ledger_version'))],
    ...(isControl ? [['event', quote('checkpoint')] as const] : callOf(entry)),
    ...sealOf(entry),
    ...(options.withEntry ? [['entry', parts.line] as const] : []),
    // `parseReceipt` refuses an outcome of a control entry.
    ...(isControl && !outcome
      ? []
      : [['outcome', outcome ? encodeOutcome(outcome, options.withEntry) : 'null'] as const]),
    ['proof', quote(parts.proof)],
  ])
  const indented = `${indentJson(compact)}\n`
  // Indentation can multiply the size of the JSON.
  const text = noteBytes(indented).length > RECEIPT_BYTES_MAX ? `${compact}\n` : indented
  parseReceipt(text)
  return text
}

function callOf(entry: ReceiptFields): readonly (readonly [string, string])[] {
  const decision = entry.fields('decision')
  return [
    ['request_id', quote(entry.text('request_id'))],
    ['created_at', quote(entry.text('created_at'))],
    ['policy_id', quote(decision.text('policy_id'))],
    ['policy_hash', quote(decision.text('policy_hash'))],
    ['decision_hash', quote(decision.hash('decision_hash'))],
  ]
}

function encodeOutcome(outcome: ReceiptEntryParts, withEntry: boolean): string {
  return object([
    ['ledger_position', String(outcome.position)],
    ...sealOf(entryOf(outcome)),
    ...(withEntry ? [['entry', outcome.line] as const] : []),
    ['proof', quote(outcome.proof)],
  ])
}

const entryOf = ({ line }: ReceiptEntryParts): ReceiptFields => {
  requireCanonical(line, 'entry')
  return new ReceiptFields(JSON.parse(line), 'entry')
}

const sealOf = (entry: ReceiptFields): (readonly [string, string])[] => [
  ['entry_hash', quote(entry.hash('entry_hash'))],
  ['entry_signature', quote(entry.signatureOrNull('entry_signature'))],
]

const object = (members: readonly (readonly [string, string])[]): string =>
  `{${members.map(([name, text]) => `${quote(name)}:${text}`).join(',')}}`

const quote = (text: string | null): string => JSON.stringify(text)

/**
 * Parses a receipt without verifying it.
 *
 * @param text - the receipt as UTF-8 bytes or as a decoded string
 * @throws CryptoError `RECEIPT_INVALID` for input that is longer than 16 MiB or is not strict JSON (duplicate keys
 *   are refused), a member that is missing, unknown or of the wrong type, an unsupported version, an entry that is
 *   not canonical after removing white space, or a receipt with the content of only one of its two entries
 */
export function parseReceipt(text: Uint8Array | string): UnverifiedReceipt {
  const json = readText(text)
  const spans = scan(json, RECEIPT_DEPTH_MAX)
  const fields = new ReceiptFields(JSON.parse(json), '')
  const isControl = fields.has('event')
  fields.only(isControl ? CONTROL_MEMBERS : RECEIPT_MEMBERS)
  const raw = (name: string): string => json.slice(...(spans.get(name) ?? [0, 0]))
  const common = {
    ...readEntry(fields, raw, ''),
    schema_version: fields.oneOf('schema_version', LEDGER_VERSION),
    ledger_version: fields.oneOf('ledger_version', LEDGER_VERSION),
  }
  if (isControl) return { ...common, event: fields.oneOf('event', 'checkpoint'), outcome: null }
  const receipt: UnverifiedCallReceipt = {
    ...common,
    event: 'decision',
    request_id: fields.text('request_id'),
    created_at: fields.text('created_at'),
    policy_id: fields.text('policy_id'),
    policy_hash: fields.text('policy_hash'),
    decision_hash: fields.hash('decision_hash'),
    outcome: readOutcome(fields.fieldsOrNull('outcome'), raw('outcome')),
  }
  if (receipt.outcome !== null && (receipt.outcome.line === null) !== (receipt.line === null)) {
    throw receiptInvalid('the receipt has the content of only one of its two entries')
  }
  return receipt
}

function readOutcome(fields: ReceiptFields | null, json: string): UnverifiedReceiptEntry | null {
  if (fields === null) return null
  const spans = scan(json, RECEIPT_DEPTH_MAX - 1)
  return readEntry(fields.only(ENTRY_MEMBERS), (name) => json.slice(...(spans.get(name) ?? [0, 0])), 'outcome.')
}

function readEntry(fields: ReceiptFields, raw: (name: string) => string, path: string): UnverifiedReceiptEntry {
  const position = parseDecimal(raw('ledger_position'))
  if (position === null || position === 0) {
    throw receiptInvalid(`field \`${path}ledger_position\` is not a decimal number from 1 to 2^53 − 1`)
  }
  return {
    ledger_position: position,
    entry_hash: fields.hash('entry_hash'),
    entry_signature: fields.signatureOrNull('entry_signature'),
    line: fields.has('entry') ? requireCanonical(compactJson(raw('entry')), `${path}entry`) : null,
    proof: fields.textOrNull('proof'),
  }
}

/** Requires that a line is a canonical JSON object, and returns the line. */
function requireCanonical(line: string, path: string): string {
  const reason = line.startsWith('{') ? canonicalFault(line) : 'not an object'
  if (reason !== null) throw receiptInvalid(`field \`${path}\` is not the canonical text of an entry: ${reason}`)
  return line
}

function canonicalFault(line: string): string | null {
  try {
    return scanJson(line).reason
  } catch (error) {
    if (error instanceof CryptoError) return error.message
    throw error
  }
}

function readText(input: Uint8Array | string): string {
  if (typeof input !== 'string' && !isBytes(input)) throw new TypeError('text must be a string or a Uint8Array')
  const tooLong =
    input.length > RECEIPT_BYTES_MAX || (typeof input === 'string' && noteBytes(input).length > RECEIPT_BYTES_MAX)
  if (tooLong) throw receiptInvalid(`the receipt is longer than ${RECEIPT_BYTES_MAX} bytes`)
  const text = typeof input === 'string' ? input : asReceipt(() => decodeUtf8(input))
  if (text.startsWith(BARE_PROOF)) {
    const hint = 'a tlog-proof proves only a hash: ask for the receipt, which is a JSON file'
    throw receiptInvalid('a bare tlog-proof was given where a receipt is needed', hint)
  }
  return text
}

// `scanJson` is not used because a receipt may be nested deeper than its limit.
const scan = (json: string, maxDepth: number): ReadonlyMap<string, readonly [start: number, end: number]> =>
  asReceipt(() => new JsonScanner(json, maxDepth).scan().members)

/** Converts JSON errors to receipt errors. */
function asReceipt<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof CryptoError) throw receiptInvalid(`the receipt is not strict JSON: ${error.message}`)
    throw error
  }
}
