// Makes the outcome of a call from its recorded decision, for a caller that knows only the request id.
import type { CallEntry, EntryDraft } from '../entry/entry.js'
import { isCallEntry } from '../entry/entry.js'
import { parseLine } from '../entry/line.js'
import { LedgerError } from '../error.js'
import type { OutcomeReport } from '../port/writer.js'

/**
 * @param lines - the lines that may belong to the call
 * @throws LedgerError ENTRY_NOT_FOUND if none of them is its decision, ENTRY_REFUSED if the decision denies the call
 */
export function outcomeOf(requestId: string, lines: readonly Uint8Array[], report: OutcomeReport): EntryDraft {
  const entry = decisionIn(requestId, lines)
  if (entry === null) throw new LedgerError('ENTRY_NOT_FOUND', `the ledger has no decision of request \`${requestId}\``)
  const { effect, ...decision } = entry.decision
  if (effect !== 'allow')
    throw new LedgerError('ENTRY_REFUSED', `request \`${requestId}\` was denied, so it has no outcome`, {
      hint: '`sudoagent show` shows the entries of the call',
    })
  const { createdAt, reason, reason_code, ...rest } = report
  return {
    action: entry.action,
    actor: entry.actor ?? { principal: entry.agent_id, source: 'python' },
    agent_id: entry.agent_id,
    created_at: createdAt,
    decision,
    event: 'outcome',
    outcome: {
      ...rest,
      reason: reason === undefined ? decision.reason : reason,
      reason_code: reason_code === undefined ? decision.reason_code : reason_code,
    },
    parameters: entry.parameters,
    request_id: entry.request_id,
  }
}

function decisionIn(requestId: string, lines: readonly Uint8Array[]): EntryDraft | null {
  for (const line of lines) {
    const parsed = parseLine(line)
    if (parsed.ok && isDecisionOf(requestId, parsed.entry)) return parsed.entry as unknown as EntryDraft
  }
  return null
}

const isDecisionOf = (requestId: string, entry: Parameters<typeof isCallEntry>[0]): entry is CallEntry =>
  isCallEntry(entry) && entry.event === 'decision' && entry.request_id === requestId
