// Formats the entries of one call as text: fields of the question, the decision and the outcome, arguments, hashes.
import { authorityRows, redactedText, requirementRows } from '@sudoagent/crypto/entry'
import { escapeForTerminal } from '@sudoagent/crypto/text'
import {
  approvalOf,
  authorityOf,
  type BudgetBlock,
  type EntryRecord,
  isCallEntry,
  type KnownApproval,
  timestampMs,
} from '@sudoagent/ledger/entry'
import { notShownIn } from '../../text/not-shown.js'
import type { Paint } from '../../text/paint.js'
import { resultPaint } from '../../text/table.js'
import { type Field, fieldLines, hashFields, jsonSection, memberText, placeOf, safe } from './fields.js'
import { type CallRecord, type Story, stateOf } from './story.js'

/** @param columns - width of the terminal in cells; undefined without a terminal */
export function storyText(story: Story, paint: Paint, columns?: number): string {
  const { question, decision, outcome, others } = story
  const call = decision ?? outcome
  const block = decision?.entry.decision
  const hashes = call?.entry.decision ?? question?.asked
  const section = (member: 'parameters' | 'metadata'): string =>
    jsonSection(member, call === undefined ? null : memberText(call.json, member), paint, columns)
  return [
    fieldLines(callFields(story), paint, columns),
    '\n',
    fieldLines(
      [
        ...questionFields(story, paint),
        ...decisionFields(story, paint),
        ['  reason', safe(block?.reason)],
        ['  reason code', safe(block?.reason_code)],
        ['  arguments', call === undefined ? null : safe(notShownIn(call.json))],
        ['  policy', block && safe(versioned(block.policy_id, block.policy_version ?? null))],
        ...(call === undefined ? [] : approvalFields(decision === undefined ? null : approvalOf(decision.entry))),
        ['budget', call === undefined ? null : budgetLine(decision?.entry.budget)],
        ...outcomeFields(story, paint),
      ],
      paint,
      columns,
    ),
    ...others.map((other) => fieldLines([otherField(other, story, paint)], paint, columns)),
    section('parameters'),
    section('metadata'),
    `\n${paint.dim('hashes')}\n`,
    fieldLines(
      [
        ['  policy', safe(hashes?.policy_hash)],
        ['  decision', safe(hashes?.decision_hash)],
        ...hashFields([question, decision, outcome, ...others].filter((record) => record !== undefined)),
      ],
      paint,
      columns,
    ),
  ].join('')
}

/** The call, and for whom it is made: according to the decision, or else to the outcome or the question. */
function callFields({ requestId, question, decision, outcome }: Story): readonly Field[] {
  const entry = (decision ?? outcome)?.entry
  const authority = decision === undefined ? question?.asked.authority : authorityOf(decision.entry)
  const principal = entry?.actor?.principal
  return [
    ['call', safe(requestId)],
    ['action', safe(entry?.action ?? question?.asked.action)],
    ['agent', safe(entry?.agent_id ?? question?.asked.agent_id)],
    ...authorityRows(authority ?? {}).map(([name, value]): Field => [name, safe(value)]),
    ['principal', principal === entry?.agent_id ? null : safe(principal)],
  ]
}

const versioned = (id: string, version: string | null): string => (version === null ? id : `${id}, version ${version}`)

function questionFields({ question, decision }: Story, paint: Paint): readonly Field[] {
  if (question === undefined) {
    const { requirement } = (decision && approvalOf(decision.entry)) ?? {}
    const missing = 'missing: the decision has a requirement, but no entry before it asks for an approval'
    return requirement === undefined ? [] : [['question', { word: missing, paint: paint.red.bold }]]
  }
  const { asked, state } = question
  const mark = state === 'open' ? paint.yellow.bold : (text: string): string => text
  return [
    ['question', { word: state, paint: mark, rest: placeOf(question) }],
    ...requirementRows(asked.requirement).map(([name, value]): Field => [`  ${name}`, safe(value)]),
    ['  redacted', redactedText(asked.redacted)],
    ['  expires', asked.expires_at],
  ]
}

/** The creation time is shown if the entry also has a recording time. */
function decisionFields({ question, decision, outcome }: Story, paint: Paint): readonly Field[] {
  if (decision !== undefined) {
    const { decision: block, recorded_at: recorded, created_at: created } = decision.entry
    const effect = block.effect ?? ''
    return [
      ['decision', { word: effect, paint: resultPaint(effect, paint), rest: placeOf(decision) }],
      ['  created', recorded === undefined ? null : created],
    ]
  }
  if (outcome !== undefined)
    return [['decision', { word: 'no decision recorded before the outcome', paint: paint.red.bold }]]
  const why = question?.state === 'expired' ? 'none: the question expired' : 'none yet: the question is open'
  return [['decision', { word: why, paint: paint.yellow.bold }]]
}

/** The question has the requirement, so the approval shows only who answered and when. */
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
    if (decision === undefined) return []
    if (isDenied) return [['outcome', 'none: a denied call does not run']]
    const open = 'open: no outcome recorded; the call is still running, or its process exited during the call'
    return [['outcome', { word: open, paint: paint.yellow.bold }]]
  }
  const { status = '', error_type: type, error } = outcome.entry.outcome ?? {}
  const rest = placeOf(outcome) + (decision === undefined ? '' : laterLine(decision, outcome))
  return [
    ['outcome', { word: status, paint: resultPaint(status, paint), rest }],
    ['', isDenied ? { word: 'although the call was denied', paint: paint.red.bold } : null],
    ['  error', type || error ? escapeForTerminal([type, error].filter(Boolean).join(': ')) : null],
  ]
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

/** An earlier question is normal: it expired before the next one. A valid ledger has no other entry. */
function otherField(record: EntryRecord, { question }: Story, paint: Paint): Field {
  const { position, entry } = record
  const isQuestion = !isCallEntry(entry)
  const isEarlier = isQuestion && question !== undefined && position < question.position
  if (isEarlier) return ['earlier', `question at entry ${position}, before the one above`]
  const what = isQuestion ? 'a question' : entry.event
  return ['also', { word: `entry ${position} names this call too, as ${what}`, paint: paint.red.bold }]
}
