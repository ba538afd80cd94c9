// Renders a verification result as HTML elements. Text is inserted as text, never as markup.
import { authorityRows, redactedText, requirementRows } from '@sudoagent/crypto/entry'
import { controlRows, type ReceiptFindingCode, type ReceiptReport, receiptProves } from '@sudoagent/crypto/receipt'
import { escapeForTerminal } from '@sudoagent/crypto/text'

type Field = readonly [name: string, value: string, code?: true]

const SAYS = {
  broken: 'This receipt is not valid',
  unverified: 'This receipt cannot be checked with this key: a different key signed it',
  signed: 'This is recorded: the log signed it',
  witnessed: 'This is recorded: the log and the witnesses signed it',
} as const

/**
 * Explains each finding to a reader who does not know receipts. The page shows the finding itself below the
 * explanation.
 */
const MEANS: Readonly<Record<ReceiptFindingCode, string>> = {
  RECEIPT_INVALID: 'This is not a receipt, or part of the receipt is missing.',
  PROOF_MISSING: 'The receipt does not contain a proof that the entry is in the log.',
  PROOF_INVALID:
    'The proof does not match the log: the receipt was altered, or the proof belongs to a different receipt.',
  CHECKPOINT_INVALID: 'The checkpoint that the log signed does not belong to this receipt.',
  KEY_UNKNOWN: 'The receipt was not signed with the key that you entered.',
  SIGNATURE_INVALID: 'A signature is not valid: the receipt was altered, or a different key signed it.',
  ENTRY_HASH_MISMATCH: 'This receipt was altered: its content is not the recorded content.',
  DECISION_HASH_MISMATCH: 'This receipt was altered: its decision belongs to a different call.',
  POLICY_HASH_MISMATCH: 'This receipt was altered: its policy is not the policy that made the decision.',
  FIELD_MISMATCH: 'Parts of the receipt contradict each other.',
  APPROVAL_EXPIRED: 'The call was allowed under an approval that had expired.',
  CLOCK_WENT_BACK: 'The outcome was recorded before the decision.',
  ORIGIN_MISMATCH: 'The receipt is from a different log than the log that you entered.',
  LOG_KEY_MISMATCH: 'The receipt was not signed with the key that the policy contains for this log.',
  WITNESS_QUORUM_MISSING: 'Too few of your witnesses signed the checkpoint.',
}

/** Used if the entered key signed the checkpoint, but a different key, usually an older key, signed the entry. */
const SIGNED_IN_PART = {
  verdict:
    'This receipt cannot be checked with this key alone: the key signed the checkpoint, but not the whole receipt',
  meaning: 'The key that you entered signed the checkpoint, but not the whole receipt.',
} as const

const isSignedInPart = ({ verdict, checkpoint }: ReceiptReport): boolean =>
  verdict === 'unverified' && checkpoint !== null

/** Returns the elements for a report. */
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

/** Returns the elements for an error that prevented the verification. */
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
  control,
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
      ...authorityRows(decision.authority ?? {}).map(capitalisedRow),
      ['Decision', `${effect}: ${reason}${code === null ? '' : ` (${code})`}`],
      ['Time', decision.created_at],
      ['Policy', [decision.policy_id, decision.policy_version].filter((part) => part !== null).join(', version ')],
      ['Request', decision.request_id],
      ['Parameters', indented(decision.parameters), true],
    )
    if (approval !== null)
      rows.push(['Approval', approval.state + (approval.approver_id === null ? '' : ` by ${approval.approver_id}`)])
    if (approval !== null && approval.requirement !== null)
      rows.push(...requirementRows(approval.requirement).map(capitalisedRow), [
        'Redacted',
        redactedText(approval.redacted ?? 0),
      ])
  }
  if (control !== null) {
    rows.push(['Kind', control.kind ?? 'none'], ...controlRows(control).map(capitalisedRow), [
      'Time',
      control.recorded_at ?? control.created_at ?? 'unknown',
    ])
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

/** Indents JSON for display. Returns the JSON unchanged if the browser would round one of the numbers. */
function indented(json: string): string {
  const value: unknown = JSON.parse(json)
  return JSON.stringify(value) === json ? JSON.stringify(value, null, 2) : json
}

/** Formats a Unix time in seconds, which a witness may set to any value. */
function when(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? `second ${seconds}` : date.toISOString()
}

function element(name: string, text: string, className = ''): HTMLElement {
  const made = document.createElement(name)
  // If the backticks in a sentence are paired, the text between them is code.
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

const capitalisedRow = ([name, value]: readonly [name: string, value: string]): Field => [
  name.charAt(0).toUpperCase() + name.slice(1),
  value,
]

/** The text is not truncated, because a page can scroll. */
const shown = (text: string): string => escapeForTerminal(text, Number.POSITIVE_INFINITY)

/** Escapes like `shown`, but keeps line breaks. */
const shownLines = (text: string): string => text.split('\n').map(shown).join('\n')
