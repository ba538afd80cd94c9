// A report as text: the same value that `--json` prints, for a person.
import { notRuledOut, printable, type Report } from '@sudoagent/ledger'
import type { ChalkInstance } from 'chalk'
import type { MessageKind } from './message.js'

/** Findings told one by one; the report keeps more, and counts all. More lines than this push the first ones off the screen. */
const FINDINGS_TOLD_MAX = 20

export interface Line {
  readonly kind: MessageKind
  readonly text: string
}

/** A line for each finding, and for its hint when it has one. */
export function renderFindings({ findings, findings_total: total }: Report): readonly Line[] {
  const told = findings.slice(0, FINDINGS_TOLD_MAX)
  const lines = told.flatMap(({ code, position, message, hint }): Line[] => {
    const where = position === null ? '' : `entry ${position}: `
    const error: Line = { kind: 'error', text: `${where}${message} (${code})` }
    return hint === undefined ? [error] : [error, { kind: 'hint', text: hint }]
  })
  const more = total - told.length
  if (more > 0)
    lines.push({ kind: 'error', text: `and ${count(more, 'more finding')}; --json lists the first ${findings.length}` })
  return lines
}

/** The verdict, what it rests on, and what it leaves open. */
export function renderReport(
  report: Report,
  { ledger, kind }: { ledger: string; kind: string },
  paint: ChalkInstance,
): string {
  const { entries, decisions, outcomes, open, head, first_created_at: first, last_created_at: last } = report
  const fields: [string, string][] = [
    ['ledger', `${ledger} (${kind})`],
    ['entries', `${entries} (${count(decisions, 'decision')}, ${count(outcomes, 'outcome')}, ${open} open)`],
    ...(first === null || last === null ? [] : [['created', `${first} to ${last}`] as [string, string]]),
    ['signed', signatures(report)],
    ...(head.entry_hash === null ? [] : [['head', `${head.entry_hash} at entry ${head.size}`] as [string, string]]),
  ]
  const open_ = notRuledOut(report.verdict)
  return [
    `${verdict(report, paint)}\n\n`,
    ...fields.map(([name, value]) => `${paint.dim(name.padEnd(8))}  ${printable(value)}\n`),
    ...(open_.length === 0 ? [] : ['\nThis does not rule out\n', ...open_.map((attack) => `- ${attack}\n`)]),
  ].join('')
}

/** What the person may want to do next. */
export function hintsOf(report: Report): readonly string[] {
  if (report.signed_entries === 0 || report.keys.given.length > 0) return []
  return [
    `${count(report.signed_entries, 'entry is', 'entries are')} signed; check by whom with \`--public-key <file>\``,
  ]
}

function verdict({ verdict: is, findings, findings_total: total }: Report, paint: ChalkInstance): string {
  if (is === 'signed')
    return `${paint.green.bold('signed')}: nothing was changed, and every entry is signed by a key that you gave`
  if (is === 'intact')
    return `${paint.green.bold('intact')}: the chain holds and every rule was kept; no signature was checked`
  const first = findings.find(({ position }) => position !== null)?.position
  const where = first === undefined ? '' : `, the first at entry ${first}`
  return `${paint.red.bold('broken')}: ${count(total, 'finding')}${where}; do not rely on this ledger`
}

function signatures({ verdict: is, entries, signed_entries: signed, keys }: Report): string {
  const named = keys.in_ledger.length > 0 ? keys.in_ledger : is === 'signed' ? keys.given : []
  const by = named.length === 0 ? '' : `, ${is === 'signed' ? 'by' : 'naming'} ${keyList(named)}`
  const unchecked = signed > 0 && keys.given.length === 0 ? '; not checked' : ''
  return `${signed} of ${entries} entries${by}${unchecked}`
}

/** Key ids listed in text; more than that is no ledger of ours, and `--json` has them all. */
const KEYS_TOLD_MAX = 5

function keyList(ids: readonly string[]): string {
  const told = ids.slice(0, KEYS_TOLD_MAX).join(', ')
  const more = ids.length - KEYS_TOLD_MAX
  return `key${ids.length === 1 ? '' : 's'} ${told}${more > 0 ? ` and ${more} more` : ''}`
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`
}
