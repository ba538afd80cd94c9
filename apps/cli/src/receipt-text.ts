// A verified receipt as text: the verdict, what was decided, what is proven and what is not.
import { type ReceiptReport, receiptProves } from '@sudoagent/crypto'
import { printable } from '@sudoagent/ledger'
import { notShownIn } from './not-shown.js'
import type { Paint } from './paint.js'

const NAME_WIDTH = 'checkpoint'.length

/** What a person sees of a report; the findings are told apart from it. */
export function renderReceipt(report: ReceiptReport, paint: Paint): string {
  const { proven, notProven } = receiptProves(report)
  const list = (title: string, sentences: readonly string[]): string =>
    sentences.length === 0 ? '' : `\n${title}\n${sentences.map((sentence) => `- ${printable(sentence)}\n`).join('')}`
  const fields = fieldsOf(report)
    .map(([name, value]) => `${paint.dim(name.padEnd(NAME_WIDTH))}  ${printable(value)}\n`)
    .join('')
  return `${verdictOf(report, paint)}\n${fields === '' ? '' : `\n${fields}`}${list('Proven', proven)}${list('Not proven', notProven)}`
}

function verdictOf({ ok, verdict }: ReceiptReport, paint: Paint): string {
  if (verdict === 'unverified')
    return `${paint.red.bold(verdict)}: none of the given keys has signed this receipt, so nothing is known`
  if (!ok) return `${paint.red.bold('broken')}: do not rely on this receipt`
  const by = verdict === 'witnessed' ? 'the log and enough of your witnesses vouch for it' : 'the log vouches for it'
  return `${paint.green.bold(verdict)}: this is on record; ${by}`
}

function fieldsOf({
  ok,
  decision,
  outcome,
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
      ['decided', `${effect}: ${reason}${code === null ? '' : ` (${code})`}`],
      ['at', decision.created_at],
      ['policy', `${decision.policy_id}${decision.policy_version === null ? '' : ` ${decision.policy_version}`}`],
      ['parameters', decision.parameters],
    )
    const notShown = notShownIn(decision.line)
    if (notShown !== null) fields.push(['', notShown])
    if (approval !== null) fields.push(['approval', `${approval.state} by ${approval.approver_id ?? 'nobody'}`])
  }
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
