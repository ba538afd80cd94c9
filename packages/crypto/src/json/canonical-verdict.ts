import { CryptoError } from '../error.js'

/** The two sets of rules a canonical text may follow. What they say stands at the head of `json-scanner.ts`. */
export type CanonicalProfile = 'rfc8785' | 'python'

/**
 * What one scan has found out so far about how its text is written: which profiles it still fits, and the first thing
 * that took the last one away.
 */
export class CanonicalVerdict {
  reason: string | null = null
  #rfc8785 = true
  #python = true

  /** `rfc8785` when both profiles fit, null when neither does. */
  get profile(): CanonicalProfile | null {
    return this.#rfc8785 ? 'rfc8785' : this.#python ? 'python' : null
  }

  /** Notes something that no profile allows. */
  flaw(what: string, at: number, context = ''): void {
    this.#rfc8785 = false
    this.#python = false
    this.reason ??= `${what} at offset ${at}${context}`
  }

  /** Notes something that only the python profile allows. */
  notRfc8785(what: string, at: number): void {
    if (this.#python) this.#rfc8785 = false
    else this.flaw(what, at, ', after text that only RFC 8785 allows')
  }

  /** Notes something that only RFC 8785 allows. */
  notPython(what: string, at: number): void {
    if (this.#rfc8785) this.#python = false
    else this.flaw(what, at, ', after text that only the python profile allows')
  }
}

/** The error for text that is not strict JSON. Never repeats the text: it may be hostile, or secret. */
export function jsonInvalid(what: string, at: number): CryptoError {
  return new CryptoError('JSON_INVALID', `${what} at offset ${at}`)
}
