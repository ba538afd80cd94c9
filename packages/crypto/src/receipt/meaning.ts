/**
 * Explains in sentences what a verified receipt proves and what it does not prove. A proof must not be overstated:
 * "the agent was allowed to do this" and "the decision to allow this was recorded" are different statements.
 */
import { callNotProven, callProven } from './call-meaning.js'
import { controlName, controlNotProven, controlProven } from './control-meaning.js'
import type { ReceiptCheckpoint, ReceiptReport } from './verify.js'

/**
 * The sentences, without full stops. They contain the names of keys, logs, witnesses, people and rules, which are
 * untrusted: escape the sentences for display.
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
  const { control, position } = report
  const sentences = [
    `${subjectOf(report)} is entry ${position} of the log \`${checkpoint.origin}\``,
    `the log committed to this entry: key ${list(checkpoint.signed_by)} signed the checkpoint of the first ${checkpoint.size} entries`,
    ...callProven(report),
    ...(control === null ? [] : controlProven(control, position)),
  ]
  if (report.entry_signature === 'verified') sentences.push('a given key also signed the entry itself')
  if (report.verdict === 'witnessed') {
    sentences.push(
      `the witnesses required by the policy confirmed that this log only grew: ${list(names(report, checkpoint))}`,
    )
  }
  return sentences
}

function subjectOf({ decision, control, entry_hash: hash }: ReceiptReport): string {
  if (decision !== null) return 'this decision, exactly as shown,'
  return control === null ? `an entry with the hash ${hash}` : `this ${controlName(control)}, exactly as shown,`
}

function notProvenBy(report: ReceiptReport, checkpoint: ReceiptCheckpoint): string[] {
  const { decision, control, outcome, unproven } = report
  const sentences = [...callNotProven(report), ...(control === null ? [] : controlNotProven(control))]
  const isOmitted = decision === null && control === null
  if (isOmitted) {
    sentences.push(
      `the content of the entry: it was omitted, so ${list(unproven)} in the receipt are unproven statements by its author`,
    )
  }
  if (report.verdict !== 'witnessed') {
    sentences.push('that the log shows everyone the same history: no witnesses were required')
  }
  if (outcome !== null && outcome.checkpoint.size !== checkpoint.size && report.verdict !== 'witnessed') {
    sentences.push('that decision and outcome are in the same history: their checkpoints have different sizes')
  }
  if (!isOmitted && report.entry_signature !== 'verified') {
    sentences.push(
      report.entry_signature === 'none'
        ? 'who wrote the entry: only the checkpoint is signed'
        : 'who wrote the entry: its signing key was not given, so only the checkpoint was verified',
    )
  }
  sentences.push('that no entries were added later, or that the log still exists')
  return sentences
}

const names = ({ outcome }: ReceiptReport, checkpoint: ReceiptCheckpoint): readonly string[] => {
  const all = [...checkpoint.cosigned_by, ...(outcome?.checkpoint.cosigned_by ?? [])].map(({ name }) => `\`${name}\``)
  return [...new Set(all)]
}

const list = (texts: readonly string[]): string => texts.join(', ')
