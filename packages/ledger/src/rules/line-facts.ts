// The facts of one line: the input of all rules that compare a line with other lines (LEDGER-FORMAT §6).
//
// Two functions extract facts. `checkLine` reads any line strictly and reports its defects. `recogniseLine`
// recognises the lines that this package writes, and returns null for all others. If both return facts, the facts are
// the same.
//
//   bytes ──► recogniseLine ──► CallFacts ──┐
//     └─ null ► checkLine ──► LineFacts ────┴──► link, clock, columns, keys, calls, tree
import type { Hash } from '@sudoagent/crypto'
import type { ControlBlock, InvalidControl } from '../entry/control.js'
import type { FindingCode } from '../entry/finding.js'

/** A rule that a line breaks. */
export interface Problem {
  readonly code: FindingCode
  readonly message: string
}

export const NO_PROBLEMS: readonly Problem[] = []

/** The chain and signature members, which every entry has. */
interface SealFacts {
  /** `entry_hash` as stated in the line; `hashProblems` reports a mismatch. */
  readonly entryHash: Hash
  /** `prev_entry_hash`; null in the first entry. */
  readonly previous: Hash | null
  /** Null in ledgers that SudoAgent for Python wrote. */
  readonly recordedAt: string | null
  readonly keyId: string | null
  /** Base64; null if the entry is not signed. */
  readonly signature: string | null
  /** Hashes in the line that do not match its content. */
  readonly hashProblems: readonly Problem[]
}

/**
 * The description of a call in an entry: the agent, and the input of `decision_hash` without the time of the
 * decision.
 */
export interface CallText {
  readonly requestId: string
  readonly agentId: string
  readonly action: string
  readonly principal: string
  readonly source: string
  readonly policyHash: string
  /** Canonical JSON. */
  readonly parameters: string
}

/** An approval under which a call is allowed. */
export interface ApprovalUse {
  readonly id: string
  /** Whether the approval has the times of its request, its answer and its expiry. */
  readonly hasTimes: boolean
}

/** The part of an approval that is compared with its question. */
export interface Answer {
  readonly approvalId: string | null
  /** The canonical text of the requirement. */
  readonly requirement: string
  readonly expiresAt: string | null
  /** Null if the approval has no such number. */
  readonly redacted: number | null
  /** The canonical text of the commitment of the entry; null without one. */
  readonly commitment: string | null
}

/** The part of a decision that is compared with its question. */
export interface AnsweredCall {
  readonly requestId: string
  readonly decisionHash: Hash
  readonly policyHash: string
  readonly agentId: string
  /** The canonical text of the authority; null if the entry has none. */
  readonly authority: string | null
  /** Null if the approval has no requirement: nothing was asked, or an earlier release asked. */
  readonly answer: Answer | null
}

/** A decision or an outcome. */
export interface CallFacts extends SealFacts, CallText {
  readonly kind: 'call'
  readonly isDecision: boolean
  /** Whether the entry is a decision that allows the call. */
  readonly isAllowed: boolean
  readonly decisionHash: Hash
  readonly createdAt: string
  /**
   * The approval of an allowed decision; null if there is none, or if it has no id, as in entries of the package on
   * PyPI.
   */
  readonly approval: ApprovalUse | null
  /** Whether the call is allowed under an approval, of either form. */
  readonly isApproved: boolean
  /** The approval of a decision with a requirement, whether it allows the call or not; null for others. */
  readonly answer: Answer | null
  /** Problems with the approval of an allowed decision. */
  readonly approvalProblems: readonly Problem[]
  /** The canonical text of the authority; null if the entry has none. */
  readonly authority: string | null
  readonly authorityProblem: Problem | null
}

/** A control entry. */
export interface ControlFacts extends SealFacts {
  readonly kind: 'control'
  readonly createdAt: string | null
  /** Null for a kind that this version does not know. */
  readonly block: ControlBlock | InvalidControl | null
}

/** A line that is not an entry. */
export interface UnreadableLine extends Problem {
  readonly kind: 'unreadable'
  /** The `entry_hash` of the line, if readable. The next line is checked against this hash. */
  readonly claimedHash: Hash | null
}

export type LineFacts = CallFacts | ControlFacts | UnreadableLine
