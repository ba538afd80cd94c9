import { CryptoError } from '../error.js'

/** The two rule sets for canonical text, described in `scanner.ts`. */
export type CanonicalProfile = 'rfc8785' | 'python'

/**
 * The intermediate result of a scan: the profiles that the text still follows, and the first violation that ruled
 * out the last remaining profile.
 */
export class CanonicalVerdict {
  reason: string | null = null
  #rfc8785 = true
  #python = true

  /** The profile of the text: `rfc8785` if the text follows both profiles, null if it follows neither. */
  get profile(): CanonicalProfile | null {
    return this.#rfc8785 ? 'rfc8785' : this.#python ? 'python' : null
  }

  /** Records a violation of both profiles. */
  flaw(what: string, at: number, context = ''): void {
    this.#rfc8785 = false
    this.#python = false
    this.reason ??= `${what} at offset ${at}${context}`
  }

  /** Records text that only the python profile allows. */
  notRfc8785(what: string, at: number): void {
    if (this.#python) this.#rfc8785 = false
    else this.flaw(what, at, ', after text that only RFC 8785 allows')
  }

  /** Records text that only RFC 8785 allows. */
  notPython(what: string, at: number): void {
    if (this.#rfc8785) this.#python = false
    else this.flaw(what, at, ', after text that only the python profile allows')
  }
}

/**
 * Creates the error for text that is not strict JSON. The message never repeats the text, which may be hostile or
 * secret.
 */
export function jsonInvalid(what: string, at: number): CryptoError {
  return new CryptoError('JSON_INVALID', `${what} at offset ${at}`)
}
