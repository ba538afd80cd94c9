import { escapeForTerminal } from '@sudoagent/crypto/text'

/** The largest integer that a double, and therefore every JSON parser, represents exactly. */
const INTEGER_MAX = Number.MAX_SAFE_INTEGER

/** The maximum edit distance between a misspelt name and its suggestion. A more distant suggestion would mislead. */
const SUGGESTION_EDITS_MAX = 3

/** Names longer than this get no suggestion, because the comparison takes quadratic time. */
const SUGGESTION_LENGTH_MAX = 40

/** Shortens and escapes an untrusted name for a message. */
export function quote(text: string): string {
  return `\`${escapeForTerminal(text.length > 80 ? `${text.slice(0, 80)}…` : text)}\``
}

/**
 * Reads every own field of an options object exactly once, so that a getter or a proxy cannot return different values
 * to the check and to the code that uses the option.
 *
 * @param what - the name of the object in messages, e.g. `budget limits`
 * @param known - the allowed names; any other own key is rejected
 * @throws TypeError if `value` is not an object or has an unknown field. The message suggests a known field
 * @example readFields('budget limits', { perTol: 3 }, ['perTool'])   // TypeError: … unknown option `perTol`, did
 *   you mean `perTool`?
 */
export function readFields(what: string, value: unknown, known: readonly string[]): ReadonlyMap<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError(`${what}: an object is required`)
  const fields = new Map<string, unknown>()
  for (const key of Reflect.ownKeys(value)) {
    if (typeof key !== 'string') throw new TypeError(`${what}: a symbol is not an option name`)
    if (!known.includes(key)) throw new TypeError(`${what}: unknown option ${quote(key)}, ${suggestion(key, known)}`)
    fields.set(key, (value as Record<string, unknown>)[key])
  }
  return fields
}

/**
 * Like `readFields`, but returns an object without a prototype, so that members of `Object.prototype` are not read
 * as options.
 *
 * @example const { clock } = readOptions<PollingApproverOptions>('polling approver', options, ['store',
 *   'intervalMs', 'clock'])
 */
export function readOptions<T extends object>(
  what: string,
  value: T,
  known: readonly (keyof T & string)[],
): { readonly [name in keyof T]?: T[name] } {
  return Object.assign(Object.create(null), Object.fromEntries(readFields(what, value, known)))
}

/**
 * Reads an own or inherited member of an untrusted object, such as a policy, a store or a store's answer. Members of
 * `Object.prototype` are ignored, so that prototype pollution does not change a decision.
 *
 * @returns undefined if there is no such member or `value` is not an object
 * @throws the error of a getter or a proxy trap
 */
export function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  for (let at: object | null = value; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const isRoot = at !== value && Object.getPrototypeOf(at) === null
    if (!isRoot && Object.hasOwn(at, name)) return Reflect.get(at, name, value)
  }
  return undefined
}

/**
 * Requires a well-formed string of `1…maxLength` UTF-16 code units (`0…` with `allowEmpty`).
 *
 * @returns `value`
 * @throws TypeError for any other value. A lone surrogate is rejected because UTF-8 replaces it with U+FFFD, which
 * would make different names equal.
 */
export function requireText(name: string, value: unknown, maxLength: number, allowEmpty = false): string {
  if (typeof value !== 'string') throw new TypeError(`\`${name}\` must be a string`)
  if (value === '' && !allowEmpty) throw new TypeError(`\`${name}\` must not be empty`)
  if (value.length > maxLength) throw new TypeError(`\`${name}\` is longer than ${maxLength} characters`)
  if (/\p{Surrogate}/u.test(value)) throw new TypeError(`\`${name}\` contains a lone surrogate`)
  return value
}

/**
 * Like `requireText`, for a name. The name is normalised to Unicode NFC before the check, so that different spellings
 * of the same name are equal.
 */
export function requireName(name: string, value: unknown, maxLength: number): string {
  return requireText(name, typeof value === 'string' ? value.normalize('NFC') : value, maxLength)
}

/** Requires an integer in `min…max`. @returns `value`. @throws TypeError for any other value */
export function requireInteger(name: string, value: unknown, min: number, max: number = INTEGER_MAX): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
    throw new TypeError(`\`${name}\` must be an integer from ${min} to ${max}`)
  }
  return value
}

/** Requires an object with these methods. @returns `value`. @throws TypeError for any other value */
export function requireMethods<T extends object>(name: string, value: T | undefined, methods: readonly string[]): T {
  if (typeof value !== 'object' || value === null) throw new TypeError(`\`${name}\` is needed`)
  const missing = methods.find((method) => typeof memberOf(value, method) !== 'function')
  if (missing !== undefined) throw new TypeError(`\`${name}\` must have a method \`${missing}\``)
  return value
}

/** Requires true or false. @returns `value`. @throws TypeError for any other value */
export function requireBoolean(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw new TypeError(`\`${name}\` must be true or false`)
  return value
}

/** Requires a function. @returns `value`. @throws TypeError for any other value */
export function requireFunction<T>(name: string, value: T): T {
  if (typeof value !== 'function') throw new TypeError(`\`${name}\` must be a function`)
  return value
}

/**
 * Requires a valid `Date`.
 *
 * @returns the Unix time in milliseconds, which, unlike the `Date`, the caller cannot change
 * @throws TypeError if `value` is not a `Date` or is an invalid `Date`
 */
export function requireInstantMs(name: string, value: unknown): number {
  const ms = isDate(value) ? Date.prototype.getTime.call(value) : Number.NaN
  if (Number.isNaN(ms)) throw new TypeError(`\`${name}\` must be a valid Date`)
  return ms
}

/**
 * Tests the internal slot instead of the class, so that a Date from a different realm, such as a vm context or a test
 * runner, is accepted.
 */
function isDate(value: unknown): value is Date {
  try {
    Date.prototype.getTime.call(value as Date)
    return true
  } catch {
    return false
  }
}

function suggestion(name: string, known: readonly string[]): string {
  const candidates =
    name.length > SUGGESTION_LENGTH_MAX ? [] : known.map((right) => ({ right, edits: distance(name, right) }))
  const best = candidates.sort((a, b) => a.edits - b.edits)[0]
  if (best !== undefined && best.edits <= SUGGESTION_EDITS_MAX) return `did you mean \`${best.right}\`?`
  return `the options are ${known.map((right) => `\`${right}\``).join(', ')}`
}

/**
 * Computes the case-insensitive Levenshtein distance: `perTools`, `pertool` and `preTool` are all close to `perTool`.
 */
function distance(a: string, b: string): number {
  const left = a.toLowerCase()
  const right = b.toLowerCase()
  let row = Array.from({ length: right.length + 1 }, (_, i) => i)
  for (let i = 1; i <= left.length; i++) {
    const next = [i]
    for (let j = 1; j <= right.length; j++) {
      const swap = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[right.length] ?? 0
}
