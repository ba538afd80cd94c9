// Formats a verification report for people; `--json` prints the same report.
import { escapeForTerminal } from '@sudoagent/crypto/text'
import { type Report, residualRisks, scopeText } from '@sudoagent/ledger'
import type { MessageKind } from '../../terminal/message.js'
import type { Paint } from '../../text/paint.js'
import { fieldRow, rowsOf, verdictRow } from '../../text/rows.js'

/**
 * Maximum number of printed findings: more lines would scroll the first findings off the screen. The JSON report
 * contains more findings, and their total number.
 */
const FINDINGS_SHOWN_MAX = 20

export interface Line {
  readonly kind: MessageKind
  readonly text: string
}

/** One line per finding, and one per hint. */
export function renderFindings({ findings, findings_total: total }: Report): readonly Line[] {
  const told = findings.slice(0, FINDINGS_SHOWN_MAX)
  const lines = told.flatMap(({ code, position, count: entries = 1, message, hint }): Line[] => {
    const where = position === null ? '' : `entry ${position}: `
    const error: Line = { kind: 'error', text: `${where}${message}${more(entries)} (${code})` }
    return hint === undefined ? [error] : [error, { kind: 'hint', text: hint }]
  })
  const untold = total - told.length
  if (untold > 0)
    lines.push({
      kind: 'error',
      text: `and ${count(untold, 'more finding')}; --json lists the first ${findings.length}`,
    })
  return lines
}

/** One line per warning, and one per hint. */
export function renderWarnings({ warnings }: Report): readonly Line[] {
  return warnings.flatMap(({ message, hint }): Line[] => {
    const note: Line = { kind: 'note', text: message }
    return hint === undefined ? [note] : [note, { kind: 'hint', text: hint }]
  })
}

/** Formats the verdict, its basis and the remaining risks. */
export function renderReport(
  report: Report,
  { ledger, kind, columns }: { ledger: string; kind: string; columns?: number | undefined },
  paint: Paint,
): string {
  const open = residualRisks(report)
  const fields = fieldsOf(report, `${ledger} (${kind})`).filter(([, value]) => value !== null)
  return [
    verdict(report, paint, columns),
    ...[...unfinished(report), ...unknown(report)].map((line) => `${rowsOf('', line, columns, 2).join('\n')}\n`),
    '\n',
    ...fields.map(([name, value]) => fieldRow(name, NAME_WIDTH, value ?? '', { columns, paint: paint.dim })),
    ...(open.length === 0
      ? []
      : ['\nThis does not rule out\n', ...open.map((attack) => `${rowsOf('- ', attack, columns).join('\n')}\n`)]),
  ].join('')
}

const NAME_WIDTH = 'checkpoint'.length

/** Returns the basis of the verdict as fields, one per line. The value of a field without content is null. */
function fieldsOf(report: Report, ledger: string): readonly (readonly [name: string, value: string | null])[] {
  const { entries, decisions, outcomes, open, head, first_created_at: first, last_created_at: last } = report
  const { origin, checkpoint, witnesses, resumed_from: resumed, closed, keys } = report
  const calls = `${count(decisions, 'decision')}, ${count(outcomes, 'outcome')}, ${open} open`
  const since = resumed === null ? '' : `; ${count(entries - resumed, 'new entry', 'new entries')} since the last run`
  return [
    ['ledger', ledger],
    ['origin', origin],
    ['entries', `${entries} (${calls})${since}${closed ? '; closed' : ''}`],
    ...stopsOf(report),
    ['approvals', approvalsOf(report)],
    ['created', first === null || last === null ? null : `${first} to ${last}`],
    ['signed', signatures(report)],
    ['retired', keys.retired.length === 0 ? null : keyList(keys.retired)],
    ['head', head.entry_hash === null ? null : `${head.entry_hash} at entry ${head.size}`],
    ['checkpoint', checkpoint === null ? null : checkpointLine(checkpoint, report)],
    ...report.anchors.map((anchor) => ['kept', anchorLine(anchor)] as const),
    [
      'witnesses',
      witnesses === null ? null : `${witnesses.names.join(', ')} saw ${count(witnesses.size, 'entry', 'entries')}`,
    ],
  ]
}

/** Maximum number of printed stops; `--json` lists all. */
const STOPS_SHOWN_MAX = 3

function stopsOf({ stops }: Report): readonly (readonly [name: string, value: string])[] {
  const told = stops.slice(0, STOPS_SHOWN_MAX).map(({ scope, position, in_flight: open }) => {
    const inFlight = `${count(open, 'call')} allowed before without an outcome`
    return ['stopped', `${escapeForTerminal(scopeText(scope))}, since entry ${position}; ${inFlight}`] as const
  })
  const rest = stops.length - told.length
  return rest === 0 ? told : [...told, ['stopped', `and ${count(rest, 'more stop')}`]]
}

/** How calls were approved, and what became of the questions; null for a ledger without either. */
function approvalsOf({ approvals: { asserted, redacted }, questions: { open, expired } }: Report): string | null {
  const parts = [
    asserted === 0 ? '' : `${asserted} asserted${redacted === 0 ? '' : ` (${redacted} of them with redacted values)`}`,
    open === 0 ? '' : `${count(open, 'question')} open`,
    expired === 0 ? '' : `${count(expired, 'question')} expired without a decision`,
  ]
  return parts.filter((part) => part !== '').join('; ') || null
}

function checkpointLine({ size, signed_by: signers }: NonNullable<Report['checkpoint']>, of: Report): string {
  const by = signers.length === 0 ? 'not signed' : `signed by ${keyList(signers)}`
  const { entries, tail } = of
  // A checkpoint that covers more entries than there are does not count as the last one.
  const cut = size > entries ? `; the ledger has only ${entries}` : ''
  const after = cut !== '' || tail === 0 ? cut : `; ${count(tail, 'entry', 'entries')} after the last checkpoint`
  return `of ${count(size, 'entry', 'entries')}, ${by}${after}`
}

/** External evidence: a checkpoint, a receipt or the state of an earlier run. */
function anchorLine({ kind, size, position, holds }: Report['anchors'][number]): string {
  const what = position === null ? kind : `${kind} of entry ${position}`
  const says = holds ? 'the ledger extends it' : 'the ledger does NOT extend it'
  return `${what}, ${count(size, 'entry', 'entries')}: ${says}`
}

/** Suggestions for the next step. */
export function hintsOf(report: Report): readonly string[] {
  if (report.signed_entries === 0 || report.keys.given.length > 0) return []
  return [
    `${count(report.signed_entries, 'entry is', 'entries are')} signed; check the signatures with \`--public-key <file>\``,
  ]
}

/** Maximum number of printed open calls; `--json` lists more. */
const OPEN_SHOWN_MAX = 3

/** Calls that may have run without a recorded outcome. */
function unfinished({ open, open_calls: calls }: Report): readonly string[] {
  if (open === 0) return []
  const what =
    open === 1 ? '1 call was allowed and has no outcome: it' : `${open} calls were allowed and have no outcome: they`
  const told = calls
    .slice(0, OPEN_SHOWN_MAX)
    .map(({ position, request_id: request }) => `entry ${position}, request ${escapeForTerminal(request)}`)
  const rest = open > told.length ? `; and ${open - told.length} more` : ''
  return [`${what} may have run (${told.join('; ')}${rest})`]
}

/** The rules of a kind of control entry that a later release added cannot be checked. */
function unknown({ ok, controls_unknown: n }: Report): readonly string[] {
  if (!ok || n === 0) return []
  return [
    `${count(n, 'control entry has', 'control entries have')} a kind that this release does not know: the rules of this kind were not checked`,
  ]
}

const more = (entries: number): string => (entries > 1 ? `; the same for ${entries - 1} more entries` : '')

const SAYS: Readonly<Record<Exclude<Report['verdict'], 'broken' | 'unverified'>, string>> = {
  intact: 'hash chain, Merkle tree and call rules check out; no public key was given, so the author is unproven',
  signed: 'nothing was changed, and every entry is signed by a given key',
  anchored: 'nothing was changed, every entry is signed, and the ledger extends the evidence that you gave',
  witnessed: 'nothing was changed, every entry is signed, and enough witnesses cosigned the same log',
}

function verdict(
  { verdict: is, findings, findings_total: total }: Report,
  paint: Paint,
  columns: number | undefined,
): string {
  const bad = { columns, paint: paint.red.bold }
  if (is === 'unverified') {
    return verdictRow(is, 'none of the given keys has signed this ledger, so its signatures were not checked', bad)
  }
  if (is !== 'broken') return verdictRow(is, SAYS[is], { columns, paint: paint.green.bold })
  const first = findings.find(({ position }) => position !== null)?.position
  const where = first === undefined ? '' : `, the first at entry ${first}`
  return verdictRow('broken', `${count(total, 'finding')}${where}; do not rely on this ledger`, bad)
}

function signatures({ verdict: is, entries, signed_entries: signed, keys }: Report): string {
  const isSigned = is !== 'broken' && is !== 'unverified' && is !== 'intact'
  const named = keys.in_ledger.length > 0 ? keys.in_ledger : isSigned ? keys.given : []
  const by = named.length === 0 ? '' : `, ${isSigned ? 'by' : 'naming'} ${keyList(named)}`
  const unchecked = signed > 0 && keys.given.length === 0 ? '; give a public key to check the signatures' : ''
  return `${signed} of ${entries} entries${by}${unchecked}`
}

/** Maximum number of printed key ids; `--json` lists all. */
const KEYS_SHOWN_MAX = 5

function keyList(ids: readonly string[]): string {
  const told = ids.slice(0, KEYS_SHOWN_MAX).join(', ')
  const more = ids.length - KEYS_SHOWN_MAX
  return `key${ids.length === 1 ? '' : 's'} ${told}${more > 0 ? ` and ${more} more` : ''}`
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`
}
