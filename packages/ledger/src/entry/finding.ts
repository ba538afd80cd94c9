// The findings that `verify` reports (LEDGER-FORMAT §6).
import { escapeForTerminal } from '@sudoagent/crypto/text'
import { FINDINGS_MAX } from '../limits.js'

/** The finding codes. New codes may be added; existing codes are never renamed. */
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
  | 'AUTHORITY_INVALID'
  | 'STOP_INVALID'
  | 'ALLOWED_WHILE_STOPPED'
  | 'ASKED_DUPLICATE'
  | 'ASKED_MISMATCH'
  | 'APPROVAL_NOT_ASKED'

/** One defect and its position. `position` is 1-based, or null for a finding about the whole ledger. */
export interface Finding {
  readonly code: FindingCode
  readonly position: number | null
  readonly request_id?: string
  /** Number of entries with this finding; absent if only the entry at `position` has the finding. */
  readonly count?: number
  /** Safe to print: control and bidi characters from the ledger are replaced by their code points. */
  readonly message: string
  readonly hint?: string
}

/** Reports a finding about the current item. */
export type ReportFinding = (code: FindingCode, message: string, hint?: string) => void

/** Collects findings up to a limit, and counts further findings. */
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

  /** Number of entries that are signed by unknown keys; null if there are other findings. */
  get onlyUnknownKeys(): number | null {
    return this.#unknownKeys !== null && this.#total === 1 ? this.#unknownKeys.entries : null
  }

  /** Adds a finding. Its message and request id are escaped for printing. */
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
      ...(requestId === undefined ? {} : { request_id: escapeForTerminal(requestId) }),
      message: escapeForTerminal(message),
      ...(hint === undefined ? {} : { hint }),
    })
  }

  /** All entries that are signed by unknown keys share one finding. */
  #countUnknown(unknown: UnknownKeys, entries: number): void {
    unknown.entries += entries
    const first = this.#kept[unknown.index]
    if (first !== undefined && unknown.entries > 1) this.#kept[unknown.index] = { ...first, count: unknown.entries }
  }
}

interface UnknownKeys {
  /** Index of the shared finding in the list of stored findings. */
  readonly index: number
  entries: number
}
