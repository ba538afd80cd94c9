// Describes an untrusted error for the ledger: the error type and a short message without secrets or paths.
import { ERROR_LENGTH_MAX } from '@sudoagent/ledger/entry'
import type { Redactor } from '../redaction/redactor.js'

/** An error in its recorded form. */
export interface FailureText {
  readonly error_type: string
  readonly error: string
}

// Match file URLs, Windows paths (drive or UNC), POSIX paths with two or more parts, and home folders. Web addresses
// are not treated as paths: the host stays, and the redactor has already removed credentials. Each pattern starts at
// the beginning of a run, so that a hostile message is scanned only once.
const PATHS = new RegExp(
  [
    String.raw`file:\/\/[^\s'"\x60)>\]]+`,
    String.raw`(?<![A-Za-z0-9])[A-Za-z]:[\\/][^\s'"\x60)>\]]*`,
    String.raw`\\\\[^\s'"\x60)>\]]+`,
    String.raw`(?<![\w.:/~-])(?:~|\.{1,2})?\/[^\s'"\x60:)>\]]+`,
    // Matches relative paths that end in a file extension: `src/pay/refund.ts`.
    String.raw`(?<![\w./:@-])(?:[\w.-]+\/)+[\w-]+\.[A-Za-z]{1,4}\b`,
  ].join('|'),
  'g',
)

// The maximum length. Longer messages are cut before the patterns run.
const SCANNED_LENGTH_MAX = 4096

/** Describes a thrown value. Never throws, although the getters of an error are untrusted code. */
export function describeFailure(error: unknown, redactor: Redactor): FailureText {
  return { error_type: typeOf(error, redactor), error: messageOf(error, redactor) }
}

function typeOf(error: unknown, redactor: Redactor): string {
  try {
    if (!(error instanceof Error)) return error === null ? 'null' : typeof error
    const name: unknown = error.name
    const isName = typeof name === 'string' && /^[A-Za-z_$][\w$.]{0,63}$/.test(name)
    return isName && redactor.text(name) === name ? name : 'Error'
  } catch {
    return 'Error'
  }
}

function messageOf(error: unknown, redactor: Redactor): string {
  try {
    const message: unknown = error instanceof Error ? error.message : error
    if (typeof message !== 'string') return ''
    const scanned = message.toWellFormed().slice(0, SCANNED_LENGTH_MAX).toWellFormed()
    const safe = redactor.text(scanned).replace(PATHS, '<path>').normalize('NFC')
    return safe.length <= ERROR_LENGTH_MAX ? safe : `${safe.slice(0, ERROR_LENGTH_MAX - 1).toWellFormed()}…`
  } catch {
    return ''
  }
}
