// What `verify` reports (LEDGER-FORMAT §6). A report is a value, and the same value whether it is printed as text or as JSON; its
// names are snake_case like the ledger's.
import type { Hash } from '@sudoagent/crypto'
import { FINDINGS_MAX } from './limits.js'
import { printable } from './printable.js'

/** Closed set; codes are added, never renamed. */
export type FindingCode =
  | 'LINE_TOO_LONG'
  | 'LINE_NOT_JSON'
  | 'LINE_NOT_CANONICAL'
  | 'LINE_TORN'
  | 'ENTRY_INVALID'
  | 'VERSION_UNSUPPORTED'
  | 'CHAIN_BROKEN'
  | 'ENTRY_HASH_MISMATCH'
  | 'COLUMN_MISMATCH'
  | 'CLOCK_WENT_BACK'
  | 'DECISION_HASH_MISMATCH'
  | 'DECISION_DUPLICATE'
  | 'DECISION_UNKNOWN'
  | 'REQUEST_ID_MISMATCH'
  | 'OUTCOME_AFTER_DENY'
  | 'OUTCOME_DUPLICATE'
  | 'APPROVAL_BINDING_MISMATCH'
  | 'APPROVAL_EXPIRED'
  | 'APPROVAL_NOT_APPROVED'
  | 'SIGNATURE_MISSING'
  | 'SIGNATURE_INVALID'
  | 'KEY_UNKNOWN'
  | 'STORE_DAMAGED'
  | 'TRUNCATED'
  | 'LEDGER_EMPTY'

/** One thing that is wrong, and where: `position` is 1-based; null when it is about the ledger as a whole. */
export interface Finding {
  readonly code: FindingCode
  readonly position: number | null
  readonly request_id?: string
  /** Safe to print: controls and bidi characters of the ledger's own text are shown as code points. */
  readonly message: string
  readonly hint?: string
}

/** `broken`: a finding. `intact`: the chain holds, nothing was pinned. `signed`: every entry verifies under a key the caller gave. */
export type Verdict = 'broken' | 'intact' | 'signed'

export interface Report {
  readonly ok: boolean
  readonly verdict: Verdict
  readonly entries: number
  readonly decisions: number
  readonly outcomes: number
  /** Allowed decisions without an outcome: still running, or the process died in the call. */
  readonly open: number
  readonly signed_entries: number
  readonly head: { readonly size: number; readonly entry_hash: Hash | null }
  readonly first_created_at: string | null
  readonly last_created_at: string | null
  /** Ids of the keys that the entries name, and of those that the caller gave. */
  readonly keys: { readonly in_ledger: readonly string[]; readonly given: readonly string[] }
  /** The first findings, in the order of the ledger; `findings_total` counts them all. */
  readonly findings: readonly Finding[]
  readonly findings_total: number
}

/** Collects findings up to a bound, and counts the rest. */
export class Findings {
  readonly #kept: Finding[] = []
  readonly #max: number
  #total = 0

  constructor(max = FINDINGS_MAX) {
    this.#max = max
  }

  get total(): number {
    return this.#total
  }

  get list(): readonly Finding[] {
    return this.#kept
  }

  /** Adds a finding; its message and request id are made printable here, once, for every reader. */
  add(finding: Finding): void {
    this.#total += 1
    if (this.#kept.length >= this.#max) return
    const { code, position, request_id: requestId, message, hint } = finding
    this.#kept.push({
      code,
      position,
      ...(requestId === undefined ? {} : { request_id: printable(requestId) }),
      message: printable(message),
      ...(hint === undefined ? {} : { hint }),
    })
  }
}

/** What a verdict leaves open, in words for a person: the attacks that it does not rule out. */
export function notRuledOut(verdict: Verdict): readonly string[] {
  if (verdict === 'broken') return []
  const always = [
    'that entries were cut from the end, or an older copy was put back (compare the head with one kept elsewhere)',
    'that whoever holds the signing key rewrote the ledger',
  ]
  return verdict === 'signed'
    ? always
    : [
        'that somebody rewrote the ledger and recomputed every hash (sign it, and verify with `--public-key`)',
        ...always.slice(0, 1),
      ]
}
