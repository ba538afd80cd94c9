/**
 * The arguments of a call as the boundary takes them, and their text.
 *
 * Policy, approver, record and server must see the same arguments. A number reaches the server as it was written, so it is only let through
 * where every reader sees the same value in it, or where the record holds all of its digits:
 *
 *     1.0  1e2  -0  0.1       as numbers: the shortest text of their double has exactly this value
 *     9007199254740993        as a bigint: on record with its digits, and unclear to every test of a rule
 *     0.1000000000000000055   refused: a double is another number, and so is what a policy would compare
 *     1e400  9007199254740993.0
 *
 * The same holds for names: many servers bind `path`, `Path` and `PATH` to one field and take the last.
 */
import { isDeepStrictEqual } from 'node:util'
import { foldName } from '@sudoagent/core'
import { ARGUMENT_VALUES_MAX, MESSAGE_DEPTH_MAX } from '../limits.js'
import { parseExact, spellingOf, stringifyExact } from '../wire/exact-json.js'

export interface CallArguments {
  /** For the engine. */
  readonly values: Readonly<Record<string, unknown>>
  /** Why they are refused, with the path of the value; null when they are not. */
  readonly refusal: string | null
  /** As they were written: what is forwarded. */
  readonly text: string
  /** The same with sorted keys: two calls with equal arguments have the same one. */
  readonly key: string
}

/** @param given - `arguments` of a message, as `parseMessage` gives it */
export function readCallArguments(given: object): CallArguments {
  const text = stringifyExact(given)
  const key = stringifyExact(given, true)
  const reader = new ArgumentReader()
  try {
    return { values: reader.read(given), refusal: null, text, key }
  } catch (error) {
    if (!(error instanceof ArgumentRefusal)) throw error
    return { values: {}, refusal: error.message, text, key }
  }
}

/**
 * What goes to the server: the arguments as they were written, if parsing that text gives exactly what was decided on.
 *
 * @param decided - the values of the authorization
 */
export function forwardedArguments({ text }: CallArguments, decided: unknown): unknown {
  const written = parseExact(text, MESSAGE_DEPTH_MAX) as object
  return isDeepStrictEqual(new ArgumentReader().read(written), decided) ? written : decided
}

class ArgumentRefusal extends Error {}

/** Copies arguments, with whole numbers beyond ±(2^53−1) as bigints. */
class ArgumentReader {
  #values = 0

  /** @throws ArgumentRefusal */
  read(given: object): Record<string, unknown> {
    return this.#members(given, 'arguments')
  }

  #value(holder: object, key: string, value: unknown, path: string): unknown {
    this.#values += 1
    // The engine refuses more than that, and says so.
    if (this.#values > ARGUMENT_VALUES_MAX) return value
    if (typeof value === 'number') return exactNumber(value, spellingOf(holder, key) ?? String(value), path)
    if (typeof value !== 'object' || value === null) return value
    if (!Array.isArray(value)) return this.#members(value, path)
    return value.map((element: unknown, index) => this.#value(value, String(index), element, `${path}[${index}]`))
  }

  #members(given: object, path: string): Record<string, unknown> {
    const names = new Set<string>()
    const members = Object.entries(given).map(([key, value]) => {
      const at = path + step(key)
      const name = foldName(key)
      if (names.has(name))
        throw new ArgumentRefusal(`\`${at}\` is a name twice: it differs from another only in case or form`)
      names.add(name)
      return [key, this.#value(given, key, value, at)]
    })
    // Defines members: a key `__proto__` is a key like any other.
    return Object.fromEntries(members)
  }
}

/** @throws ArgumentRefusal */
function exactNumber(value: number, spelling: string, path: string): number | bigint {
  if (/^-?\d+$/.test(spelling)) return Number.isSafeInteger(value) ? value : BigInt(spelling)
  const shortest = String(value)
  if (!Number.isFinite(value) || decimalOf(spelling) !== decimalOf(shortest))
    throw new ArgumentRefusal(`\`${path}\` is a number that a double cannot hold exactly: write it as text`)
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? wholeNumber(shortest) : value
}

/** The exact value of a JSON number, in one form for each value: digits without zeros at either end, and the power of ten. */
function decimalOf(number: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? []
  const digits = (whole + fraction).replace(/^0+/, '')
  if (digits === '') return '0'
  const significant = digits.replace(/0+$/, '')
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length)
  return `${sign}${significant}e${power}`
}

/** @param shortest - `1e+23`, `123456789012345680000`: a whole number as ECMAScript prints it */
function wholeNumber(shortest: string): bigint {
  const [, digits = '0', power = '0'] = /^(-?\d+)e(\d+)$/.exec(decimalOf(shortest)) ?? []
  return BigInt(digits) * 10n ** BigInt(power)
}

/** A key is a stranger's text: it is shown only when it is an identifier. */
const step = (key: string): string => (/^[A-Za-z_$][\w$]{0,39}$/.test(key) ? `.${key}` : '[…]')
