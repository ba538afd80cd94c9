// Validates the options of engines and calls once. A misspelt name or a wrong type throws a TypeError.
import { randomUUID } from 'node:crypto'
import type { LedgerWriter } from '@sudoagent/ledger'
import { NAME_LENGTH_MAX } from '@sudoagent/ledger/entry'
import { ownFields } from '@sudoagent/ledger/store'
import { APPROVAL_TTL_MS_DEFAULT, type ApprovalStore, type Approver, type AttachCheck } from './approval/approval.js'
import { InteractiveApprover } from './approval/interactive.js'
import { MemoryApprovalStore } from './approval/memory-store.js'
import { requireApprovalTtlMs, requireEngineTtlMs } from './approval/ttl.js'
import type { AuditLog } from './audit-log.js'
import { AUTHORITY_OPTIONS, type CallAuthority, mergeAuthority } from './authority/authority.js'
import type { BudgetStore } from './budget/budget.js'
import {
  readOptions,
  requireBoolean,
  requireFunction,
  requireInteger,
  requireMethods,
  requireName,
  requireText,
} from './check.js'
import { copyCommitmentKey } from './commitment/commitment-key.js'
import { identifyPolicy, type Policy, type PolicyIdentity } from './policy/policy.js'
import { createRedactor, type RedactionOptions, type Redactor } from './redaction/redactor.js'

/**
 * A failure that the caller is not responsible for: an outcome could not be recorded, a charge could not be released,
 * or (`decision`) a decision failed. A decision is reported in two cases. Either the ledger no longer accepts decisions
 * from this writer, so that every call fails until an operator intervenes; or `authorize` returned a denial, which does
 * not contain its cause.
 */
export interface EngineFault {
  readonly stage: 'decision' | 'outcome' | 'audit' | 'budget' | 'approval'
  readonly requestId: string
  readonly error: unknown
}

export interface EngineOptions {
  readonly policy: Policy
  /** A stable name for the agent. It is part of every decision. */
  readonly agentId: string
  readonly ledger: LedgerWriter
  /**
   * Called when the policy returns `require_approval`. Default: asks the person at the terminal. Without a terminal,
   * the call is denied.
   */
  readonly approver?: Approver
  /** Stores open approvals. Default: in memory. */
  readonly approvalStore?: ApprovalStore
  readonly budget?: BudgetStore
  readonly auditLog?: AuditLog
  /** Adds key names and patterns to the built-in redaction rules. */
  readonly redaction?: RedactionOptions
  /**
   * A secret key of at least 32 random bytes, copied at once. Decisions and questions then carry a commitment to the
   * parameters before redaction. Default: none.
   */
  readonly commitmentKey?: Uint8Array
  /**
   * How to handle names and strings in the arguments, at any depth, that are not in Unicode normalisation form C.
   * `refuse` (default): the call is denied with `PARAMETERS_INVALID`. `normalize`: the policy, the approver, the record
   * and the function all receive the NFC form.
   */
  readonly unicode?: 'refuse' | 'normalize'
  /**
   * How to handle a call with concealed values that are not declared as secrets, if the policy did not read
   * `context.concealed` or requires an approval. `deny` (default): denied with `ARGUMENTS_CONCEALED`. `ask`: an
   * approver decides and sees the number of concealed characters. `allow`: the policy's decision applies.
   */
  readonly onConcealed?: OnConcealed
  /**
   * The default time limit for approvals, in milliseconds. Default: 300,000 (5 minutes); maximum: 604,800,000 (7 days),
   * or 3,600,000 (1 hour) for a ledger that does not record questions. The policy can set a different one for a call:
   * see `PolicyResult.approval`.
   */
  readonly approvalTtlMs?: number
  /** The time limit for one call to the policy, a store, the ledger or the audit log, in ms. Default: 30,000. */
  readonly timeoutMs?: number
  /** Called for faults that the caller does not see. Exceptions from this function are ignored. */
  readonly onError?: (fault: EngineFault) => void
  readonly clock?: () => Date
  /** Default: a UUIDv4 for each call. */
  readonly generateId?: () => string
}

/** Options of `SudoEngine.open`: the ledger may be given as a path or URL. */
export interface OpenOptions extends Omit<EngineOptions, 'ledger'> {
  /** A path (`ledger.sqlite`, `ledger.jsonl`), a URL (`postgres://…`), or an open ledger. */
  readonly ledger: string | LedgerWriter
  /**
   * The private key that signs the ledger: PEM, or the path of a PEM file. If the ledger is new and the key file does
   * not exist, a key pair is created: the private key with mode 0600, and the public key in the same folder.
   */
  readonly privateKey?: string
  /** The passphrase of an encrypted private key. */
  readonly passphrase?: string
}

export interface CallOptions extends CallAuthority {
  /** A stable name for the action. Default: the function's name. */
  readonly action?: string
  /** Replaces the engine's policy for this call. */
  readonly policy?: Policy
  /** The cost in budget units, a non-negative integer. Default: 1. Requires an engine with a budget. */
  readonly budgetCost?: number
  /** The time limit for the approval, in milliseconds, at most 3,600,000 (1 hour). The policy's takes precedence. */
  readonly approvalTtlMs?: number
  /** Labels for the ledger, redacted like arguments. */
  readonly metadata?: Readonly<Record<string, unknown>>
  /** Cancels the wait for an approval. */
  readonly signal?: AbortSignal
  /**
   * For guarded methods: whether the own fields of `this` are part of the call. The policy, the approver and the record
   * see these fields as `kwargs.this`, and the method does not run if the fields changed after the decision. Private
   * fields are not visible. Default: false.
   */
  readonly receiver?: boolean
  /**
   * An unsigned note for approvers, at most 256 characters long. The approval request shows the note in brackets
   * after the policy's reason. The note is not recorded.
   */
  readonly remark?: string
}

/** How to handle concealed arguments; see `EngineOptions.onConcealed`. */
export type OnConcealed = 'deny' | 'ask' | 'allow'

const TIMEOUT_MS_DEFAULT = 30_000
// The maximum delay of Node's timers. A timer with a longer delay would fire immediately.
const TIMEOUT_MS_MAX = 2 ** 31 - 1

/** Validated engine options with defaults. */
export interface EngineParts {
  readonly policy: CheckedPolicy
  readonly agentId: string
  readonly ledger: LedgerWriter
  readonly approver: Approver
  readonly approvalStore: ApprovalStore
  readonly budget: BudgetStore | null
  readonly auditLog: AuditLog | null
  readonly redactor: Redactor
  readonly commitmentKey: Uint8Array | null
  readonly unicode: 'refuse' | 'normalize'
  readonly onConcealed: OnConcealed
  readonly approvalTtlMs: number
  readonly timeoutMs: number
  readonly onError: (fault: EngineFault) => void
  readonly clock: () => Date
  readonly generateId: () => string
}

/** A validated policy: its identity, and the function from which the identity was computed. */
export interface CheckedPolicy {
  readonly identity: PolicyIdentity
  readonly evaluate: Policy['evaluate']
}

/** Validated call options with the engine's defaults. */
export interface CheckedCallOptions {
  readonly action: string | null
  readonly policy: CheckedPolicy
  readonly budgetCost: number
  readonly approvalTtlMs: number
  readonly metadata: Readonly<Record<string, unknown>>
  readonly signal: AbortSignal | undefined
  readonly receiver: boolean
  /** An empty string if there is no remark. */
  readonly remark: string
  /** Returns the request id for the call. */
  readonly generateId: () => string
  /** Whether the decision is refused if the request id has one. */
  readonly once: boolean
  /** Whether the call waits for the answer to its question, and whether the answer may be a pending approval. */
  readonly wait: boolean
  readonly mayPend: boolean
  /** Asked about this call instead of the engine's approver. */
  readonly approver: Approver | null
  /** Whether the call may attach to an open question of an equal call; null if it attaches to none. */
  readonly attach: AttachCheck | null
  /** As given: it is checked when the call is made, so that a refusal is recorded. */
  readonly authority: CallAuthority
}

const ENGINE_OPTIONS: readonly (keyof EngineOptions)[] = [
  'policy',
  'agentId',
  'ledger',
  'approver',
  'approvalStore',
  'budget',
  'auditLog',
  'redaction',
  'commitmentKey',
  'unicode',
  'onConcealed',
  'approvalTtlMs',
  'timeoutMs',
  'onError',
  'clock',
  'generateId',
]
const CALL_OPTIONS: readonly (keyof CallOptions)[] = [
  'action',
  'policy',
  'budgetCost',
  'approvalTtlMs',
  'metadata',
  'signal',
  'receiver',
  'remark',
  ...AUTHORITY_OPTIONS,
]

/** @throws TypeError naming the option */
export function checkEngineOptions(options: EngineOptions): EngineParts {
  const own = readOptions('engine options', options, ENGINE_OPTIONS)
  const budget = own.budget ?? null
  const auditLog = own.auditLog ?? null
  const redactor = createRedactor(ownFields(own.redaction ?? {}))
  const ledger = requireMethods('ledger', own.ledger, ['append'])
  return {
    policy: checkPolicy(own.policy),
    agentId: requireNoSecret('agentId', requireName('agentId', own.agentId, NAME_LENGTH_MAX), redactor),
    ledger,
    approver: requireMethods('approver', own.approver ?? new InteractiveApprover(), ['approve']),
    approvalStore: requireMethods('approvalStore', own.approvalStore ?? new MemoryApprovalStore(), [
      'create',
      'resolve',
      'consume',
    ]),
    budget: budget === null ? null : requireMethods('budget', budget, ['reserve', 'commit', 'release']),
    auditLog: auditLog === null ? null : requireMethods('auditLog', auditLog, ['write']),
    redactor,
    commitmentKey: own.commitmentKey === undefined ? null : copyCommitmentKey(own.commitmentKey),
    onConcealed: requireOnConcealed(own.onConcealed ?? 'deny'),
    unicode: requireUnicode(own.unicode ?? 'refuse'),
    approvalTtlMs: requireEngineTtlMs(own.approvalTtlMs ?? APPROVAL_TTL_MS_DEFAULT, ledger),
    timeoutMs: requireInteger('timeoutMs', own.timeoutMs ?? TIMEOUT_MS_DEFAULT, 1, TIMEOUT_MS_MAX),
    onError: requireFunction('onError', own.onError ?? (() => {})),
    clock: requireFunction('clock', own.clock ?? (() => new Date())),
    generateId: requireFunction('generateId', own.generateId ?? randomUUID),
  }
}

/** @throws TypeError that names the option; RangeError for an `approvalTtlMs` above the maximum */
export function checkCallOptions(options: CallOptions, engine: EngineParts): CheckedCallOptions {
  const own = readOptions('call options', options, CALL_OPTIONS)
  const { action, policy, budgetCost, approvalTtlMs, metadata, signal, receiver, remark } = own
  if (budgetCost !== undefined && engine.budget === null)
    throw new TypeError('`budgetCost` requires an engine with a `budget`')
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw new TypeError('`signal` must be an AbortSignal')
  if (metadata !== undefined && metadata !== null && (typeof metadata !== 'object' || Array.isArray(metadata)))
    throw new TypeError('`metadata` must be an object')
  return {
    action: action === undefined ? null : requireName('action', action, NAME_LENGTH_MAX),
    policy: policy === undefined ? engine.policy : checkPolicy(policy),
    budgetCost: requireInteger('budgetCost', budgetCost ?? 1, 0),
    approvalTtlMs: approvalTtlMs === undefined ? engine.approvalTtlMs : requireApprovalTtlMs(approvalTtlMs),
    metadata: metadata ?? {},
    signal,
    receiver: requireBoolean('receiver', receiver ?? false),
    remark: requireText('remark', remark ?? '', NAME_LENGTH_MAX, true),
    generateId: engine.generateId,
    once: false,
    wait: true,
    mayPend: false,
    approver: null,
    attach: () => true,
    authority: mergeAuthority(own as CallAuthority),
  }
}

function checkPolicy(policy: Policy | undefined): CheckedPolicy {
  const { evaluate, ...identity } = identifyPolicy(policy)
  return { identity: Object.freeze(identity), evaluate: (context) => evaluate.call(policy, context) }
}

/**
 * Requires a name that does not contain a secret. Names are recorded and hashed unchanged, so a secret in a name is
 * rejected, not redacted.
 *
 * @returns the name
 * @throws TypeError, whose message does not contain the name
 */
export function requireNoSecret(option: string, name: string, redactor: Redactor): string {
  if (redactor.text(name) === name.normalize('NFC')) return name
  throw new TypeError(`\`${option}\` seems to contain a secret, and names are recorded unchanged`)
}

function requireOnConcealed(value: unknown): OnConcealed {
  if (value === 'deny' || value === 'ask' || value === 'allow') return value
  throw new TypeError('`onConcealed` must be `deny`, `ask` or `allow`')
}

function requireUnicode(value: unknown): 'refuse' | 'normalize' {
  if (value === 'refuse' || value === 'normalize') return value
  throw new TypeError('`unicode` must be `refuse` or `normalize`')
}
