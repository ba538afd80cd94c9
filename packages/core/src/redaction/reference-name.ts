import { types } from 'node:util'
import { constructorName } from '../arguments/builtin.js'
import { CLASS_NAME_LENGTH_MAX } from '../limits.js'

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/

/**
 * The name of a value that was passed by reference. No field is read, and no getter or proxy trap runs.
 *
 * @param isHarmless - whether the name of a class contains no secret
 */
export function nameOfReference(value: object, isHarmless: (name: string) => boolean): string {
  if (types.isProxy(value)) return '<object>'
  if (types.isPromise(value)) return '<Promise>'
  const prototype: object | null = Object.getPrototypeOf(value)
  const name = prototype === null ? undefined : constructorName(prototype)
  // The name is the caller's text, too, and `Object` would suggest a plain object that was read.
  if (name === undefined || name === 'Object' || name.length > CLASS_NAME_LENGTH_MAX) return '<object>'
  return IDENTIFIER.test(name) && isHarmless(name) ? `<${name}>` : '<object>'
}
