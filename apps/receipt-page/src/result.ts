// Renders a verification as elements. Text is inserted as text, never as markup.
import { type ReceiptFindingCode, type ReceiptReport, receiptProves } from '@sudoagent/crypto/receipt'
import { escapeForTerminal } from '@sudoagent/crypto/text'

type Field = readonly [name: string, value: string, code?: true]

const SAYS = {
  broken: 'This receipt is not valid',
  unverified: 'This receipt cannot be checked with this key: another key signed it',
  signed: 'This is recorded: the log signed it',
  witnessed: 'This is recorded: the log and the witnesses signed it',
} as const

/** Explains a finding to a reader without knowledge of receipts; the finding itself is shown below. */
const MEANS: Readonly<Record<ReceiptFindingCode, string>> = {
  RECEIPT_INVALID: 'This is not a receipt, or a part of it is missing.',
  PROOF_MISSING: 'It has no proof that the decision is in the log.',
  PROOF_INVALID: 'Its proof does not match the log: the receipt was altered, or the proof belongs to another receipt.',
  CHECKPOINT_INVALID: 'The checkpoint that the log signed does not belong to this receipt.',
  KEY_UNKNOWN: 'It was not signed with the key that you gave.',
  SIGNATURE_INVALID: 'A signature in it is not valid: the receipt was altered, or another key signed it.',
  ENTRY_HASH_MISMATCH: 'This receipt was altered: its content is not the recorded content.',
  DECISION_HASH_MISMATCH: 'This receipt was altered: the decision in it belongs to another call.',
  POLICY_HASH_MISMATCH: 'This receipt was altered: the policy in it is not the one that decided.',
  FIELD_MISMATCH: 'Parts of it contradict each other.',
  APPROVAL_EXPIRED: 'The call was allowed under an approval that had expired.',
  CLOCK_WENT_BACK: 'The outcome was recorded before the decision.',
  ORIGIN_MISMATCH: 'It is from a different log than the one that you named.',
  LOG_KEY_MISMATCH: 'The key that the policy names for this log did not sign it.',
  WITNESS_QUORUM_MISSING: 'Too few of your witnesses signed it.',
}

/** If the given key signed the checkpoint but another key the entry, usually an older one. */
const SIGNED_IN_PART = {
  verdict:
    'This receipt cannot be checked with this key alone: it signed the checkpoint of the log, but not all of the receipt',
  meaning: 'The key that you gave signed the checkpoint of the log, but not all of this receipt.',
} as const

const isSignedInPart = ({ verdict, checkpoint }: ReceiptReport): boolean =>
  verdict === 'unverified' && checkpoint !== null

/** The elements for a report. */
export function resultOf(report: ReceiptReport): readonly HTMLElement[] {
  const { proven, notProven } = receiptProves(report)
  return [
    element('p', isSignedInPart(report) ? SIGNED_IN_PART.verdict : SAYS[report.verdict], 'verdict'),
    ...wrong(report),
    ...fields(report),
    ...section('Proven', proven),
    ...section('Not proven', report.ok ? notProven : []),
  ]
}

/** The elements for an error, if nothing was verified. */
export function refusalOf(message: string, hint: string | undefined): readonly HTMLElement[] {
  return [element('p', message, 'verdict'), ...(hint === undefined ? [] : [element('p', hint)])]
}

function wrong(report: ReceiptReport): readonly HTMLElement[] {
  const { findings } = report
  if (findings.length === 0) return []
  const list = document.createElement('ul')
  for (const { code, message, hint } of findings) {
    const item = element('li', isSignedInPart(report) ? SIGNED_IN_PART.meaning : MEANS[code])
    item.append(element('div', `${message} (${code})`, 'note'))
    if (hint !== undefined) item.append(element('div', `Hint: ${hint}`, 'note'))
    list.append(item)
  }
  return [element('h2', 'Problems'), list]
}

function section(title: string, sentences: readonly string[]): readonly HTMLElement[] {
  if (sentences.length === 0) return []
  const list = document.createElement('ul')
  list.append(...sentences.map((sentence) => element('li', sentence)))
  return [element('h2', title), list]
}

function fields({
  ok,
  decision,
  outcome,
  checkpoint,
  position,
  entry_hash: hash,
}: ReceiptReport): readonly HTMLElement[] {
  if (!ok || checkpoint === null) return []
  const rows: Field[] = []
  if (decision !== null) {
    const { effect, reason, reason_code: code, approval } = decision
    rows.push(
      ['Action', decision.action],
      ['Agent', decision.agent_id],
      ['Decision', `${effect}: ${reason}${code === null ? '' : ` (${code})`}`],
      ['Time', decision.created_at],
      ['Policy', [decision.policy_id, decision.policy_version].filter((part) => part !== null).join(', version ')],
      ['Request', decision.request_id],
      ['Parameters', indented(decision.parameters), true],
    )
    if (approval !== null)
      rows.push(['Approval', approval.state + (approval.approver_id === null ? '' : ` by ${approval.approver_id}`)])
  }
  if (outcome !== null) {
    const { status, error_type: type, error } = outcome.content
    rows.push(['Outcome', [status, type, error].filter((part) => part !== null).join(': ')])
  }
  rows.push(
    ['Entry', `${position}, ${hash}`],
    ['Log', checkpoint.origin],
    ['Checkpoint', `of ${checkpoint.size} entries, signed by key ${checkpoint.signed_by.join(', ')}`],
  )
  if (checkpoint.cosigned_by.length > 0) {
    rows.push(['Witnesses', checkpoint.cosigned_by.map(({ name, time }) => `${name} at ${when(time)}`).join(', ')])
  }
  const list = document.createElement('dl')
  for (const [name, value, code] of rows) {
    const text = document.createElement('dd')
    text.textContent = code === true ? shownLines(value) : shown(value)
    if (code) text.className = 'code'
    list.append(element('dt', name), text)
  }
  return [element('h2', 'Recorded'), list]
}

/** JSON with line breaks, for people; unchanged if a browser would round one of its numbers. */
function indented(json: string): string {
  const value: unknown = JSON.parse(json)
  return JSON.stringify(value) === json ? JSON.stringify(value, null, 2) : json
}

/** Seconds since 1970, which a witness may set to any value. */
function when(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? `second ${seconds}` : date.toISOString()
}

function element(name: string, text: string, className = ''): HTMLElement {
  const made = document.createElement(name)
  // In a sentence with paired backticks, text between them is code.
  const parts = shown(text).split('`')
  if (parts.length % 2 === 0) made.textContent = shown(text)
  else
    for (const [index, part] of parts.entries()) {
      const node = index % 2 === 0 ? document.createTextNode(part) : document.createElement('code')
      node.textContent = part
      made.append(node)
    }
  if (className !== '') made.className = className
  return made
}

/** The full text: a page scrolls. */
const shown = (text: string): string => escapeForTerminal(text, Number.POSITIVE_INFINITY)

/** Like `shown`, line by line. */
const shownLines = (text: string): string => text.split('\n').map(shown).join('\n')
