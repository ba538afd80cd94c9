import { types } from 'node:util'
import { constructorName } from '../arguments/builtin.js'
import { CLASS_NAME_LENGTH_MAX } from '../limits.js'

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/

/**
 * Names what was passed by reference, without reading a field, running a getter or waking a proxy.
 *
 * @param isHarmless whether a class's name holds no secret
 */
export function nameOfReference(value: object, isHarmless: (name: string) => boolean): string {
  if (types.isProxy(value)) return '<object>'
  if (types.isPromise(value)) return '<Promise>'
  const prototype: object | null = Object.getPrototypeOf(value)
  const name = prototype === null ? undefined : constructorName(prototype)
  // A name is somebody's text too, and `Object` would say that this was a plain object which had been read.
  if (name === undefined || name === 'Object' || name.length > CLASS_NAME_LENGTH_MAX) return '<object>'
  return IDENTIFIER.test(name) && isHarmless(name) ? `<${name}>` : '<object>'
}
