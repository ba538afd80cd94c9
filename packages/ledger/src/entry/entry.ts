// The types and shape checks of ledger entries (LEDGER-FORMAT §2).
//
// Each entry is one line of canonical JSON (RFC 8785). Member names are in snake_case, as in the format. There are
// three events: `decision` (a call was allowed or denied), `outcome` (an allowed call succeeded or failed) and
// `checkpoint` (a control entry, see `control.ts`). A decision and its outcome have the same `request_id` and
// `decision_hash`.
//
//   {"action":"refund","actor":{"principal":"bot","source":"node"},"agent_id":"bot","approval":null,"budget":null,
//    "created_at":"2026-11-22T20:18:29.260000Z","decision":{"decision_hash":"…","effect":"allow",…},
//    "entry_hash":"…","event":"decision","ledger_version":"2.0","parameters":{"args":[],"kwargs":{"order":7}},
//    "prev_entry_hash":"…","recorded_at":"2026-11-22T20:18:29.261000Z","request_id":"…","schema_version":"2.0"}
//
// `line.ts` parses a line, `checkEntry` checks the shape of the entry, and `decision-hash.ts` recomputes its hashes:
// `entry_hash` is the SHA-256 of the line with `"entry_hash":null` and without `entry_signature`. `rules/` contains
// the rules that relate entries to each other: the hash chain, one decision and at most one outcome for each call.
import type { Hash } from '@sudoagent/crypto'
import {
  type Authority,
  authorityMisfit,
  type Commitment,
  isPypiEntry,
  type Requirement,
  type ResultCommitment,
} from '@sudoagent/crypto/entry'
import type { JsonValue } from '@sudoagent/crypto/json'

export { checkEntry, draftMisfit, LEDGER_VERSION, SCHEMA_VERSION } from '@sudoagent/crypto/entry'

export type Effect = 'allow' | 'deny'
export type OutcomeStatus = 'success' | 'error'
export type JsonObject = { readonly [key: string]: JsonValue }

/**
 * The principal that made the call, and the implementation that recorded it. Entries of SudoAgent for Python
 * have no `actor`.
 */
export interface Actor {
  readonly principal: string
  readonly source: string
}

/** The decision about a call, and the policy that made it. An outcome entry has no `effect`. */
export interface DecisionBlock {
  readonly effect?: Effect
  readonly reason: string
  readonly reason_code: string | null
  readonly policy_id: string
  readonly policy_version: string | null
  readonly policy_hash: string
  readonly decision_hash: Hash
}

/** The scope of an approval: one call, under one policy, with one set of parameters. */
export interface BindingBlock {
  readonly request_id: string
  readonly policy_hash: string
  readonly decision_hash: string
}

export interface ApprovalBlock {
  readonly approval_id: string
  readonly state: string
  readonly approver_id: string | null
  readonly created_at: string | null
  readonly resolved_at: string | null
  readonly expires_at: string | null
  readonly binding: BindingBlock | null
  /** The following members are absent in approvals that were not recorded as a question first. */
  readonly requirement?: Requirement
  /** How many values and keys of the call are recorded as something other than themselves. */
  readonly redacted?: number
  /** The registry of approvers in force at the decision; null without one. */
  readonly registry?: null
  /** The signed statements of approvers. */
  readonly statements?: readonly never[]
}

export interface BudgetBlock {
  readonly budget_key: string | null
  readonly agent_id: string
  readonly action: string
  readonly cost: number
  readonly window_seconds: number
  readonly checked: boolean
}

/** Redacted arguments. Positional arguments are in `args`; the single plain object of a tool call is in `kwargs`. */
export interface Parameters {
  readonly args: readonly JsonValue[]
  readonly kwargs: JsonObject
}

export interface OutcomeBlock {
  readonly status: OutcomeStatus
  readonly reason: string | null
  readonly reason_code: string | null
  readonly error_type: string | null
  readonly error: string | null
  /** A commitment to the result that the caller got. */
  readonly result?: ResultCommitment
}

/**
 * A decision or an outcome to which the ledger has not yet added the versions, `recorded_at`, the chain members and
 * the signature.
 */
export interface EntryDraft {
  readonly event: 'decision' | 'outcome'
  readonly request_id: string
  readonly created_at: string
  readonly action: string
  readonly agent_id: string
  readonly actor: Actor
  /** For whom the agent called; only in decisions. */
  readonly authority?: Authority
  /** Only in decisions. */
  readonly commitment?: Commitment
  readonly decision: DecisionBlock
  readonly approval?: ApprovalBlock | null
  readonly budget?: BudgetBlock | null
  readonly parameters: Parameters
  readonly outcome?: OutcomeBlock
  readonly metadata?: JsonObject
}

/** The members that the ledger adds to a draft. */
export interface Sealed {
  readonly schema_version: string
  readonly ledger_version: string
  readonly recorded_at?: string
  readonly prev_entry_hash: Hash | null
  readonly entry_hash: Hash
  readonly key_id?: string
  readonly entry_signature?: string
}

/** The approval in an entry of sudoagent 2.0.0 on PyPI. */
export interface PypiApproval {
  readonly approved: boolean
  readonly approver_id?: string
  readonly binding: { readonly [name: string]: string }
  // These members exist in `ApprovalBlock` only; `approvalOf` reads both shapes.
  readonly approval_id?: undefined
  readonly state?: undefined
  readonly created_at?: undefined
  readonly resolved_at?: undefined
  readonly expires_at?: undefined
}

type Optional<T, Name extends keyof T> = Omit<T, Name> & Partial<Pick<T, Name>>

/**
 * A decision or an outcome. Entries of SudoAgent for Python have no `actor`. Entries of sudoagent 2.0.0 on PyPI
 * also lack `policy_version`, the reasons of the outcome, and `parameters`, which `parametersText` in the crypto
 * package derives.
 */
export type CallEntry = Omit<
  Optional<EntryDraft, 'actor' | 'parameters'>,
  'decision' | 'approval' | 'authority' | 'outcome'
> & {
  /** `authorityOf` reads it: a stored line may have any value here. */
  readonly authority?: unknown
  readonly decision: Optional<DecisionBlock, 'policy_version'>
  readonly approval?: ApprovalBlock | PypiApproval | null
  readonly outcome?: Optional<OutcomeBlock, 'reason' | 'reason_code'>
} & Sealed

/** A control entry (§5). `readControl` reads its block. */
export type CheckpointEntry = Sealed & {
  readonly event: 'checkpoint'
  readonly checkpoint?: unknown
  readonly created_at?: string
  readonly request_id?: string | null
}

export type LedgerEntry = CallEntry | CheckpointEntry

/** Whether an entry is a decision or an outcome. */
export function isCallEntry(entry: LedgerEntry): entry is CallEntry {
  return entry.event !== 'checkpoint'
}

/** The authority of an entry; null if it has none, or one that is not valid. */
export function authorityOf({ authority }: CallEntry): Authority | null {
  return authorityMisfit(authority) === null ? ((authority ?? null) as Authority | null) : null
}

/** An approval in either shape. A member that the package on PyPI did not write is null. */
export type KnownApproval = Omit<ApprovalBlock, 'approval_id'> & { readonly approval_id: string | null }

/** The approval of an entry, in either shape; null if the entry has none. */
export function approvalOf(entry: CallEntry): KnownApproval | null {
  if (entry.approval === null || entry.approval === undefined) return null
  // The rest of the entry determines the shape: an `ApprovalBlock` may have an extra member `approved`, which is
  // ignored.
  if (!isPypiEntry(entry)) return entry.approval as ApprovalBlock
  const approval = entry.approval as PypiApproval
  const { request_id = '', policy_hash = '', decision_hash = '' } = approval.binding
  return {
    approval_id: null,
    state: approval.approved ? 'approved' : 'denied',
    approver_id: approval.approver_id ?? null,
    created_at: null,
    resolved_at: null,
    expires_at: null,
    binding: { request_id, policy_hash, decision_hash },
  }
}
