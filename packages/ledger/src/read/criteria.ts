// The criteria of a query, and the parser for criteria that a user typed.
import { isTimestamp } from '../entry/timestamp.js'
import { LedgerError } from '../error.js'

/**
 * The criteria of a query. An entry must match all of them. If both `effect` and `outcome` are given, they apply to
 * the call, and both entries of each matching call are found (`call-query.ts`).
 */
export interface Criteria {
  readonly requestId?: string
  readonly action?: string
  readonly agentId?: string
  /** The id of the subject, the tenant and the session of a decision's authority. */
  readonly onBehalfOf?: string
  readonly tenant?: string
  readonly session?: string
  readonly event?: string
  /** `allow` or `deny`: the effect of the decision, or of the call's decision if the query is for outcomes. */
  readonly effect?: string
  readonly reasonCode?: string
  /** `success` or `error`: the status of the outcome, or of the call's outcome if the query is for decisions. */
  readonly outcome?: string
  /** The request id is the same in the decision and the outcome. */
  readonly decisionHash?: string
  /**
   * Start and end of the time range, inclusive, as ledger timestamps. The range applies to `recorded_at`, which never
   * goes back, and to `created_at` in entries without `recorded_at`.
   */
  readonly start?: string
  readonly end?: string
  /** Text to find in any value or key of the entry, case-insensitive. */
  readonly text?: string
  readonly limit?: number
}

/** The criteria as text, as a user types them. */
export type CriteriaInput = { readonly [name in keyof Criteria]?: string }

export interface SelectOptions {
  /** Maximum number of threads. Default: the number of cores. */
  readonly threads?: number | undefined
  /** Called periodically with the number of lines read. */
  readonly onProgress?: (lines: number) => void
  /** Called with the position of each unreadable line that may match. */
  readonly onUnreadable?: (position: number) => void
}

const EVENTS = ['decision', 'outcome', 'checkpoint']
const EFFECTS = ['allow', 'deny']
const OUTCOMES = ['success', 'error']

/**
 * Parses criteria that a user typed. Timestamps are dates (`2026-11-22`, the whole day) or RFC 3339 in UTC
 * (`2026-11-22T20:18:29Z`).
 *
 * @throws LedgerError QUERY_INVALID, which names the criterion, for an invalid timestamp, `start` after `end`,
 * an unknown event, effect or outcome, a limit that is not a positive integer, or an empty value
 */
export function parseCriteria(input: CriteriaInput): Criteria {
  for (const [criterion, value] of Object.entries(input)) {
    if (value === '') throw invalid(criterion, value, 'is empty')
  }
  oneOf('event', input.event, EVENTS)
  oneOf('effect', input.effect, EFFECTS)
  oneOf('outcome', input.outcome, OUTCOMES)
  const { limit, start: startText, end: endText, ...rest } = input
  const start = startText === undefined ? undefined : moment('start', startText, '000000')
  const end = endText === undefined ? undefined : moment('end', endText, '999999')
  if (start !== undefined && end !== undefined && start > end)
    throw invalid('start', startText, `is after end \`${endText}\``)
  if (limit !== undefined && !/^[1-9]\d{0,14}$/.test(limit))
    throw invalid('limit', limit, 'is not a positive whole number')
  return {
    ...rest,
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
    ...(limit === undefined ? {} : { limit: Number(limit) }),
  }
}

function invalid(criterion: string, value: string | undefined, problem: string, hint?: string): LedgerError {
  return new LedgerError('QUERY_INVALID', `${criterion} \`${value}\` ${problem}`, hint === undefined ? {} : { hint })
}

function oneOf(criterion: string, value: string | undefined, values: readonly string[]): void {
  if (value === undefined || values.includes(value)) return
  throw invalid(criterion, value, 'is not known', `one of ${values.join(', ')}`)
}

/** Completes a partial timestamp with the earliest possible time for `start`, and with the latest for `end`. */
function moment(criterion: 'start' | 'end', text: string, fill: string): string {
  const parts = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z)?$/.exec(text)
  const [, day, time = fill === '000000' ? '00:00:00' : '23:59:59', fraction = ''] = parts ?? []
  const whole = `${day}T${time}.${fraction}${fill.slice(fraction.length)}Z`
  if (isTimestamp(whole)) return whole
  throw invalid(criterion, text, 'is not a date or UTC time', 'write it as 2026-11-22 or 2026-11-22T20:18:29Z')
}
