/**
 * Budgets: the charge of a call, the limits for agents and tools, and the interface of the stores that count
 * charges.
 *
 * A budget is a sliding window log: it keeps the time of every charge and adds up those of the last `windowMs`
 * milliseconds. The sum is exact at any time; a window with fixed borders would allow twice the limit around a
 * border. Each charge is reserved before the approval, committed before the decision is written, and released if
 * the call will not run.
 *
 *     const budget = SqliteBudget.open('budget.sqlite', { windowMs: 3_600_000, perTool: { refund: 5 } })
 *     const charge = { requestId: 'r1', agentId: 'bot', action: 'refund', cost: 3 }
 *     await budget.reserve(charge, now)                            // { allowed: true }
 *     await budget.commit('r1', now)                               // counts as of now
 *     await budget.reserve({ ...charge, requestId: 'r2' }, now)    // { allowed: false, limit: 5, used: 3, … }
 *
 * The rules are in this file and in `table-budget.ts`; stores differ only in their tables (memory, SQLite, and
 * PostgreSQL in another package).
 */
import { type ErrorDetails, SudoAgentError } from '@sudoagent/crypto'
import { readFields, requireInstantMs, requireInteger, requireName, requireText } from '../check.js'

/** The maximum window: a year of charges is as much as one file should be asked to add up. */
export const BUDGET_WINDOW_MS_MAX = 366 * 86_400_000

/** The ledger's limits for the same names. */
const REQUEST_ID_LENGTH_MAX = 128
const NAME_LENGTH_MAX = 256

/** More names than this are a data set, not a configuration. */
const LIMIT_NAMES_MAX = 1_000

const LIMIT_OPTIONS = ['windowMs', 'perAgent', 'perTool', 'perAgentDefault', 'perToolDefault', 'key'] as const

/** The cost of one guarded call. */
export interface BudgetCharge {
  readonly requestId: string
  readonly agentId: string
  /** The tool. */
  readonly action: string
  /** Units, a non-negative integer. A call that costs 0 is never refused. */
  readonly cost: number
}

/**
 * The units that may be spent within any `windowMs` milliseconds. A number applies to each agent (tool) separately;
 * an object lists agents (tools) with their limits. A tool's limit is shared by all agents of the budget.
 */
export interface BudgetLimits {
  readonly windowMs: number
  readonly perAgent?: number | Readonly<Record<string, number>>
  readonly perTool?: number | Readonly<Record<string, number>>
  /**
   * The limit of each agent (tool) that `perAgent` (`perTool`) does not list. `null`: explicitly unlimited.
   * Default: unlimited, with the warning `SUDOAGENT_BUDGET_NAME` when an unlisted name makes a call while a listed
   * name has never made one.
   */
  readonly perAgentDefault?: number | null
  readonly perToolDefault?: number | null
  /**
   * The budget's name and the ledger's `budget_key`. Budgets with different names in a shared file do not count
   * each other's charges.
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
      /** When the oldest charge leaves the window, in milliseconds since 1970; absent or null when unknown. */
      readonly moreAtMs?: number | null
    }

/**
 * Counts the cost of calls in a sliding window: **reserve → commit → run**, and **release** when the call will not
 * run.
 *
 * A reservation counts from the start. If a process dies between reserve and commit, its charge counts until the
 * window has passed, so the budget is never exceeded. Methods throw `TypeError` for arguments of the wrong shape
 * and reject with `BudgetStoreError` for all other errors; callers must treat both as a refusal.
 */
export interface BudgetStore {
  /** Milliseconds. The ledger's `window_seconds` is `windowMs` / 1000. */
  readonly windowMs: number
  readonly key: string | null
  /**
   * Reserves the charge if it fits, atomically. The same charge again (same request id) is allowed without being
   * charged twice; a charge that was released or has lapsed is charged again under the limits. A refusal is not
   * stored, so the same charge may fit later. Rejects with `BUDGET_CONFLICT` when the request id was charged with
   * different values.
   *
   * @param holdMs - the minimum time in milliseconds that the reservation must stay valid without a commit, because
   *   a person is asked meanwhile
   */
  reserve(charge: BudgetCharge, now: Date, holdMs?: number): Promise<BudgetVerdict>
  /**
   * Confirms a reservation, which then counts as of `now`. Has no effect on a committed charge. Rejects with
   * `BUDGET_NOT_RESERVED` when there is no reservation, or it was released or has lapsed.
   */
  commit(requestId: string, now: Date): Promise<void>
  /**
   * Releases a charge, committed or not, because the call will not run: the decision is written after the commit,
   * and when that write fails the function does not run. Call it only while that is certain. It has no effect on a
   * released or unknown charge, because a caller whose reserve failed cannot know whether it was stored.
   */
  release(requestId: string, now: Date): Promise<void>
}

export type BudgetStoreErrorCode = 'BUDGET_NOT_RESERVED' | 'BUDGET_CONFLICT' | 'BUDGET_STORE_FAILED'

const HINTS: Readonly<Record<BudgetStoreErrorCode, string>> = {
  BUDGET_NOT_RESERVED: 'reserve the charge first',
  BUDGET_CONFLICT: 'use a new request id for each call',
  BUDGET_STORE_FAILED: 'check the store and its write permissions',
}

export class BudgetStoreError extends SudoAgentError<BudgetStoreErrorCode> {
  override readonly name = 'BudgetStoreError'

  constructor(code: BudgetStoreErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, { ...details, hint: details.hint ?? HINTS[code] })
  }
}

/** Limits after validation: each option was read once, and the limits by name are in maps. */
export interface CheckedLimits {
  readonly windowMs: number
  readonly key: string | null
  readonly perAgent: number | ReadonlyMap<string, number> | null
  readonly perTool: number | ReadonlyMap<string, number> | null
  /**
   * The limit of names that a map does not contain: a number, null (explicitly unlimited), or undefined (not
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
 * Validates the limits of a budget.
 *
 * @throws TypeError naming the option when one is unknown, missing or of the wrong shape, or when no limit is set:
 *   a budget that allows every call would be a hidden mistake
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
    throw new TypeError('budget limits: `perAgent` or `perTool` is needed')
  return checked
}

/** Validates a charge. @returns a frozen copy. @throws TypeError when a field is missing or of the wrong shape */
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

/** The limits that apply to a charge, the agent's first. */
export function applicableLimits(limits: CheckedLimits, charge: BudgetCharge): readonly ApplicableLimit[] {
  const found: ApplicableLimit[] = []
  const agent = limitOf(limits.perAgent, charge.agentId) ?? limits.perAgentDefault ?? undefined
  const tool = limitOf(limits.perTool, charge.action) ?? limits.perToolDefault ?? undefined
  if (agent !== undefined) found.push({ scope: 'agent', name: charge.agentId, limit: agent })
  if (tool !== undefined) found.push({ scope: 'tool', name: charge.action, limit: tool })
  return found
}

/**
 * Decides whether a charge fits, given the used units of each limit. The comparison is a subtraction, because `used
 * + cost` can exceed the integers that a double represents exactly.
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

/** Adds up to the largest exact integer. A larger sum would be refused in the same way. */
export function addSaturating(a: number, b: number): number {
  return Math.min(a + b, Number.MAX_SAFE_INTEGER)
}

/**
 * Whether a charge taken at `chargedAtMs` counts. A charge in the future does, so that turning the clock back frees
 * no units.
 */
export function inWindow(chargedAtMs: number, nowMs: number, windowMs: number): boolean {
  return chargedAtMs > nowMs - windowMs
}

/**
 * The time of a new charge: `nowMs`, but not before the latest charge, so that charges made while the clock is slow
 * do not leave the window when the clock is corrected. At most one window ahead, because one charge with a wrong
 * date must not block the budget for years; a clock that was slow by two windows or more therefore looks like
 * passing time.
 */
export function bookingTimeMs(nowMs: number, latestMs: number | null, windowMs: number): number {
  return Math.min(Math.max(nowMs, latestMs ?? nowMs), nowMs + windowMs)
}

/** The limits by name; null when one number applies to all names or there is no limit. */
export function limitsByName(limit: number | ReadonlyMap<string, number> | null): ReadonlyMap<string, number> | null {
  return typeof limit === 'number' ? null : limit
}

function parseDefault(option: string, value: unknown, named: unknown): number | null | undefined {
  if (value === undefined || value === null) return value
  if (typeof named !== 'object')
    throw new TypeError(`\`${option}\` is for names that an object does not list; a number applies to all names`)
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
    throw new TypeError(`\`${option}\` must name from 1 to ${LIMIT_NAMES_MAX} limits`)
  return limits
}
