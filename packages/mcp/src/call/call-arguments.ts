/**
 * Reads the arguments of a call for the engine, and keeps their text for the server.
 *
 * The policy, the approver, the ledger and the server must see the same arguments. The server receives each number
 * as the client wrote it. A number is therefore accepted only if every reader gets the same value, or if the ledger
 * records all of its digits:
 *
 *   1.0  1e2  -0  0.1       numbers: the shortest text of their double has exactly this value
 *   9007199254740993        a bigint: all digits are recorded; no rule condition can be evaluated for it
 *   0.1000000000000000055   refused: the double that a policy would compare is a different number
 *   1e400  9007199254740993.0
 *
 * Names that differ only in case count as duplicates: many servers map `path`, `Path` and `PATH` to one field and
 * use the last value.
 */
import { isDeepStrictEqual } from 'node:util'
import { foldName } from '@sudoagent/core/boundary'
import { decimalOf } from '@sudoagent/crypto/json'
import { ARGUMENT_VALUES_MAX, MESSAGE_DEPTH_MAX } from '../limits.js'
import { parseExact, spellingOf, stringifyExact } from '../wire/exact-json.js'

export interface CallArguments {
  /** The arguments for the engine. */
  readonly values: Readonly<Record<string, unknown>>
  /** Why the arguments are refused, with the path of the refused value; null if they are accepted. */
  readonly refusal: string | null
  /** The arguments as the client wrote them; this text is forwarded. */
  readonly text: string
  /** The text with sorted keys: two calls with equal arguments have the same key. */
  readonly key: string
}

/** @param given - `arguments` of a message, as returned by `parseMessage` */
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
 * Returns the arguments for the server. The client's spelling is used only if it parses to exactly the values in the
 * authorization.
 *
 * @param decided - the arguments in the authorization
 */
export function forwardedArguments({ text }: CallArguments, decided: unknown): unknown {
  const written = parseExact(text, MESSAGE_DEPTH_MAX) as object
  return isDeepStrictEqual(new ArgumentReader().read(written), decided) ? written : decided
}

class ArgumentRefusal extends Error {}

/** Copies arguments; integers beyond ±(2^53−1) become bigints. */
class ArgumentReader {
  #values = 0

  /** @throws ArgumentRefusal */
  read(given: object): Record<string, unknown> {
    return this.#members(given, 'arguments')
  }

  #value(holder: object, key: string, value: unknown, path: string): unknown {
    this.#values += 1
    // The engine refuses arguments with more values and gives its own reason.
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
        throw new ArgumentRefusal(
          `\`${at}\` is a duplicate name: another name differs from it only in case or Unicode form`,
        )
      names.add(name)
      return [key, this.#value(given, key, value, at)]
    })
    // `fromEntries` defines own members, so `__proto__` is an ordinary key.
    return Object.fromEntries(members)
  }
}

/** @throws ArgumentRefusal */
function exactNumber(value: number, spelling: string, path: string): number | bigint {
  if (/^-?\d+$/.test(spelling)) return Number.isSafeInteger(value) ? value : BigInt(spelling)
  const shortest = String(value)
  if (!Number.isFinite(value) || decimalOf(spelling) !== decimalOf(shortest))
    throw new ArgumentRefusal(`\`${path}\` is a number that a double cannot represent exactly: send it as a string`)
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? wholeNumber(shortest) : value
}

/** @param shortest - an integer as ECMAScript serializes it: `1e+23`, `123456789012345680000` */
function wholeNumber(shortest: string): bigint {
  const [, digits = '0', power = '0'] = /^(-?\d+)e(\d+)$/.exec(decimalOf(shortest)) ?? []
  return BigInt(digits) * 10n ** BigInt(power)
}

/** A key is untrusted text, so it is shown only if it is an identifier. */
const step = (key: string): string => (/^[A-Za-z_$][\w$]{0,39}$/.test(key) ? `.${key}` : '[…]')
