import { readFields, requireInstantMs, requireInteger, requireName, requireText } from '../check.js'

/** A window is a rate limit's, not an archive's: charges of a year are as many as one file should be asked to add up. */
export const BUDGET_WINDOW_MS_MAX = 366 * 86_400_000

/** The same bounds as in the ledger, whose entries name the same things. */
const REQUEST_ID_CHARACTERS_MAX = 128
const NAME_CHARACTERS_MAX = 256

/** More names than this are a data set, not a configuration. */
const LIMIT_NAMES_MAX = 1_000

const LIMIT_OPTIONS = ['windowMs', 'perAgent', 'perTool', 'perAgentDefault', 'perToolDefault', 'key'] as const

/** What one guarded call costs. */
export interface BudgetCharge {
  readonly requestId: string
  readonly agentId: string
  /** The tool. */
  readonly action: string
  /** Units, an integer from 0 up. A call that costs nothing is never refused. */
  readonly cost: number
}

/**
 * How much may be spent in any stretch of `windowMs` milliseconds. A number holds for each agent (tool) by itself; an
 * object names those that have a limit, and the others have none. A tool's limit is shared by all agents of the budget.
 */
export interface BudgetLimits {
  readonly windowMs: number
  readonly perAgent?: number | Readonly<Record<string, number>>
  readonly perTool?: number | Readonly<Record<string, number>>
  /**
   * The limit of each agent (tool) that `perAgent` (`perTool`) does not name. `null`: it has none, and that is meant.
   * Default: none, with a warning (`SUDOAGENT_BUDGET_NAME`) when a call comes from one while a name that is listed was never heard of.
   */
  readonly perAgentDefault?: number | null
  readonly perToolDefault?: number | null
  /** The budget's name, as the ledger's `budget_key`; in a shared file, budgets with different names do not see each other's charges. */
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
      /** When the oldest charge leaves the window, in milliseconds since 1970; absent or null when that is not known. */
      readonly moreAtMs?: number | null
    }

/**
 * Counts what calls cost in a sliding window: **reserve → commit → run**, and **release** when the call will not run.
 *
 * A reservation counts from the start, so a process that dies between reserve and commit has spent its unit until the
 * window has passed: the safe side. Methods throw `TypeError` for arguments of the wrong shape and reject with
 * `BudgetStoreError` for everything else; whoever calls treats both as "no".
 */
export interface BudgetStore {
  /** Milliseconds; the ledger's `window_seconds` is this / 1000. */
  readonly windowMs: number
  readonly key: string | null
  /**
   * Takes the charge if it fits, in one step. The same charge again (same request id) gets the same yes without being
   * charged twice; one that was released, or has lapsed, is charged anew under the limits. A refusal is not kept, the
   * same charge may fit later. Rejects with `BUDGET_CONFLICT` when the request id was charged otherwise.
   *
   * @param holdMs - how long the reservation should hold without being committed, at least: a person is asked meanwhile
   */
  reserve(charge: BudgetCharge, now: Date, holdMs?: number): Promise<BudgetVerdict>
  /**
   * Confirms a reservation; from now on it counts as of `now`. Again does nothing. Rejects with `BUDGET_NOT_RESERVED`
   * when there is none, or it was released or has lapsed.
   */
  commit(requestId: string, now: Date): Promise<void>
  /**
   * Gives a charge back, committed or not, because the call will never run: the decision is written after the commit,
   * and when that fails the function does not run. Call it only while that is certain. Again, or for a request id that
   * was never charged, it does nothing: a caller whose reserve failed half-way cannot know.
   */
  release(requestId: string, now: Date): Promise<void>
}

export type BudgetStoreErrorCode = 'BUDGET_NOT_RESERVED' | 'BUDGET_CONFLICT' | 'BUDGET_STORE_FAILED'

export class BudgetStoreError extends Error {
  override readonly name = 'BudgetStoreError'
  readonly code: BudgetStoreErrorCode

  constructor(code: BudgetStoreErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** Limits after the check: read once, owned by nobody else, foreign names in maps. */
export interface CheckedLimits {
  readonly windowMs: number
  readonly key: string | null
  readonly perAgent: number | ReadonlyMap<string, number> | null
  readonly perTool: number | ReadonlyMap<string, number> | null
  /** Of names that a map does not have: a limit, null (none, meant so), or undefined (none was said). */
  readonly perAgentDefault: number | null | undefined
  readonly perToolDefault: number | null | undefined
}

/** One limit that a charge has to keep. */
export interface ApplicableLimit {
  readonly scope: BudgetScope
  readonly name: string
  readonly limit: number
}

/**
 * @throws TypeError naming the option, when one is unknown, missing or of the wrong shape, or when nothing would be limited:
 *   a budget that allows everything is a mistake that would never show
 * @example parseLimits({ windowMs: 3_600_000, perAgent: 100, perTool: { refund: 5 } })
 */
export function parseLimits(limits: BudgetLimits): CheckedLimits {
  const fields = readFields('budget limits', limits, LIMIT_OPTIONS)
  const key = fields.get('key')
  const checked: CheckedLimits = Object.freeze({
    windowMs: requireInteger('windowMs', fields.get('windowMs'), 1, BUDGET_WINDOW_MS_MAX),
    key: key === undefined ? null : requireText('key', key, NAME_CHARACTERS_MAX),
    perAgent: parseLimit('perAgent', fields.get('perAgent')),
    perTool: parseLimit('perTool', fields.get('perTool')),
    perAgentDefault: parseDefault('perAgentDefault', fields.get('perAgentDefault'), fields.get('perAgent')),
    perToolDefault: parseDefault('perToolDefault', fields.get('perToolDefault'), fields.get('perTool')),
  })
  if (checked.perAgent === null && checked.perTool === null)
    throw new TypeError('budget limits: `perAgent` or `perTool` is needed')
  return checked
}

/** @returns a frozen copy. @throws TypeError when a field is missing or of the wrong shape */
export function requireCharge(charge: BudgetCharge): BudgetCharge {
  const fields = readFields('budget charge', charge, ['requestId', 'agentId', 'action', 'cost'])
  return Object.freeze({
    requestId: requireChargeId(fields.get('requestId')),
    agentId: requireName('agentId', fields.get('agentId'), NAME_CHARACTERS_MAX),
    action: requireName('action', fields.get('action'), NAME_CHARACTERS_MAX),
    cost: requireInteger('cost', fields.get('cost'), 0),
  })
}

export function requireChargeId(requestId: unknown): string {
  return requireText('requestId', requestId, REQUEST_ID_CHARACTERS_MAX)
}

export function requireNowMs(now: unknown): number {
  return requireInstantMs('now', now)
}

/** The limits that a charge has to keep, the agent's first. */
export function applicableLimits(limits: CheckedLimits, charge: BudgetCharge): readonly ApplicableLimit[] {
  const found: ApplicableLimit[] = []
  const agent = limitOf(limits.perAgent, charge.agentId) ?? limits.perAgentDefault ?? undefined
  const tool = limitOf(limits.perTool, charge.action) ?? limits.perToolDefault ?? undefined
  if (agent !== undefined) found.push({ scope: 'agent', name: charge.agentId, limit: agent })
  if (tool !== undefined) found.push({ scope: 'tool', name: charge.action, limit: tool })
  return found
}

/**
 * Whether a charge fits, given what `usedBy` says has been used of each limit. Written as a subtraction, because
 * `used + cost` can leave the range in which integers are exact, and would then compare wrongly.
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

/** Adds without leaving the range of exact integers: beyond it, "very much" is as good as any number, and is refused alike. */
export function addSaturating(a: number, b: number): number {
  return Math.min(a + b, Number.MAX_SAFE_INTEGER)
}

/** Whether a charge taken at `chargedAtMs` still counts. One in the future does: turning the clock back frees nothing. */
export function inWindow(chargedAtMs: number, nowMs: number, windowMs: number): boolean {
  return chargedAtMs > nowMs - windowMs
}

/**
 * The time under which a charge is booked: now, but never before the latest one, so that charges made while the clock is
 * behind do not fall out of the window the moment it is put right. At most a window ahead, because one charge with a mad
 * date must not lock the budget for years; so a clock that was behind by two windows and more looks like time passing.
 */
export function bookingTimeMs(nowMs: number, latestMs: number | null, windowMs: number): number {
  return Math.min(Math.max(nowMs, latestMs ?? nowMs), nowMs + windowMs)
}

/** The limits by name; null where one number holds for all names, or nothing does. */
export function limitsByName(limit: number | ReadonlyMap<string, number> | null): ReadonlyMap<string, number> | null {
  return typeof limit === 'number' ? null : limit
}

function parseDefault(option: string, value: unknown, named: unknown): number | null | undefined {
  if (value === undefined || value === null) return value
  if (typeof named !== 'object')
    throw new TypeError(`\`${option}\` is for names that an object does not list; a number holds for all`)
  return requireInteger(option, value, 0)
}

function limitOf(limit: number | ReadonlyMap<string, number> | null, name: string): number | undefined {
  return typeof limit === 'number' ? limit : limit?.get(name)
}

function parseLimit(option: string, value: unknown): number | ReadonlyMap<string, number> | null {
  if (value === undefined) return null
  if (typeof value === 'number') return requireInteger(option, value, 0)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`\`${option}\` must be an integer from 0 or an object of them by name`)
  }
  const limits = new Map<string, number>()
  for (const [name, limit] of Object.entries(value)) {
    const spelled = requireName(`${option} name`, name, NAME_CHARACTERS_MAX)
    if (limits.has(spelled)) throw new TypeError(`\`${option}\` has two names that are equal in Unicode NFC`)
    limits.set(spelled, requireInteger(`${option}.${name}`, limit, 0))
  }
  if (limits.size === 0 || limits.size > LIMIT_NAMES_MAX)
    throw new TypeError(`\`${option}\` must name from 1 to ${LIMIT_NAMES_MAX} limits`)
  return limits
}
