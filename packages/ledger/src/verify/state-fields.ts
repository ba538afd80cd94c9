// Reads the fields of a saved state, which is untrusted JSON.
import { LedgerError } from '../error.js'

export const invalid = (why: string): LedgerError =>
  new LedgerError('STATE_INVALID', `the state of an earlier run ${why}`, {
    hint: 'delete the state file: the next run verifies everything and writes a new one',
  })

export type Is<T> = (value: unknown) => value is T

export const isAnything = (value: unknown): value is unknown => value !== undefined
export const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
export const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean'
export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
export const isPosition = (value: unknown): value is number => isCount(value) && value > 0
export const isKeyId = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{16}$/.test(value)
export const orNull =
  <T>(is: Is<T>): Is<T | null> =>
  (value): value is T | null =>
    value === null || is(value)

/** Reads the fields of an untrusted object. */
export class Fields {
  readonly #value: object

  constructor(value: unknown) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('has the wrong structure')
    this.#value = value
  }

  get<T>(name: string, is: Is<T>): T {
    const value: unknown = Object.hasOwn(this.#value, name) ? Reflect.get(this.#value, name) : undefined
    if (!is(value)) throw invalid(`has no valid \`${name}\``)
    return value
  }

  object(name: string): Fields {
    return new Fields(this.get(name, isAnything))
  }

  list<T>(name: string, maxLength: number, is: Is<T>): readonly T[] {
    const list = this.get(
      name,
      (value): value is readonly unknown[] => Array.isArray(value) && value.length <= maxLength,
    )
    if (!list.every(is)) throw invalid(`has no valid \`${name}\``)
    return list
  }
}
