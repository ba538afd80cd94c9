// One entry of a ledger, as it stands on the wire (LEDGER-FORMAT §2): names are snake_case because the file says so.
//
//   {"action":"refund","actor":{"principal":"bot","source":"node"},"agent_id":"bot","approval":null,"budget":null,
//    "created_at":"2026-11-22T20:18:29.260000Z","decision":{…},"entry_hash":"…","event":"decision",…}
//
// An entry that comes out of `checkEntry` has the right shape and nothing more: whether it is true is for `chain` and `lifecycle`.
import { type Hash, isPypiEntry, type JsonValue } from '@sudoagent/crypto'

export { checkEntry, draftMisfit, LEDGER_VERSION, SCHEMA_VERSION } from '@sudoagent/crypto'

export type Effect = 'allow' | 'deny'
export type OutcomeStatus = 'success' | 'error'
export type JsonObject = { readonly [key: string]: JsonValue }

/** Who acted, and in which implementation. An entry without it was written by the Python one (`source: "python"`). */
export interface Actor {
  readonly principal: string
  readonly source: string
}

/** The decision a call was given, and the policy that gave it. On an outcome entry `effect` is absent. */
export interface DecisionBlock {
  readonly effect?: Effect
  readonly reason: string
  readonly reason_code: string | null
  readonly policy_id: string
  readonly policy_version: string | null
  readonly policy_hash: string
  readonly decision_hash: Hash
}

/** What an approval is good for: this call, under this policy, with these parameters, and for nothing else. */
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
}

export interface BudgetBlock {
  readonly budget_key: string | null
  readonly agent_id: string
  readonly action: string
  readonly cost: number
  readonly window_seconds: number
  readonly checked: boolean
}

/** Redacted arguments: positional in `args`; a call with one plain object (a tool call) has it in `kwargs`. */
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
}

/** What a writer hands to a ledger. The ledger adds versions, `recorded_at`, the chain and the signature. */
export interface EntryDraft {
  readonly event: 'decision' | 'outcome'
  readonly request_id: string
  readonly created_at: string
  readonly action: string
  readonly agent_id: string
  readonly actor: Actor
  readonly decision: DecisionBlock
  readonly approval?: ApprovalBlock | null
  readonly budget?: BudgetBlock | null
  readonly parameters: Parameters
  readonly outcome?: OutcomeBlock
  readonly metadata?: JsonObject
}

/** What the ledger itself adds to an entry. */
export interface Sealed {
  readonly schema_version: string
  readonly ledger_version: string
  readonly recorded_at?: string
  readonly prev_entry_hash: Hash | null
  readonly entry_hash: Hash
  readonly key_id?: string
  readonly entry_signature?: string
}

/** The approval of an entry that the package `sudoagent` 2.0.0 on PyPI wrote. */
export interface PypiApproval {
  readonly approved: boolean
  readonly approver_id?: string
  readonly binding: { readonly [name: string]: string }
  // What only the other shape has. `approvalOf` reads either.
  readonly approval_id?: undefined
  readonly state?: undefined
  readonly created_at?: undefined
  readonly resolved_at?: undefined
  readonly expires_at?: undefined
}

type Optional<T, Name extends keyof T> = Omit<T, Name> & Partial<Pick<T, Name>>

/**
 * A decision or an outcome. `actor` is absent where Python wrote the entry; so are `parameters` (`parametersText` of the crypto package finds
 * them), `policy_version` and the reasons of the outcome where the package on PyPI wrote it.
 */
export type CallEntry = Omit<Optional<EntryDraft, 'actor' | 'parameters'>, 'decision' | 'approval' | 'outcome'> & {
  readonly decision: Optional<DecisionBlock, 'policy_version'>
  readonly approval?: ApprovalBlock | PypiApproval | null
  readonly outcome?: Optional<OutcomeBlock, 'reason' | 'reason_code'>
} & Sealed

/** A control entry (§5). Its content is for the reader that knows its kind (`control.ts`). */
export type CheckpointEntry = Sealed & {
  readonly event: 'checkpoint'
  readonly checkpoint?: unknown
  readonly created_at?: string
  readonly request_id?: string | null
}

export type LedgerEntry = CallEntry | CheckpointEntry

/** Says whether an entry is about a call, not a control entry. */
export function isCallEntry(entry: LedgerEntry): entry is CallEntry {
  return entry.event !== 'checkpoint'
}

/** What is known of an approval. Null is what an entry of the package on PyPI does not say. */
export type KnownApproval = Omit<ApprovalBlock, 'approval_id'> & { readonly approval_id: string | null }

/** The approval of an entry, whichever shape it has; null when there is none. */
export function approvalOf(entry: CallEntry): KnownApproval | null {
  if (entry.approval === null || entry.approval === undefined) return null
  // Told by the entry: an approval of the other shape may have a member `approved` as well, which says nothing there.
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
