// What one line of a ledger says by itself: all that the rules need that compare it with its neighbours (LEDGER-FORMAT §6).
//
// Two producers make this value: `checkLine`, which reads strictly and finds what is wrong, and `recogniseLine`, which
// recognises the lines that this package writes and returns null for all others. Where both return facts, the facts are equal.
//
//   bytes ──► recogniseLine ──► CallFacts ──┐
//     └─ null ► checkLine ──► LineFacts ────┴──► link, clock, columns, keys, calls, tree
import type { Hash } from '@sudoagent/crypto'
import type { ControlBlock } from '../entry/control.js'
import type { FindingCode } from '../entry/finding.js'

/** A rule that a line breaks. */
export interface Problem {
  readonly code: FindingCode
  readonly message: string
}

export const NO_PROBLEMS: readonly Problem[] = []

/** What seals an entry, of any kind. */
interface SealFacts {
  /** `entry_hash`, as the line states it; `hashProblems` says whether it is the hash of the line. */
  readonly entryHash: Hash
  /** `prev_entry_hash`. */
  readonly previous: Hash | null
  /** Null in ledgers of SudoAgent for Python. */
  readonly recordedAt: string | null
  readonly keyId: string | null
  /** Base64. */
  readonly signature: string | null
  /** Hashes that do not follow from what the line says. */
  readonly hashProblems: readonly Problem[]
}

/** What an entry says of its call: what `decision_hash` covers, except for the time of the decision, and the agent. */
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
  /** Whether it says when it was requested, when it was given, and until when it could be used. */
  readonly hasTimes: boolean
}

/** A decision or an outcome. */
export interface CallFacts extends SealFacts, CallText {
  readonly kind: 'call'
  readonly isDecision: boolean
  /** Of a decision. */
  readonly isAllowed: boolean
  readonly decisionHash: Hash
  readonly createdAt: string
  /** Of an allowed decision; null without an approval, and where the approval has no id (the package on PyPI). */
  readonly approval: ApprovalUse | null
  /** What is wrong with the approval of an allowed decision. */
  readonly approvalProblems: readonly Problem[]
}

/** A control entry. */
export interface ControlFacts extends SealFacts {
  readonly kind: 'control'
  readonly createdAt: string | null
  /** Null for a kind that this version does not know. */
  readonly block: ControlBlock | 'invalid' | null
}

/** A line that is not an entry. */
export interface UnreadableLine extends Problem {
  readonly kind: 'unreadable'
  /** The hash that the line claims, where it is legible: then the next line can be compared with it. */
  readonly claimedHash: Hash | null
}

export type LineFacts = CallFacts | ControlFacts | UnreadableLine
