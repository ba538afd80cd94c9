// Reads the questions that the ledger has as open, and their records in the approval store.

import type { OpenQuestionFilter } from '@sudoagent/ledger/store'
import { APPROVAL_LIST_MAX, type ApprovalFilter, type ApprovalRecord } from '../approval/approval.js'
import { within } from '../call/deadline.js'
import type { EngineParts } from '../options.js'

/** @returns the request ids of the open questions that the filter selects; undefined if the ledger cannot tell */
export const openQuestions = (
  { ledger, timeoutMs }: Pick<EngineParts, 'ledger' | 'timeoutMs'>,
  filter?: OpenQuestionFilter,
): Promise<readonly string[] | undefined> => within(timeoutMs, 'ledger', async () => ledger.openQuestions?.(filter))

/**
 * Lists the records in a state. If there are more than one list can have, the records of the open questions are read
 * one by one.
 *
 * @param open - the open questions; undefined if the ledger cannot tell
 * @param onInvalid - called for each record that cannot be read alone: one changed row does not hide the others
 */
export async function recordsInState(
  { approvalStore: store, clock, timeoutMs }: Pick<EngineParts, 'approvalStore' | 'clock' | 'timeoutMs'>,
  filter: Required<Pick<ApprovalFilter, 'state' | 'ledger'>> & Pick<ApprovalFilter, 'agentId' | 'action'>,
  open: ReadonlySet<string> | undefined,
  onInvalid: (requestId: string, error: unknown) => void,
): Promise<readonly ApprovalRecord[]> {
  const now = clock()
  const newest = await within(timeoutMs, 'approval store', () =>
    store.list({ ...filter, limit: APPROVAL_LIST_MAX }, now),
  )
  if (open === undefined || newest.length < APPROVAL_LIST_MAX) return newest
  const { state, ledger, agentId, action } = filter
  const records: ApprovalRecord[] = []
  for (const requestId of open) {
    try {
      const record = await within(timeoutMs, 'approval store', () => store.get(requestId, now))
      if (record?.state !== state || record.asked?.ledger !== ledger) continue
      if ((agentId ?? record.agentId) === record.agentId && (action ?? record.action) === record.action)
        records.push(record)
    } catch (error) {
      onInvalid(requestId, error)
    }
  }
  return records
}
