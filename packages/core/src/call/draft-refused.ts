// The refusal of an entry by the rules of the ledger: nothing was recorded, and the ledger goes on.
import type { RecordedEntry } from '@sudoagent/ledger/store'
import { memberOf } from '../check.js'

const CODES = [
  'STOPPED',
  'QUESTIONS_FULL',
  'CLOCK_BEHIND_LEDGER',
  'QUESTION_CLOSED',
  'CALL_DECIDED',
  'ENTRY_REFUSED',
] as const
export type DraftRefusedCode = (typeof CODES)[number]

/** Thrown for an entry that the ledger refused. */
export class DraftRefused extends Error {
  override readonly name = 'DraftRefused'
  readonly code: DraftRefusedCode
  /** The recorded entry of the call, if the error names one. */
  readonly recorded: RecordedEntry | null

  constructor(code: DraftRefusedCode, cause: Error) {
    super(cause.message, { cause })
    this.code = code
    const recorded: unknown = memberOf(cause, 'recorded')
    const position = memberOf(recorded, 'position')
    const effect = memberOf(recorded, 'effect')
    this.recorded = Number.isSafeInteger(position)
      ? { position: position as number, effect: effect === 'allow' || effect === 'deny' ? effect : null }
      : null
  }
}

/** The refusal that an error states; null for every other error. A driver may have its own copy of the error class. */
export function draftRefusal(error: unknown): DraftRefused | null {
  const code = CODES.find((known) => known === memberOf(error, 'code'))
  return code === undefined || !(error instanceof Error) ? null : new DraftRefused(code, error)
}
