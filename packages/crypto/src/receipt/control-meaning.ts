/** Explains what the receipt of a control entry proves, and what it does not prove. */
import { quoted } from './call-meaning.js'
import type { ReceiptControl } from './control-content.js'

/** The name of the entry in a sentence. */
export function controlName({ kind, block }: ReceiptControl): string {
  if (block?.kind === 'stop') return 'stop'
  if (block?.kind === 'resume') return 'end of a stop'
  if (block?.kind === 'asked') return 'question'
  return kind === null ? 'control entry' : `control entry (${quoted(kind)})`
}

/** @param position - the position of the entry */
export function controlProven({ block }: ReceiptControl, position: number | null): readonly string[] {
  if (block?.kind === 'stop')
    return [
      `a verifier of the log, unless it rejects this stop, reports every call that the stop covers and that is allowed after entry ${position}, until an entry ends the stop`,
    ]
  if (block?.kind === 'asked')
    return [
      'a verifier of the log, unless it rejects this question, reports every decision about the call that does not have its requirement, while it is open',
    ]
  return []
}

export function controlNotProven({ block }: ReceiptControl): readonly string[] {
  const clock = "when the entry was recorded: the times come from the writer's clock"
  const others = 'the receipt does not contain the other entries'
  switch (block?.kind) {
    case 'stop':
      return [
        `that ${quoted(block.by)} stopped the calls, and for this reason: the log records what the writer stated`,
        clock,
        `that no call was allowed after the stop, or was still running: ${others}`,
        'that the stop is still open: a later entry can end it',
      ]
    case 'resume':
      return [
        `that ${quoted(block.by)} ended the stop, and for this reason: the log records what the writer stated`,
        clock,
        `that a stop with this id was open: ${others}`,
      ]
    case 'asked':
      return [
        'what the arguments of the call are: the entry contains only their hash',
        clock,
        'that an approver was notified: the question is recorded before',
        `whether and how the question was answered: ${others}`,
      ]
    default:
      return ['that the content is true: the log records what the writer stated', clock]
  }
}
