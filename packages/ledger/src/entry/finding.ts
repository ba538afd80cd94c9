// What is wrong with a ledger, as `verify` says it (LEDGER-FORMAT §6).
import { printable } from '@sudoagent/crypto'
import { FINDINGS_MAX } from '../limits.js'

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
  | 'POLICY_HASH_MISMATCH'
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
  | 'STORE_FOREIGN_OBJECT'
  | 'TRUNCATED'
  | 'LEDGER_EMPTY'
  | 'KEY_RETIRED'
  | 'CONTROL_INVALID'
  | 'ENTRY_AFTER_CLOSED'
  | 'CHECKPOINT_INVALID'
  | 'CHECKPOINT_MISSING'
  | 'ROOT_MISMATCH'
  | 'INCONSISTENT'
  | 'OUTCOME_MISSING'
  | 'TAIL_TOO_LONG'
  | 'WITNESS_QUORUM_MISSING'
  | 'REQUIREMENT_NOT_MET'
  | 'ORIGIN_MISMATCH'
  | 'LOG_KEY_MISMATCH'
  | 'CHECKPOINT_TOO_OLD'
  | 'APPROVAL_REUSED'
  | 'APPROVAL_INCOMPLETE'

/** One thing that is wrong, and where: `position` is 1-based; null when it is about the ledger as a whole. */
export interface Finding {
  readonly code: FindingCode
  readonly position: number | null
  readonly request_id?: string
  /** How many entries it is about, where that is more than the one at `position`. */
  readonly count?: number
  /** Safe to print: controls and bidi characters of the ledger's own text are shown as code points. */
  readonly message: string
  readonly hint?: string
}

/** Takes a finding about what is being looked at. */
export type ReportFinding = (code: FindingCode, message: string, hint?: string) => void

/** Collects findings up to a bound, and counts the rest. */
export class Findings {
  readonly #kept: Finding[] = []
  readonly #max: number
  #total = 0
  #unknownKeys: UnknownKeys | null = null

  constructor(max = FINDINGS_MAX) {
    this.#max = max
  }

  get total(): number {
    return this.#total
  }

  get list(): readonly Finding[] {
    return this.#kept
  }

  /** How many entries no known key has signed, when that is all that was found; else null. */
  get onlyUnknownKeys(): number | null {
    return this.#unknownKeys !== null && this.#total === 1 ? this.#unknownKeys.entries : null
  }

  /** Adds a finding; its message and request id are made printable here, once, for every reader. */
  add(finding: Finding): void {
    if (finding.code === 'KEY_UNKNOWN') {
      const entries = finding.position === null ? 0 : 1
      if (this.#unknownKeys !== null) {
        this.#countUnknown(this.#unknownKeys, entries)
        return
      }
      this.#unknownKeys = { index: this.#kept.length, entries }
    }
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

  /** A key that was not given is one finding, however many entries it signed. */
  #countUnknown(unknown: UnknownKeys, entries: number): void {
    unknown.entries += entries
    const first = this.#kept[unknown.index]
    if (first !== undefined && unknown.entries > 1) this.#kept[unknown.index] = { ...first, count: unknown.entries }
  }
}

interface UnknownKeys {
  /** Of the finding, among those that are kept. */
  readonly index: number
  entries: number
}
