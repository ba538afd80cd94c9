// What entries are asked for.
import { isTimestamp } from '../entry/timestamp.js'
import { LedgerError } from '../error.js'

/**
 * What an entry must be; every criterion that is given must fit. Criteria on the decision and on the outcome together are about the call
 * (`call-query`): with `effect` and `outcome`, both entries of each such call are found.
 */
export interface Criteria {
  readonly requestId?: string
  readonly action?: string
  readonly agentId?: string
  readonly event?: string
  /** `allow` or `deny`: of the decision; of its call where the outcome is asked for. */
  readonly effect?: string
  readonly reasonCode?: string
  /** `success` or `error`: of the outcome; of its call where the decision is asked for. */
  readonly outcome?: string
  /** On a decision and on its outcome. */
  readonly decisionHash?: string
  /**
   * First and last time at which it was recorded, both inclusive, as ledger timestamps: `recorded_at`, which never goes back and is later than
   * `created_at` by as long as an approval took; `created_at` in entries without it.
   */
  readonly start?: string
  readonly end?: string
  /** Somewhere in the entry's text values or keys, whatever the case. */
  readonly text?: string
  readonly limit?: number
}

/** The same as a caller types it: everything is text. */
export type CriteriaInput = { readonly [name in keyof Criteria]?: string }

export interface SelectOptions {
  /** How many threads may look for something at a time; as many as there are cores unless told. */
  readonly threads?: number | undefined
  /** Told, now and then, how many lines have been looked at. */
  readonly onProgress?: (lines: number) => void
  /** Told the position of each line that may fit and cannot be read. */
  readonly onUnreadable?: (position: number) => void
}

const EVENTS = ['decision', 'outcome', 'checkpoint']
const EFFECTS = ['allow', 'deny']
const OUTCOMES = ['success', 'error']

/**
 * Reads criteria that a person typed. Timestamps are dates (`2026-11-22`, the whole day) or RFC 3339 in UTC (`2026-11-22T20:18:29Z`).
 *
 * @throws LedgerError QUERY_INVALID naming the criterion: a bad timestamp, `start` after `end`, an unknown event, effect or outcome, a limit
 * that is no positive integer, an empty value
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
    throw invalid('limit', limit, 'is no positive whole number')
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

/** Fills a partial timestamp up to microseconds: to its first moment for `start`, to its last for `end`. */
function moment(criterion: 'start' | 'end', text: string, fill: string): string {
  const parts = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z)?$/.exec(text)
  const [, day, time = fill === '000000' ? '00:00:00' : '23:59:59', fraction = ''] = parts ?? []
  const whole = `${day}T${time}.${fraction}${fill.slice(fraction.length)}Z`
  if (isTimestamp(whole)) return whole
  throw invalid(criterion, text, 'is no date or UTC time', 'write it as 2026-11-22 or 2026-11-22T20:18:29Z')
}
