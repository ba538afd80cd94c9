/**
 * Explains in sentences what a verified receipt proves and what it does not prove. A proof must not be overstated:
 * "the agent was allowed to do this" and "the decision to allow this was recorded" are different statements.
 */
import type { ReceiptCheckpoint, ReceiptOutcome, ReceiptReport } from './verify.js'

/**
 * The sentences, without full stops. They contain the names of keys, logs and witnesses, which are untrusted:
 * escape the sentences for display.
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
  if (verdict !== 'unverified') return 'anything: this receipt is invalid'
  if (checkpoint === null) return 'anything: none of the given keys signed this receipt'
  return 'anything except the checkpoint: the given keys signed the checkpoint, but not the whole receipt'
}

function provenBy(report: ReceiptReport, checkpoint: ReceiptCheckpoint): string[] {
  const { decision, outcome, position, entry_hash: hash } = report
  const what = decision === null ? `an entry with the hash ${hash}` : 'this decision, exactly as shown,'
  const sentences = [
    `${what} is entry ${position} of the log \`${checkpoint.origin}\``,
    `the log committed to this entry: key ${list(checkpoint.signed_by)} signed the checkpoint of the first ${checkpoint.size} entries`,
  ]
  if (decision?.decision_hash_checked) {
    sentences.push(
      'the decision belongs to this call: its hash covers the actor, the action, the parameters, the time and the policy',
    )
  }
  if (decision?.effect === 'allow' && decision.approval !== null) {
    sentences.push('the approval was given for this call only')
  }
  if (report.entry_signature === 'verified') sentences.push('a given key also signed the entry itself')
  if (outcome !== null) sentences.push(outcomeProven(outcome))
  if (report.verdict === 'witnessed') {
    sentences.push(
      `the witnesses required by the policy confirmed that this log only grew: ${list(names(report, checkpoint))}`,
    )
  }
  return sentences
}

function outcomeProven({ content, position }: ReceiptOutcome): string {
  const how = content.status === 'success' ? 'succeeded' : 'ended in an error'
  return `the ledger records that the call ${how}: entry ${position} of the same log`
}

function notProvenBy(report: ReceiptReport, checkpoint: ReceiptCheckpoint): string[] {
  const { decision, outcome, unproven } = report
  const sentences: string[] = []
  if (decision === null) {
    sentences.push(
      `the content of the entry: it was omitted, so ${list(unproven)} in the receipt are unproven statements by its author`,
    )
  } else {
    sentences.push(
      'that the parameters and the reason are true: the log records what the writer stated',
      "when the call happened: the times come from the writer's clock",
    )
    if (!decision.decision_hash_checked) {
      sentences.push('that decision_hash belongs to this call: it covers a time that the entry does not record')
    }
    sentences.push(...outcomeNotProven(decision.effect, outcome))
  }
  if (report.verdict !== 'witnessed') {
    sentences.push('that the log shows everyone the same history: no witnesses were required')
  }
  if (outcome !== null && outcome.checkpoint.size !== checkpoint.size && report.verdict !== 'witnessed') {
    sentences.push('that decision and outcome are in the same history: their checkpoints have different sizes')
  }
  if (decision !== null && report.entry_signature !== 'verified') {
    sentences.push(
      report.entry_signature === 'none'
        ? 'who wrote the entry: only the checkpoint is signed'
        : 'who wrote the entry: its signing key was not given, so only the checkpoint was verified',
    )
  }
  sentences.push('that no entries were added later, or that the log still exists')
  return sentences
}

function outcomeNotProven(effect: 'allow' | 'deny', outcome: ReceiptOutcome | null): string[] {
  if (effect === 'deny') return ['that the action was not performed without the guard']
  if (outcome === null) return ['that the action was carried out, or how it ended: the receipt has no outcome']
  return ['that the action had the intended effect']
}

const names = ({ outcome }: ReceiptReport, checkpoint: ReceiptCheckpoint): readonly string[] => {
  const all = [...checkpoint.cosigned_by, ...(outcome?.checkpoint.cosigned_by ?? [])].map(({ name }) => `\`${name}\``)
  return [...new Set(all)]
}

const list = (texts: readonly string[]): string => texts.join(', ')
