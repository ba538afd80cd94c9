// What callers may configure, checked once at the edge: a misspelt name or a wrong type is a TypeError, never a default.
import { randomUUID } from 'node:crypto'
import { type LedgerWriter, NAME_LENGTH_MAX } from '@sudoagent/ledger'
import { ownFields } from '@sudoagent/ledger/store'
import {
  APPROVAL_TTL_MS_DEFAULT,
  type ApprovalStore,
  type Approver,
  requireApprovalTtlMs,
} from './approval/approval.js'
import { InteractiveApprover } from './approval/interactive.js'
import { MemoryApprovalStore } from './approval/memory-store.js'
import type { AuditLog } from './audit-log.js'
import type { BudgetStore } from './budget/budget.js'
import { memberOf, readOptions, requireInteger, requireName, requireText } from './check.js'
import { identifyPolicy, type Policy, type PolicyIdentity } from './policy/policy.js'
import { createRedactor, type RedactionOptions, type Redactor } from './redaction/redactor.js'

/**
 * Something that the caller cannot do anything about: an outcome could not be recorded, a charge not given back; or
 * (`decision`) the ledger takes no decision of this writer any more, so that every call fails until somebody looks.
 */
export interface EngineFault {
  readonly stage: 'decision' | 'outcome' | 'audit' | 'budget'
  readonly requestId: string
  readonly error: unknown
}

export interface EngineOptions {
  readonly policy: Policy
  /** Who acts: a stable name, in every decision. */
  readonly agentId: string
  readonly ledger: LedgerWriter
  /** Asked when the policy says `require_approval`. Unless given: the person at the terminal; without a terminal the call is denied. */
  readonly approver?: Approver
  /** Where open approvals stand. Unless given: in memory. */
  readonly approvalStore?: ApprovalStore
  readonly budget?: BudgetStore
  readonly auditLog?: AuditLog
  /** Adds key names and patterns to the built-in ones. */
  readonly redaction?: RedactionOptions
  /**
   * Arguments that are not in Unicode normalisation form C, at any depth, in names and in text. Default: `refuse`, the call
   * is denied with `PARAMETERS_INVALID`. `normalize`: policy, approver, record and function all get the NFC copy.
   */
  readonly unicode?: 'refuse' | 'normalize'
  /**
   * What becomes of a call of which something is not shown that nobody declared a secret, when the policy did not read
   * `context.concealed` or wants an approval: `deny` (the default; `ARGUMENTS_CONCEALED`), `ask` the approver, who is told
   * how many characters are not shown, or `allow` what the policy said.
   */
  readonly onConcealed?: OnConcealed
  /** How long an approval may take unless the call says otherwise, in milliseconds: 5 minutes, at most 1 hour. */
  readonly approvalTtlMs?: number
  /** How long the policy, a store, the ledger or the audit log may take for one answer, in milliseconds: 30,000. */
  readonly timeoutMs?: number
  /** Told of faults that the caller is not told of. What it throws is ignored. */
  readonly onError?: (fault: EngineFault) => void
  readonly clock?: () => Date
  /** A UUIDv4 for each call. */
  readonly generateId?: () => string
}

/** Options of `SudoEngine.open`: the ledger may be named by its place. */
export interface OpenOptions extends Omit<EngineOptions, 'ledger'> {
  /** A path (`ledger.sqlite`, `ledger.jsonl`), a URL (`postgres://…`), or a ledger that is open. */
  readonly ledger: string | LedgerWriter
  /**
   * Signs the ledger: PEM, or the path of a PEM file. A file that does not exist is made for a new ledger (mode 0600), with
   * its public key next to it.
   */
  readonly privateKey?: string
  /** Of an encrypted private key. */
  readonly passphrase?: string
}

export interface CallOptions {
  /** Stable name of what is done; the function's name unless given. */
  readonly action?: string
  /** Instead of the engine's policy. */
  readonly policy?: Policy
  /** Units of the budget, an integer from 0 up; 1 unless given. Needs an engine with a budget. */
  readonly budgetCost?: number
  /** How long an approver has, in milliseconds; at most 1 hour. */
  readonly approvalTtlMs?: number
  /** Labels for the ledger; redacted like arguments. */
  readonly metadata?: Readonly<Record<string, unknown>>
  /** Ends the wait for an approval. */
  readonly signal?: AbortSignal
  /**
   * For guarded methods: the own fields of `this` are part of the call. The policy, the approver and the record see them
   * as `kwargs.this`, and the method does not run when they have changed since. Private fields are not seen. Default: false.
   */
  readonly receiver?: boolean
  /**
   * For approvers: what they should know and do not sign, of at most 256 characters. It stands in brackets behind the
   * policy's reason in the approval request; it is not on record.
   */
  readonly remark?: string
}

/** What becomes of calls whose arguments are not all shown; see `EngineOptions.onConcealed`. */
export type OnConcealed = 'deny' | 'ask' | 'allow'

const TIMEOUT_MS_DEFAULT = 30_000
// Node's timers hold 31 bits; a longer wait would fire at once.
const TIMEOUT_MS_MAX = 2 ** 31 - 1

/** Engine options, checked and completed. */
export interface EngineParts {
  readonly policy: CheckedPolicy
  readonly agentId: string
  readonly ledger: LedgerWriter
  readonly approver: Approver
  readonly approvalStore: ApprovalStore
  readonly budget: BudgetStore | null
  readonly auditLog: AuditLog | null
  readonly redactor: Redactor
  readonly unicode: 'refuse' | 'normalize'
  readonly onConcealed: OnConcealed
  readonly approvalTtlMs: number
  readonly timeoutMs: number
  readonly onError: (fault: EngineFault) => void
  readonly clock: () => Date
  readonly generateId: () => string
}

/** A policy as it was when it was given: its identity and the very function that the identity speaks of. */
export interface CheckedPolicy {
  readonly identity: PolicyIdentity
  readonly evaluate: Policy['evaluate']
}

/** Call options, checked and completed with the engine's. */
export interface CheckedCallOptions {
  readonly action: string | null
  readonly policy: CheckedPolicy
  readonly budgetCost: number
  readonly approvalTtlMs: number
  readonly metadata: Readonly<Record<string, unknown>>
  readonly signal: AbortSignal | undefined
  readonly receiver: boolean
  /** Empty for none. */
  readonly remark: string
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
]

/** @throws TypeError naming the option */
export function checkEngineOptions(options: EngineOptions): EngineParts {
  const own = readOptions('engine options', options, ENGINE_OPTIONS)
  const budget = own.budget ?? null
  const auditLog = own.auditLog ?? null
  const redactor = createRedactor(ownFields(own.redaction ?? {}))
  return {
    policy: checkPolicy(own.policy),
    agentId: requireNoSecret('agentId', requireName('agentId', own.agentId, NAME_LENGTH_MAX), redactor),
    ledger: requireMethods('ledger', own.ledger, ['append']),
    approver: requireMethods('approver', own.approver ?? new InteractiveApprover(), ['approve']),
    approvalStore: requireMethods('approvalStore', own.approvalStore ?? new MemoryApprovalStore(), [
      'create',
      'resolve',
      'consume',
    ]),
    budget: budget === null ? null : requireMethods('budget', budget, ['reserve', 'commit', 'release']),
    auditLog: auditLog === null ? null : requireMethods('auditLog', auditLog, ['write']),
    redactor,
    onConcealed: requireOnConcealed(own.onConcealed ?? 'deny'),
    unicode: requireUnicode(own.unicode ?? 'refuse'),
    approvalTtlMs: requireApprovalTtlMs(own.approvalTtlMs ?? APPROVAL_TTL_MS_DEFAULT),
    timeoutMs: requireInteger('timeoutMs', own.timeoutMs ?? TIMEOUT_MS_DEFAULT, 1, TIMEOUT_MS_MAX),
    onError: requireFunction('onError', own.onError ?? (() => {})),
    clock: requireFunction('clock', own.clock ?? (() => new Date())),
    generateId: requireFunction('generateId', own.generateId ?? randomUUID),
  }
}

/** @throws TypeError naming the option; RangeError for an `approvalTtlMs` above the cap */
export function checkCallOptions(options: CallOptions, engine: EngineParts): CheckedCallOptions {
  const { action, policy, budgetCost, approvalTtlMs, metadata, signal, receiver, remark } = readOptions(
    'call options',
    options,
    CALL_OPTIONS,
  )
  if (budgetCost !== undefined && engine.budget === null)
    throw new TypeError('`budgetCost` needs an engine with a `budget`')
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw new TypeError('`signal` must be an AbortSignal')
  if (metadata !== undefined && metadata !== null && (typeof metadata !== 'object' || Array.isArray(metadata)))
    throw new TypeError('`metadata` must be an object')
  return {
    action: action === undefined ? null : requireName('action', action, NAME_LENGTH_MAX),
    policy: policy === undefined ? engine.policy : checkPolicy(policy),
    budgetCost: requireInteger('budgetCost', budgetCost ?? 1, 0),
    approvalTtlMs: requireApprovalTtlMs(approvalTtlMs ?? engine.approvalTtlMs),
    metadata: metadata ?? {},
    signal,
    receiver: requireBoolean('receiver', receiver ?? false),
    remark: requireText('remark', remark ?? '', NAME_LENGTH_MAX, true),
  }
}

function checkPolicy(policy: Policy | undefined): CheckedPolicy {
  const { evaluate, ...identity } = identifyPolicy(policy)
  return { identity: Object.freeze(identity), evaluate: (context) => evaluate.call(policy, context) }
}

/**
 * Names are recorded as they are, and hashed, so that a secret in one is refused, never redacted.
 *
 * @returns the name. @throws TypeError, which does not repeat it
 */
export function requireNoSecret(option: string, name: string, redactor: Redactor): string {
  if (redactor.text(name) === name.normalize('NFC')) return name
  throw new TypeError(`\`${option}\` holds what looks like a secret, and names are recorded as they are`)
}

function requireOnConcealed(value: unknown): OnConcealed {
  if (value === 'deny' || value === 'ask' || value === 'allow') return value
  throw new TypeError('`onConcealed` must be `deny`, `ask` or `allow`')
}

function requireMethods<T extends object>(name: string, value: T | undefined, methods: readonly string[]): T {
  if (typeof value !== 'object' || value === null) throw new TypeError(`\`${name}\` is needed`)
  const missing = methods.find((method) => typeof memberOf(value, method) !== 'function')
  if (missing !== undefined) throw new TypeError(`\`${name}\` must have a method \`${missing}\``)
  return value
}

function requireBoolean(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw new TypeError(`\`${name}\` must be true or false`)
  return value
}

function requireUnicode(value: unknown): 'refuse' | 'normalize' {
  if (value === 'refuse' || value === 'normalize') return value
  throw new TypeError('`unicode` must be `refuse` or `normalize`')
}

function requireFunction<T>(name: string, value: T): T {
  if (typeof value !== 'function') throw new TypeError(`\`${name}\` must be a function`)
  return value
}
