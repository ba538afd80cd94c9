// Formats one approval for people. All call text is untrusted.
import type { ApprovalRecord } from '@sudoagent/core'
import { breakRows, equalUseText, NOT_SIGNED, redactedText, usableColumns } from '@sudoagent/core/terminal'
import { authorityRows, requirementRows } from '@sudoagent/crypto/entry'
import { encodeJcs } from '@sudoagent/crypto/json'
import { escapeForTerminal } from '@sudoagent/crypto/text'
import { rowsOf } from './rows.js'

/** Width of the terminal in cells; undefined for a pipe, where lines are not wrapped. */
export type Columns = number | undefined

/** An approval, and when an equal call of its agent ran; null if none ran lately. */
export interface ShownApproval {
  readonly record: ApprovalRecord
  readonly equalUse: Date | null
}

/** Describes the approval state in words: `pending`, `approved by alice at …, used at …`. */
export function stateOf(record: ApprovalRecord): string {
  const { state, approverId, resolvedAt, consumedAt } = record
  const by = approverId === null ? '' : ` by ${approverId}`
  const at = resolvedAt === null ? '' : ` at ${resolvedAt.toISOString()}`
  if (state === 'approved' && consumedAt !== null) return `approved${by}${at}, used at ${consumedAt.toISOString()}`
  if (state === 'failed') return `failed${at}: no longer pending`
  return `${state}${by}${at}`
}

/**
 * Formats everything about one approval: first the number of redacted values and the arguments, then the other fields,
 * which stay visible at the bottom of the screen, and last what none of the hashes covers.
 */
export function renderApproval(shown: ShownApproval, now: Date, columns: Columns): string {
  return `${approvalRows(shown, now, columns).join('\n')}\n`
}

/** The rows of `renderApproval`. */
export function approvalRows({ record, equalUse }: ShownApproval, now: Date, columns: Columns): readonly string[] {
  const { approvalId, action, agentId, binding, note, createdAt, expiresAt, state, authority, asked, decision } = record
  const left = state === 'pending' ? ` (in ${timeLeft(record, now)})` : ''
  const authorityHash = decision?.authorityHash ?? null
  const fields = (rows: readonly (readonly [string, string])[]): readonly string[] =>
    rows.flatMap(([name, value]) => lines(`${name.padEnd(LABEL_WIDTH)}  `, value, columns))
  const facts = fields([
    ['action', action],
    ['agent', agentId],
    ...authorityRows(authority ?? {}),
    ...(asked === undefined ? [] : requirementRows(asked.requirement)),
    ['state', stateOf(record)],
    ...(note === null ? [] : [['note', note] as const]),
    ['asked', `${createdAt.toISOString()}${asked === undefined ? '' : `, entry ${asked.position}`}`],
    ['expires', `${expiresAt.toISOString()}${left}`],
    ['id', approvalId],
    ['policy', binding.policyHash],
    ['decision', binding.decisionHash],
    ...(authorityHash === null ? [] : [['for whom', authorityHash] as const]),
    ...(asked === undefined ? [] : [['requires', asked.requirementHash] as const]),
  ])
  const redacted = asked === undefined ? [] : [...fields([['redacted', redactedText(asked.redacted)]]), '']
  return [
    ...redacted,
    ...argumentRows(record, columns),
    '',
    ...facts,
    '',
    `${NOT_SIGNED}:`,
    ...(equalUse === null ? [] : fields([['note', equalUseText(equalUse, now)]])),
    ...fields(unsigned(record)),
  ]
}

const LABEL_WIDTH = 8

/** The fields that an approver is shown and that none of the hashes covers. */
function unsigned({ reason, asked }: ApprovalRecord): readonly (readonly [string, string])[] {
  if (asked === undefined) return [['reason', reason]]
  const { policyId, policyVersion, metadata } = asked
  return [
    ['reason', reason],
    ['policy', policyVersion === null ? policyId : `${policyId}, version ${policyVersion}`],
    ...(Object.keys(metadata).length === 0 ? [] : [['metadata', encodeJcs(metadata)] as const]),
  ]
}

function argumentRows({ args, kwargs }: ApprovalRecord, columns: Columns): readonly string[] {
  const named = Object.keys(kwargs).length > 0
  if (args.length === 0 && !named) return ['arguments: none']
  const shown = args.length === 0 ? kwargs : named ? { args, kwargs } : args
  const text = JSON.stringify(shown, null, 2).split('\n')
  const title = rowsOf('', 'arguments as the policy saw them, secrets removed:', columns)
  return [...title, ...text.flatMap((line) => argumentLines(line, columns))]
}

/** One line of JSON. Continuation lines start in the column of the values below. */
function argumentLines(line: string, columns: Columns): readonly string[] {
  const blanks = Math.min(/^ */.exec(line)?.[0].length ?? 0, MOST_NESTED)
  return lines(' '.repeat(2 + blanks), line.trimStart(), columns, LABEL_WIDTH + 2)
}

/** Largest indentation of a value; deeper values start in the same column. */
const MOST_NESTED = 20

/**
 * Formats a label and its text. On a terminal, wrapped lines are indented, so that untrusted text cannot imitate a
 * row of the output.
 */
export function lines(label: string, text: string, columns: Columns, indent?: number): readonly string[] {
  const safe = escapeForTerminal(text, Number.POSITIVE_INFINITY)
  return columns === undefined ? [label + safe] : breakRows(label, safe, usableColumns(columns), indent)
}

/** Units of `timeLeft`, with the shortest time for which each is used, in seconds. */
const UNITS = [
  ['d', 86_400, 172_800],
  ['h', 3_600, 7_200],
  ['min', 60, 600],
] as const

/** The time until an approval expires: `300 s`, `90 min`, `6 d`. */
export function timeLeft({ expiresAt }: ApprovalRecord, now: Date): string {
  const seconds = Math.max(0, Math.round((expiresAt.getTime() - now.getTime()) / 1000))
  const [unit, size] = UNITS.find(([, , from]) => seconds >= from) ?? ['s', 1]
  return `${Math.floor(seconds / size)} ${unit}`
}
