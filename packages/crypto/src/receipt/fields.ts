import { decodeBase64 } from '../bytes/base64.js'
import { type Hash, isHash } from '../bytes/hash.js'
import { CryptoError } from '../error.js'
import { SIGNATURE_BYTES } from '../key/curve-check.js'

/**
 * Reads the members of an untrusted object by name and type. Only own members are read, never members inherited
 * from `Object.prototype`. Every method throws CryptoError `RECEIPT_INVALID` if the value has the wrong type.
 */
export class ReceiptFields {
  readonly #members: Readonly<Record<string, unknown>>
  readonly #path: string

  /** @param path - the path of the object in the receipt, for messages; empty for the receipt itself */
  constructor(value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw receiptInvalid(`${path === '' ? 'the receipt' : `field \`${path}\``} is not an object`)
    }
    this.#members = value as Record<string, unknown>
    this.#path = path
  }

  /**
   * Requires that the object has only the given members. Member names are untrusted, so the message does not repeat
   * them.
   */
  only(names: readonly string[]): this {
    if (Object.keys(this.#members).every((name) => names.includes(name))) return this
    const where = this.#path === '' ? 'the receipt' : `field \`${this.#path}\``
    throw receiptInvalid(
      `${where} has a member that receipts do not have`,
      'remove that member: nothing proves its value',
    )
  }

  has(name: string): boolean {
    return this.#value(name) !== undefined
  }

  text(name: string): string {
    const value = this.#value(name)
    if (typeof value !== 'string') throw this.#misfit(name, 'a string')
    return value
  }

  isTrue(name: string): boolean {
    return this.#value(name) === true
  }

  /** Returns null if the member is absent or null. */
  textOrNull(name: string): string | null {
    return this.#isNone(name) ? null : this.text(name)
  }

  hash(name: string): Hash {
    const value = this.#value(name)
    if (!isHash(value)) throw this.#misfit(name, 'a hash of 64 lower-case hex digits')
    return value
  }

  oneOf<Text extends string>(name: string, ...texts: readonly Text[]): Text {
    const found = texts.find((text) => text === this.#value(name))
    if (found === undefined) throw this.#misfit(name, texts.map((text) => `\`${text}\``).join(' or '))
    return found
  }

  /** Returns a signature in strict base64, or null if the member is absent or null. */
  signatureOrNull(name: string): string | null {
    const text = this.textOrNull(name)
    if (text !== null && decodeBase64(text)?.length !== SIGNATURE_BYTES) {
      throw this.#misfit(name, `strict base64 of ${SIGNATURE_BYTES} bytes`)
    }
    return text
  }

  /** Returns a value that has the form of the ledger format. */
  fitting<T>(name: string, fits: (value: unknown) => value is T): T {
    const value = this.#value(name)
    if (!fits(value)) throw receiptInvalid(`field \`${this.#pathOf(name)}\` does not follow the ledger format`)
    return value
  }

  fields(name: string): ReceiptFields {
    return new ReceiptFields(this.#value(name), this.#pathOf(name))
  }

  fieldsOrNull(name: string): ReceiptFields | null {
    return this.#isNone(name) ? null : this.fields(name)
  }

  #value(name: string): unknown {
    return Object.hasOwn(this.#members, name) ? this.#members[name] : undefined
  }

  #isNone(name: string): boolean {
    return this.#value(name) === undefined || this.#value(name) === null
  }

  #pathOf(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`
  }

  #misfit(name: string, kind: string): CryptoError {
    return receiptInvalid(`field \`${this.#pathOf(name)}\` is not ${kind}`)
  }
}

export const receiptInvalid = (message: string, hint?: string): CryptoError =>
  new CryptoError('RECEIPT_INVALID', message, hint)
