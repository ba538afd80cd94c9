/**
 * Explains in sentences what a verified receipt proves and what it does not. A proof must not be overstated: "the
 * agent was allowed to do this" and "the decision to allow this was recorded" are different statements.
 */
import type { ReceiptCheckpoint, ReceiptOutcome, ReceiptReport } from './verify.js'

/**
 * Sentences without a full stop. They contain names of keys, logs and witnesses, which are untrusted text: escape
 * them for display.
 */
export interface ReceiptMeaning {
  readonly proven: readonly string[]
  readonly notProven: readonly string[]
}

/**
 * Explains what a report proves. The command line and the receipt page show the same sentences.
 *
 * @example
 * receiptProves(verifyReceipt(text, { publicKeys })).notProven // ['that the parameters and the reason are true: …', …]
 */
export function receiptProves(report: ReceiptReport): ReceiptMeaning {
  const { ok, checkpoint } = report
  if (!ok || checkpoint === null) {
    return { proven: [], notProven: [nothingProven(report)] }
  }
  return { proven: provenBy(report, checkpoint), notProven: notProvenBy(report, checkpoint) }
}

function nothingProven({ verdict, checkpoint }: ReceiptReport): string {
  if (verdict !== 'unverified') return 'anything: this receipt does not hold'
  if (checkpoint === null) return 'anything: none of the given keys has signed it'
  return 'anything beyond the checkpoint: the given keys have signed that, and not all of the receipt'
}

function provenBy(report: ReceiptReport, checkpoint: ReceiptCheckpoint): string[] {
  const { decision, outcome, position, entry_hash: hash } = report
  const what = decision === null ? `an entry with the hash ${hash}` : 'this decision, as it stands here,'
  const sentences = [
    `${what} is entry ${position} of the log \`${checkpoint.origin}\``,
    `the log committed to it: key ${list(checkpoint.signed_by)} signed the checkpoint of its first ${checkpoint.size} entries`,
  ]
  if (decision?.decision_hash_checked) {
    sentences.push(
      'the decision belongs to this call: its hash covers who asked for what, with which parameters, when and under which policy',
    )
  }
  if (decision?.effect === 'allow' && decision.approval !== null) {
    sentences.push('the approval was given for this call and for no other')
  }
  if (report.entry_signature === 'verified') sentences.push('a given key signed the entry itself, too')
  if (outcome !== null) sentences.push(outcomeProven(outcome))
  if (report.verdict === 'witnessed') {
    sentences.push(
      `${list(names(report, checkpoint))} saw this log, and that it only grew since they first did: the witnesses that the policy asks for`,
    )
  }
  return sentences
}

function outcomeProven({ content, position }: ReceiptOutcome): string {
  const how = content.status === 'success' ? 'succeeded' : 'ended in an error'
  return `it is on record that the call ${how}: entry ${position} of the same log`
}

function notProvenBy(report: ReceiptReport, checkpoint: ReceiptCheckpoint): string[] {
  const { decision, outcome, unproven } = report
  const sentences: string[] = []
  if (decision === null) {
    sentences.push(
      `what the entry says: its content was left out, so ${list(unproven)} of the receipt are the word of its author`,
    )
  } else {
    sentences.push(
      'that the parameters and the reason are true: the log records what it was told',
      "when it happened: the times are the writer's own",
    )
    if (!decision.decision_hash_checked) {
      sentences.push('that decision_hash belongs to this call: it covers a time that the entry does not record')
    }
    sentences.push(...outcomeNotProven(decision.effect, outcome))
  }
  if (report.verdict !== 'witnessed') {
    sentences.push('that the log shows everyone the same history: no witnesses were asked for')
  }
  if (outcome !== null && outcome.checkpoint.size !== checkpoint.size && report.verdict !== 'witnessed') {
    sentences.push('that decision and outcome stand in one history: their checkpoints are of different sizes')
  }
  if (decision !== null && report.entry_signature !== 'verified') {
    sentences.push(
      report.entry_signature === 'none'
        ? 'who wrote the entry: it is not signed itself, only the checkpoint is'
        : 'who wrote the entry: the key that signed it was not given, and only the checkpoint was checked',
    )
  }
  sentences.push('what was recorded afterwards, or that the log still exists')
  return sentences
}

function outcomeNotProven(effect: 'allow' | 'deny', outcome: ReceiptOutcome | null): string[] {
  if (effect === 'deny') return ['that the action was not done in some other way, past the guard']
  if (outcome === null) return ['that the action was carried out, or how it ended: the receipt has no outcome']
  return ['that the action had the effect it was meant to have']
}

const names = ({ outcome }: ReceiptReport, checkpoint: ReceiptCheckpoint): readonly string[] => {
  const all = [...checkpoint.cosigned_by, ...(outcome?.checkpoint.cosigned_by ?? [])].map(({ name }) => `\`${name}\``)
  return [...new Set(all)]
}

const list = (texts: readonly string[]): string => texts.join(', ')
