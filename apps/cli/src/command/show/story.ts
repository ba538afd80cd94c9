// The entries of one call, and their JSON.
//
//   readStory   the question, the decision, the outcome, and further entries with the same request id
//   storyJson   one JSON object with the entries as stored
//
// The state follows from the entries:
//
//   question, no decision              asked: the question is open; or expired
//   decision deny                      denied
//   decision allow, outcome            success or error
//   decision allow, no outcome         open: still running, or the process ended during the call
//   outcome without decision           undecided; `verify` reports it
//
//   $ sudoagent show ledger.sqlite 11 | jq -r .state
//   denied
import { indentJson } from '@sudoagent/crypto/json'
import { callStory, type LedgerReader } from '@sudoagent/ledger'
import { type CallEntry, type EntryRecord, isCallEntry } from '@sudoagent/ledger/entry'
import type { QuestionRecord } from '@sudoagent/ledger/inspect'

/** An entry of a call. */
export interface CallRecord extends EntryRecord {
  readonly entry: CallEntry
}

export interface Story {
  readonly requestId: string
  readonly question: QuestionRecord | undefined
  readonly decision: CallRecord | undefined
  readonly outcome: CallRecord | undefined
  /** Further entries with the request id: earlier questions, and entries that a valid ledger does not have. */
  readonly others: readonly EntryRecord[]
}

/** @throws LedgerError ENTRY_NOT_FOUND */
export async function readStory(reader: LedgerReader, requestId: string): Promise<Story> {
  const { question, decision, outcome, others } = await callStory(reader, { requestId })
  return { requestId, question, decision: callRecord(decision), outcome: callRecord(outcome), others }
}

function callRecord(record: EntryRecord | undefined): CallRecord | undefined {
  if (record === undefined || !isCallEntry(record.entry)) return undefined
  return { ...record, entry: record.entry }
}

export type StoryState = 'asked' | 'expired' | 'success' | 'error' | 'denied' | 'open' | 'undecided'

/** The state of the call: a denied call has no outcome; an allowed call without an outcome is open. */
export function stateOf({ question, decision, outcome }: Story): StoryState {
  if (decision !== undefined)
    return decision.entry.decision.effect === 'deny' ? 'denied' : (outcome?.entry.outcome?.status ?? 'open')
  if (outcome !== undefined || question === undefined) return 'undecided'
  return question.state === 'expired' ? 'expired' : 'asked'
}

/** One indented JSON object; the entries keep their stored values. */
export function storyJson(story: Story): string {
  const { requestId, question, decision, outcome, others } = story
  const record = ({ position, json }: EntryRecord): string => `{"position":${position},"entry":${json}}`
  const orNull = (one: EntryRecord | undefined): string => (one === undefined ? 'null' : record(one))
  const asked =
    question === undefined
      ? 'null'
      : `{"position":${question.position},"state":"${question.state}","entry":${question.json}}`
  const json =
    `{"request_id":${JSON.stringify(requestId)},"state":"${stateOf(story)}","question":${asked},"decision":${orNull(decision)},` +
    `"outcome":${orNull(outcome)},"others":[${others.map(record).join(',')}]}`
  return `${indentJson(json)}\n`
}
