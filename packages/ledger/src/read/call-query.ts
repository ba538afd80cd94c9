// Finds entries by the decision and the outcome of their call. A single entry has either an effect or an outcome
// status, so a query for both concerns the two entries of a call.
//
//   { effect: 'allow', outcome: 'error' }     both entries of each call that was allowed and failed
//   { event: 'outcome', effect: 'deny' }      outcomes of denied calls, which `verify` reports as findings
//   { event: 'decision', outcome: 'error' }   decisions of calls that failed
import { isCallEntry } from '../entry/entry.js'
import type { EntryRecord } from '../entry/record.js'
import type { Criteria, SelectOptions } from './criteria.js'

/** Whether the criteria concern both entries of a call. */
export function isAboutCalls({ event, effect, outcome }: Criteria): boolean {
  if (event === 'checkpoint') return false
  const asksDecision = effect !== undefined || event === 'decision'
  const asksOutcome = outcome !== undefined || event === 'outcome'
  return asksDecision && asksOutcome && !(effect === undefined && outcome === undefined)
}

/** Finds entries, and tests whether an entry matches. */
export interface EntryQuery {
  find(criteria: Criteria, options: SelectOptions): AsyncIterable<EntryRecord>
  fits(record: EntryRecord, criteria: Criteria): boolean
}

/**
 * Finds the entries of calls whose decision and outcome match, in ledger order; all other criteria apply to the
 * entry. If the query has a criterion for the outcome, the ledger is read twice. Memory grows with the number of
 * calls that may still match.
 *
 * @throws the errors of `EntryQuery.find`
 */
export async function* selectOfCalls(
  { find, fits }: EntryQuery,
  { effect, outcome, limit = Number.POSITIVE_INFINITY, event, start, end, text, ...call }: Criteria,
  options: SelectOptions,
): AsyncGenerator<EntryRecord> {
  const { onUnreadable } = options
  const unreadable: number[] = []
  const ended =
    outcome === undefined
      ? null
      : await requestIds(find({ ...call, outcome }, { ...options, onUnreadable: (at) => void unreadable.push(at) }))
  if (ended?.size === 0) {
    for (const position of unreadable) onUnreadable?.(position)
    return
  }
  const ofEntry = { event, start, end, text } as Criteria
  /** The request ids of calls whose decision matches. A decision precedes its outcome. */
  const decided = new Set<string>()
  let found = 0
  for await (const record of find(call, options)) {
    const { entry } = record
    if (!isCallEntry(entry)) continue
    const id = entry.request_id
    const isDecision = entry.event === 'decision'
    const mayFit = isDecision
      ? fits(record, { effect } as Criteria) && (ended === null || ended.has(id))
      : fits(record, { outcome } as Criteria) && (effect === undefined || decided.has(id))
    if (!mayFit) continue
    if (isDecision && effect !== undefined) decided.add(id)
    if (!fits(record, ofEntry)) continue
    yield record
    found += 1
    if (found >= limit) return
  }
}

async function requestIds(records: AsyncIterable<EntryRecord>): Promise<ReadonlySet<string>> {
  const ids = new Set<string>()
  for await (const { entry } of records) if (isCallEntry(entry)) ids.add(entry.request_id)
  return ids
}
