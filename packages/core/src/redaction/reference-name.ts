import { types } from 'node:util'
import { constructorName } from '../arguments/builtin.js'
import { CLASS_NAME_LENGTH_MAX } from '../limits.js'

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/

/**
 * Returns the name that represents a value passed by reference. No field is read, and no getter or proxy trap runs.
 *
 * @param isHarmless - returns true if a class name does not contain a secret
 */
export function nameOfReference(value: object, isHarmless: (name: string) => boolean): string {
  if (types.isProxy(value)) return '<object>'
  if (types.isPromise(value)) return '<Promise>'
  const prototype: object | null = Object.getPrototypeOf(value)
  const name = prototype === null ? undefined : constructorName(prototype)
  // The class name is caller input, too. `Object` is not used, because it would suggest a plain object that was read.
  if (name === undefined || name === 'Object' || name.length > CLASS_NAME_LENGTH_MAX) return '<object>'
  return IDENTIFIER.test(name) && isHarmless(name) ? `<${name}>` : '<object>'
}
