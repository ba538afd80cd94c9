// Reads all entries of one call and formats them, as JSON for programs and as text for people.
//
//   readStory   the decision, the outcome, and further entries with the same request id
//   storyJson   one JSON object with the entries as stored
//   storyText   fields of the decision and the outcome, arguments, hashes
//
// The key is a request id or the position of one of the entries. The state follows from the entries:
//
//   decision deny                      denied
//   decision allow, outcome            success or error
//   decision allow, no outcome         open: still running, or the process ended during the call
//   outcome without decision           undecided; `verify` reports it
//
//   $ sudoagent show ledger.sqlite 11 | jq -r .state
//   denied

import { authorityRows, parametersText } from '@sudoagent/crypto/entry'
import { indentJson, scanJson } from '@sudoagent/crypto/json'
import { escapeForTerminal } from '@sudoagent/crypto/text'
import { callStory, LedgerError, type LedgerReader, select } from '@sudoagent/ledger'
import {
  approvalOf,
  authorityOf,
  type BudgetBlock,
  type CallEntry,
  type EntryRecord,
  isCallEntry,
  type KnownApproval,
  timestampMs,
} from '@sudoagent/ledger/entry'
import { notShownIn } from '../../text/not-shown.js'
import type { Paint } from '../../text/paint.js'
import { rowsOf } from '../../text/rows.js'
import { resultPaint } from '../../text/table.js'

/** An entry of a call. */
export interface CallRecord extends EntryRecord {
  readonly entry: CallEntry
}

export interface Story {
  readonly requestId: string
  readonly decision: CallRecord | undefined
  readonly outcome: CallRecord | undefined
  /** Further entries with the request id; none in a valid ledger. */
  readonly others: readonly CallRecord[]
}

/** Maximum number of entries read for one call. A valid call has two; a hostile ledger may have a million. */
const ENTRIES_MAX = 100

/** @throws LedgerError ENTRY_NOT_FOUND */
export async function readStory(
  reader: LedgerReader,
  key: { position: number } | { requestId: string },
): Promise<Story> {
  const requestId = 'requestId' in key ? key.requestId : (await callStory(reader, key)).requestId
  const records: CallRecord[] = []
  for await (const { entry, ...record } of select(reader, { requestId, limit: ENTRIES_MAX })) {
    if (isCallEntry(entry)) records.push({ ...record, entry })
  }
  if (records.length === 0) throw new LedgerError('ENTRY_NOT_FOUND', `no entry with request id \`${requestId}\``)
  const decision = records.find(({ entry }) => entry.event === 'decision')
  const outcome = records.find(({ entry }) => entry.event === 'outcome')
  return { requestId, decision, outcome, others: records.filter((record) => record !== decision && record !== outcome) }
}

export type StoryState = 'success' | 'error' | 'denied' | 'open' | 'undecided'

/** The state of the call: a denied call has no outcome; an allowed call without an outcome is open. */
export function stateOf({ decision, outcome }: Story): StoryState {
  if (decision === undefined) return 'undecided'
  if (decision.entry.decision.effect === 'deny') return 'denied'
  return outcome?.entry.outcome?.status ?? 'open'
}

/** One indented JSON object; the entries keep their stored values. */
export function storyJson(story: Story): string {
  const record = ({ position, json }: CallRecord): string => `{"position":${position},"entry":${json}}`
  const orNull = (one: CallRecord | undefined): string => (one === undefined ? 'null' : record(one))
  const json =
    `{"request_id":${JSON.stringify(story.requestId)},"state":"${stateOf(story)}","decision":${orNull(story.decision)},` +
    `"outcome":${orNull(story.outcome)},"others":[${story.others.map(record).join(',')}]}`
  return `${indentJson(json)}\n`
}

const NAME_WIDTH = 15

type Field = readonly [name: string, value: string | null | undefined]

/** Lines of `name  value`. The values are already escaped. */
function fieldLines(fields: readonly Field[], paint: Paint, columns: number | undefined): string {
  return fields
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => {
      const label = name.padEnd(NAME_WIDTH)
      // A coloured value is short and never contains ledger text.
      const rows = value?.includes('\u001b') ? [label + value] : rowsOf(label, value ?? '', columns)
      return `${paint.dim(label)}${rows.join('\n').slice(NAME_WIDTH)}\n`
    })
    .join('')
}

/** @param columns - width of the terminal in cells; undefined without a terminal */
export function storyText(story: Story, paint: Paint, columns?: number): string {
  const { decision, outcome, others } = story
  const first = decision ?? outcome
  const safe = (text: string | null | undefined): string | null =>
    text === undefined || text === null ? null : escapeForTerminal(text)
  const entry = first?.entry
  const block = decision?.entry.decision
  return [
    fieldLines(
      [
        ['call', safe(story.requestId)],
        ['action', safe(entry?.action)],
        ['agent', safe(entry?.agent_id)],
        ...authorityRows((decision && authorityOf(decision.entry)) ?? {}).map(
          ([name, value]) => [name, safe(value)] as const,
        ),
        [
          'principal',
          entry?.actor === undefined || entry.actor.principal === entry.agent_id ? null : safe(entry.actor.principal),
        ],
      ],
      paint,
      columns,
    ),
    '\n',
    fieldLines(
      [
        ['decision', decisionLine(decision, paint)],
        ['  created', createdAt(decision)],
        ['  reason', safe(block?.reason)],
        ['  reason code', safe(block?.reason_code)],
        ['  arguments', first === undefined ? null : safe(notShownIn(first.json))],
        [
          '  policy',
          block &&
            safe(
              (block.policy_version ?? null) === null
                ? block.policy_id
                : `${block.policy_id}, version ${block.policy_version}`,
            ),
        ],
        ...approvalFields(decision === undefined ? null : approvalOf(decision.entry)),
        ['budget', budgetLine(decision?.entry.budget)],
        ...outcomeFields(story, paint),
      ],
      paint,
      columns,
    ),
    ...others.map(
      ({ position, entry: { event } }) => `${paint.red(`entry ${position} names this call too, as ${event}`)}\n`,
    ),
    jsonSection('parameters', first, paint, columns),
    jsonSection('metadata', first, paint, columns),
    `\n${paint.dim('hashes')}\n`,
    fieldLines(
      [
        ['  policy', safe(entry?.decision.policy_hash)],
        ['  decision', safe(entry?.decision.decision_hash)],
        ...hashFields([decision, outcome, ...others].filter((record) => record !== undefined)),
      ],
      paint,
      columns,
    ),
  ].join('')
}

function at({ position, entry }: CallRecord): string {
  return `entry ${position}, ${entry.recorded_at === undefined ? entry.created_at : `recorded ${entry.recorded_at}`}`
}

/**
 * Formats the time from the decision to the outcome. It is measured between the recording times, because the decision
 * was created before an approval was requested. Entries written by SudoAgent for Python have only a creation time.
 */
function laterLine(decision: CallRecord, outcome: CallRecord): string {
  const [from, to] = [decision.entry.recorded_at, outcome.entry.recorded_at]
  if (from !== undefined && to !== undefined)
    return `, ${timestampMs(to) - timestampMs(from)} ms after the decision was recorded`
  const ms = timestampMs(outcome.entry.created_at) - timestampMs(decision.entry.created_at)
  return `, created ${ms} ms after the decision was created`
}

/** Returns the creation time if the entry also has a recording time. */
const createdAt = (record: CallRecord | undefined): string | null =>
  record === undefined || record.entry.recorded_at === undefined ? null : record.entry.created_at

function decisionLine(decision: CallRecord | undefined, paint: Paint): string {
  if (decision === undefined) return paint.red.bold('no decision recorded before the outcome')
  const { effect } = decision.entry.decision
  return `${resultPaint(effect, paint)(effect ?? '')}  ${paint.dim(at(decision))}`
}

function approvalFields(approval: KnownApproval | null): readonly Field[] {
  if (approval === null) return [['approval', 'not required']]
  const by = approval.approver_id === null ? '' : ` by ${escapeForTerminal(approval.approver_id)}`
  const times = [approval.created_at, approval.resolved_at, approval.expires_at].map((time) =>
    escapeForTerminal(time ?? 'unknown'),
  )
  return [
    ['approval', `${escapeForTerminal(approval.state)}${by}`],
    ['  asked', times[0]],
    ['  resolved', times[1]],
    ['  expires', times[2]],
  ]
}

function budgetLine(budget: BudgetBlock | null | undefined): string {
  if (budget === null || budget === undefined) return 'not charged'
  const { cost, window_seconds: seconds, checked, budget_key: key } = budget
  return `cost ${cost} in a window of ${seconds} s, ${checked ? 'checked' : 'not checked'}${key === null ? '' : `, under ${escapeForTerminal(key)}`}`
}

function outcomeFields(story: Story, paint: Paint): readonly Field[] {
  const { decision, outcome } = story
  const isDenied = stateOf(story) === 'denied'
  if (outcome === undefined) {
    if (isDenied) return [['outcome', 'none: a denied call does not run']]
    return [
      [
        'outcome',
        paint.yellow.bold(
          'open: no outcome recorded; the call is still running, or its process exited during the call',
        ),
      ],
    ]
  }
  const { status, error_type: type, error } = outcome.entry.outcome ?? {}
  const later = decision === undefined ? '' : laterLine(decision, outcome)
  const although = isDenied ? paint.red.bold('  although the call was denied') : ''
  return [
    ['outcome', `${resultPaint(status, paint)(status ?? '')}  ${paint.dim(at(outcome) + later)}${although}`],
    ['  error', type || error ? escapeForTerminal([type, error].filter(Boolean).join(': ')) : null],
  ]
}

/** The signers are on a separate line, because a hash fills most of a line. */
function hashFields(records: readonly CallRecord[]): readonly Field[] {
  const signers = records.map(({ position, entry: { entry_signature: signature, key_id: keyId } }) => {
    const signer = signature === undefined ? 'none' : keyId === undefined ? 'an unnamed key' : `key ${keyId}`
    return `entry ${position}: ${signer}`
  })
  return [
    ...records.map(({ position, entry }): Field => [`  entry ${position}`, entry.entry_hash]),
    ['  signatures', signers.join(', ')],
  ]
}

function memberText(line: string, member: 'parameters' | 'metadata'): string | null {
  const { members } = scanJson(line)
  if (member === 'parameters') return parametersText(line, members)
  const span = members.get(member)
  return span === undefined ? null : line.slice(...span)
}

/** A member of the entry as stored; empty if it is absent or an empty object. */
function jsonSection(
  member: 'parameters' | 'metadata',
  record: CallRecord | undefined,
  paint: Paint,
  columns: number | undefined,
): string {
  const json = record === undefined ? null : memberText(record.json, member)
  if (json === null || json === '{}') return ''
  const rows = indentJson(json)
    .split('\n')
    .flatMap((line) => jsonRows(line, columns))
  return `\n${paint.dim(member)}\n${rows.map((row) => `${row}\n`).join('')}`
}

/** Largest indentation of a JSON line; deeper lines start in the same column. */
const BLANKS_MAX = 40

/** One line of JSON; continuation lines start in the column of the values above. */
function jsonRows(line: string, columns: number | undefined): readonly string[] {
  const shown = escapeForTerminal(line)
  if (columns === undefined) return [`  ${shown}`]
  const text = shown.trimStart()
  return rowsOf(' '.repeat(2 + Math.min(shown.length - text.length, BLANKS_MAX)), text, columns, NAME_WIDTH)
}
