// Formats a verified receipt: the verdict, the decision, what is proven and what is not.
import { authorityRows, redactedText, requirementRows } from '@sudoagent/crypto/entry'
import { controlRows, type ReceiptReport, receiptProves } from '@sudoagent/crypto/receipt'
import { escapeForTerminal } from '@sudoagent/crypto/text'
import { notShownIn } from '../../text/not-shown.js'
import type { Paint } from '../../text/paint.js'
import { fieldRow, rowsOf, verdictRow } from '../../text/rows.js'

const NAME_WIDTH = 'checkpoint'.length

/** Formats the report without its findings, which are printed separately. */
export function renderReceipt(report: ReceiptReport, paint: Paint, columns: number | undefined): string {
  const { proven, notProven } = receiptProves(report)
  const list = (title: string, sentences: readonly string[]): string =>
    sentences.length === 0
      ? ''
      : `\n${title}\n${sentences.map((sentence) => `${rowsOf('- ', escapeForTerminal(sentence), columns).join('\n')}\n`).join('')}`
  const fields = fieldsOf(report)
    .map(([name, value]) => fieldRow(name, NAME_WIDTH, value, { columns, paint: paint.dim }))
    .join('')
  return `${verdictOf(report, paint, columns)}${fields === '' ? '' : `\n${fields}`}${list('Proven', proven)}${list('Not proven', notProven)}`
}

function verdictOf(
  { ok, verdict, checkpoint, control }: ReceiptReport,
  paint: Paint,
  columns: number | undefined,
): string {
  const bad = { columns, paint: paint.red.bold }
  if (verdict === 'unverified') {
    const why =
      checkpoint === null
        ? 'none of the given keys has signed this receipt, so it proves nothing'
        : 'a given key signed the checkpoint, but not the whole receipt, so only the checkpoint is proven'
    return verdictRow(verdict, why, bad)
  }
  if (!ok) return verdictRow('broken', 'do not rely on this receipt', bad)
  const by = verdict === 'witnessed' ? 'signed by the log and cosigned by enough witnesses' : 'signed by the log'
  const what = control === null ? 'decision' : 'entry'
  return verdictRow(verdict, `the ${what} is recorded; its checkpoint is ${by}`, { columns, paint: paint.green.bold })
}

function fieldsOf({
  ok,
  decision,
  outcome,
  control,
  checkpoint,
  position,
  entry_hash: hash,
}: ReceiptReport): [string, string][] {
  if (!ok || checkpoint === null) return []
  const fields: [string, string][] = []
  if (decision !== null) {
    const { effect, reason, reason_code: code, approval } = decision
    fields.push(
      ['request', decision.request_id],
      ['action', decision.action],
      ['agent', decision.agent_id],
      ...authorityRows(decision.authority ?? {}),
      ['decided', `${effect}: ${reason}${code === null ? '' : ` (${code})`}`],
      ['at', decision.created_at],
      ['policy', `${decision.policy_id}${decision.policy_version === null ? '' : ` ${decision.policy_version}`}`],
      ['parameters', decision.parameters],
    )
    const notShown = notShownIn(decision.line)
    if (notShown !== null) fields.push(['', notShown])
    if (approval !== null)
      fields.push([
        'approval',
        approval.approver_id === null ? approval.state : `${approval.state} by ${approval.approver_id}`,
      ])
    if (approval !== null && approval.requirement !== null)
      fields.push(...requirementRows(approval.requirement), ['redacted', redactedText(approval.redacted ?? 0)])
  }
  if (control !== null)
    fields.push(['kind', control.kind ?? 'none'], ...controlRows(control), [
      'at',
      control.recorded_at ?? control.created_at ?? 'unknown',
    ])
  if (outcome !== null) {
    const { status, error_type: type, error } = outcome.content
    fields.push(['outcome', [status, type, error].filter((part) => part !== null).join(': ')])
  }
  fields.push(
    ['entry', `${position}, ${hash}`],
    ['log', checkpoint.origin],
    ['checkpoint', `of ${checkpoint.size} entries, signed by key ${checkpoint.signed_by.join(', ')}`],
  )
  return fields
}
