/**
 * Defines budgets: the charge for a call, the limits for agents and tools, and the interface of the stores that count
 * charges.
 *
 * A budget is a sliding window log: it stores the time of every charge and adds up the charges of the last `windowMs`
 * milliseconds. The sum is exact at any time. A fixed window would allow twice the limit around a window boundary. Each
 * charge is reserved before the approval, committed before the decision is written, and released if the call will not
 * run.
 *
 *     const budget = SqliteBudget.open('budget.sqlite', { windowMs: 3_600_000, perTool: { refund: 5 } })
 *     const charge = { requestId: 'r1', agentId: 'bot', action: 'refund', cost: 3 }
 *     await budget.reserve(charge, now)                            // { allowed: true }
 *     await budget.commit('r1', now)                               // counts as of now
 *     await budget.reserve({ ...charge, requestId: 'r2' }, now)    // { allowed: false, limit: 5, used: 3, … }
 *
 * This file and `table-budget.ts` implement the rules. The memory, SQLite and PostgreSQL stores differ only in their
 * tables; the PostgreSQL store is in a separate package.
 */
import { type ErrorDetails, SudoAgentError } from '@sudoagent/crypto'
import { readFields, requireInstantMs, requireInteger, requireName, requireText } from '../check.js'

/** The maximum window: one file should not have to add up the charges of more than a year. */
export const BUDGET_WINDOW_MS_MAX = 366 * 86_400_000

/** The ledger's limits for these names. */
const REQUEST_ID_LENGTH_MAX = 128
const NAME_LENGTH_MAX = 256

/** The maximum number of names. A longer list is a data set, not a configuration. */
const LIMIT_NAMES_MAX = 1_000

const LIMIT_OPTIONS = ['windowMs', 'perAgent', 'perTool', 'perAgentDefault', 'perToolDefault', 'key'] as const

/** The cost of one guarded call. */
export interface BudgetCharge {
  readonly requestId: string
  readonly agentId: string
  /** The action, usually the name of a tool. */
  readonly action: string
  /** The cost in units, a non-negative integer. A call that costs 0 never exceeds a budget. */
  readonly cost: number
}

/**
 * The number of units that may be spent within any `windowMs` milliseconds. A number applies to each agent (tool)
 * separately; an object lists agents (tools) with their limits. All agents of the budget share the limit of a tool.
 */
export interface BudgetLimits {
  readonly windowMs: number
  readonly perAgent?: number | Readonly<Record<string, number>>
  readonly perTool?: number | Readonly<Record<string, number>>
  /**
   * The limit for each agent (tool) that `perAgent` (`perTool`) does not list. `null` means explicitly unlimited.
   * Default: unlimited, with the warning `SUDOAGENT_BUDGET_NAME` if an unlisted name makes a call while a listed name
   * has never made a call.
   */
  readonly perAgentDefault?: number | null
  readonly perToolDefault?: number | null
  /**
   * The budget's name and the ledger's `budget_key`. If budgets with different names share a file, each budget counts
   * only its own charges.
   */
  readonly key?: string
}

export type BudgetScope = 'agent' | 'tool'

export type BudgetVerdict =
  | { readonly allowed: true }
  | {
      readonly allowed: false
      readonly scope: BudgetScope
      readonly limit: number
      readonly used: number
      /** The Unix time, in milliseconds, at which the oldest charge leaves the window; absent or null if unknown. */
      readonly moreAtMs?: number | null
    }

/**
 * Counts the cost of calls in a sliding window: **reserve → commit → run**, or **release** if the call will not run.
 *
 * A reservation counts immediately. If a process dies between reserve and commit, the charge counts until it leaves the
 * window, so the budget is never exceeded. Methods throw `TypeError` for arguments of the wrong shape and reject with
 * `BudgetStoreError` for all other errors; callers must treat both as a refusal.
 */
export interface BudgetStore {
  /** The window length in milliseconds. The ledger's `window_seconds` is `windowMs` / 1000. */
  readonly windowMs: number
  readonly key: string | null
  /**
   * Atomically reserves the charge if it fits the limits. If the same charge (same request id) is already reserved, it
   * is allowed without being charged twice. A charge that was released or has expired is charged again if it fits the
   * limits. A refusal is not stored, so the same charge may fit later. Rejects with `BUDGET_CONFLICT` if the request id
   * was charged with different values.
   *
   * @param holdMs - the minimum time in milliseconds that the reservation must stay valid without a commit, because
   *   a person is asked meanwhile
   */
  reserve(charge: BudgetCharge, now: Date, holdMs?: number): Promise<BudgetVerdict>
  /**
   * Confirms a reservation, which then counts from `now`. Has no effect on a committed charge. Rejects with
   * `BUDGET_NOT_RESERVED` if the reservation does not exist, was released or has expired.
   */
  commit(requestId: string, now: Date): Promise<void>
  /**
   * Releases a charge because the call will not run. Call `release` only if it is certain that the call will not run.
   * The charge may already be committed: the decision is written after the commit, and if that write fails, the
   * function does not run. Has no effect on a released or unknown charge, because after a failed `reserve`, the caller
   * cannot know whether the charge was stored.
   */
  release(requestId: string, now: Date): Promise<void>
}

export type BudgetStoreErrorCode = 'BUDGET_NOT_RESERVED' | 'BUDGET_CONFLICT' | 'BUDGET_STORE_FAILED'

const HINTS: Readonly<Record<BudgetStoreErrorCode, string>> = {
  BUDGET_NOT_RESERVED: 'reserve the charge before you commit it',
  BUDGET_CONFLICT: 'use a new request id for each call',
  BUDGET_STORE_FAILED: 'check the store and its write permissions',
}

export class BudgetStoreError extends SudoAgentError<BudgetStoreErrorCode> {
  override readonly name = 'BudgetStoreError'

  constructor(code: BudgetStoreErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, { ...details, hint: details.hint ?? HINTS[code] })
  }
}

/** Validated limits. Each option was read only once; the limits by name are in maps. */
export interface CheckedLimits {
  readonly windowMs: number
  readonly key: string | null
  readonly perAgent: number | ReadonlyMap<string, number> | null
  readonly perTool: number | ReadonlyMap<string, number> | null
  /**
   * The limit for names that the map does not contain: a number, null (explicitly unlimited), or undefined (not
   * configured).
   */
  readonly perAgentDefault: number | null | undefined
  readonly perToolDefault: number | null | undefined
}

/** One limit that applies to a charge. */
export interface ApplicableLimit {
  readonly scope: BudgetScope
  readonly name: string
  readonly limit: number
}

/**
 * Validates budget limits.
 *
 * @throws TypeError that names the option if an option is unknown, missing or invalid; also if no limit is set, because
 * a budget that allows every call would hide a mistake
 * @example parseLimits({ windowMs: 3_600_000, perAgent: 100, perTool: { refund: 5 } })
 */
export function parseLimits(limits: BudgetLimits): CheckedLimits {
  const fields = readFields('budget limits', limits, LIMIT_OPTIONS)
  const key = fields.get('key')
  const checked: CheckedLimits = Object.freeze({
    windowMs: requireInteger('windowMs', fields.get('windowMs'), 1, BUDGET_WINDOW_MS_MAX),
    key: key === undefined ? null : requireText('key', key, NAME_LENGTH_MAX),
    perAgent: parseLimit('perAgent', fields.get('perAgent')),
    perTool: parseLimit('perTool', fields.get('perTool')),
    perAgentDefault: parseDefault('perAgentDefault', fields.get('perAgentDefault'), fields.get('perAgent')),
    perToolDefault: parseDefault('perToolDefault', fields.get('perToolDefault'), fields.get('perTool')),
  })
  if (checked.perAgent === null && checked.perTool === null)
    throw new TypeError('budget limits: `perAgent` or `perTool` is required')
  return checked
}

/** Validates a charge. @returns a frozen copy. @throws TypeError if a field is missing or invalid */
export function requireCharge(charge: BudgetCharge): BudgetCharge {
  const fields = readFields('budget charge', charge, ['requestId', 'agentId', 'action', 'cost'])
  return Object.freeze({
    requestId: requireChargeId(fields.get('requestId')),
    agentId: requireName('agentId', fields.get('agentId'), NAME_LENGTH_MAX),
    action: requireName('action', fields.get('action'), NAME_LENGTH_MAX),
    cost: requireInteger('cost', fields.get('cost'), 0),
  })
}

export function requireChargeId(requestId: unknown): string {
  return requireText('requestId', requestId, REQUEST_ID_LENGTH_MAX)
}

export function requireNowMs(now: unknown): number {
  return requireInstantMs('now', now)
}

/** Returns the limits that apply to a charge: the agent's limit, then the tool's. */
export function applicableLimits(limits: CheckedLimits, charge: BudgetCharge): readonly ApplicableLimit[] {
  const found: ApplicableLimit[] = []
  const agent = limitOf(limits.perAgent, charge.agentId) ?? limits.perAgentDefault ?? undefined
  const tool = limitOf(limits.perTool, charge.action) ?? limits.perToolDefault ?? undefined
  if (agent !== undefined) found.push({ scope: 'agent', name: charge.agentId, limit: agent })
  if (tool !== undefined) found.push({ scope: 'tool', name: charge.action, limit: tool })
  return found
}

/**
 * Decides whether a charge fits, given the used units of each limit. The comparison uses a subtraction, because `used +
 * cost` can exceed the integers that a double represents exactly.
 */
export function judge(
  cost: number,
  limits: readonly ApplicableLimit[],
  usedBy: (limit: ApplicableLimit) => number,
  moreAtMs: (limit: ApplicableLimit) => number | null = () => null,
): BudgetVerdict {
  for (const applicable of limits) {
    const used = usedBy(applicable)
    const { scope, limit } = applicable
    if (cost > 0 && cost > limit - used)
      return Object.freeze({ allowed: false, scope, limit, used, moreAtMs: moreAtMs(applicable) })
  }
  return Object.freeze({ allowed: true })
}

/** Adds two numbers, saturating at the largest exact integer. A larger sum would also exceed the limit. */
export function addSaturating(a: number, b: number): number {
  return Math.min(a + b, Number.MAX_SAFE_INTEGER)
}

/**
 * Whether a charge made at `chargedAtMs` counts. A charge with a future time counts, so that setting the clock back
 * does not free units.
 */
export function inWindow(chargedAtMs: number, nowMs: number, windowMs: number): boolean {
  return chargedAtMs > nowMs - windowMs
}

/**
 * Returns the time for a new charge: `nowMs`, or the time of the latest charge if that is later. Charges made while the
 * clock lags therefore do not expire early when the clock is corrected. The result is at most one window ahead
 * of `nowMs`, because one charge with a wrong date must not block the budget for years. If the clock lagged by two
 * windows or more, its correction therefore looks like elapsed time.
 */
export function bookingTimeMs(nowMs: number, latestMs: number | null, windowMs: number): number {
  return Math.min(Math.max(nowMs, latestMs ?? nowMs), nowMs + windowMs)
}

/** Returns the limits by name; null if one number applies to all names or there is no limit. */
export function limitsByName(limit: number | ReadonlyMap<string, number> | null): ReadonlyMap<string, number> | null {
  return typeof limit === 'number' ? null : limit
}

function parseDefault(option: string, value: unknown, named: unknown): number | null | undefined {
  if (value === undefined || value === null) return value
  if (typeof named !== 'object')
    throw new TypeError(
      `\`${option}\` applies only to names that are not listed in an object; a number applies to all names`,
    )
  return requireInteger(option, value, 0)
}

function limitOf(limit: number | ReadonlyMap<string, number> | null, name: string): number | undefined {
  return typeof limit === 'number' ? limit : limit?.get(name)
}

function parseLimit(option: string, value: unknown): number | ReadonlyMap<string, number> | null {
  if (value === undefined) return null
  if (typeof value === 'number') return requireInteger(option, value, 0)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`\`${option}\` must be a non-negative integer, or an object with such a limit for each name`)
  }
  const limits = new Map<string, number>()
  for (const [name, limit] of Object.entries(value)) {
    const spelled = requireName(`${option} name`, name, NAME_LENGTH_MAX)
    if (limits.has(spelled)) throw new TypeError(`\`${option}\` has two names that are equal in Unicode NFC`)
    limits.set(spelled, requireInteger(`${option}.${name}`, limit, 0))
  }
  if (limits.size === 0 || limits.size > LIMIT_NAMES_MAX)
    throw new TypeError(`\`${option}\` must list 1 to ${LIMIT_NAMES_MAX} limits`)
  return limits
}
