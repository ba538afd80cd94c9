/**
 * Keeps exact numbers through the SDK's HTTP client, which parses and writes JSON itself. On input, a number that
 * the SDK would change becomes a string with a random prefix, which only this process knows. On output, the string
 * becomes the number again.
 *
 *   server {"id":9007199254740993} → SDK {"id":"<random>9007199254740993"} → guard {id: 9007199254740992, spelled …993}
 */
import { randomBytes } from 'node:crypto'
import { SERVER_MESSAGE_DEPTH_MAX } from '../limits.js'
import { isPlain, numberEnd, spell, stringEnd } from '../wire/exact-json.js'
import { idAt } from '../wire/message.js'

const MARK = `sudoagent-number-${randomBytes(16).toString('hex')}:`
const MARKED = new RegExp(`"${MARK}([-+.0-9eE]+)"`, 'g')

/**
 * @returns the text, with each such number replaced by a string
 * @throws SyntaxError for invalid JSON; RangeError if the nesting is too deep
 */
export function protectNumbers(text: string): string {
  // The scan below requires valid JSON.
  JSON.parse(text)
  const parts: string[] = []
  let written = 0
  let depth = 0
  for (let i = 0; i < text.length; ) {
    const char = text[i] ?? ''
    if (char === '"') i = stringEnd(text, i)
    else if (char === '-' || (char >= '0' && char <= '9')) {
      const end = numberEnd(text, i)
      const number = text.slice(i, end)
      if (!isPlain(number)) {
        parts.push(text.slice(written, i), `"${MARK}${number}"`)
        written = end
      }
      i = end
    } else {
      if (char === '{' || char === '[') depth += 1
      else if (char === '}' || char === ']') depth -= 1
      if (depth > SERVER_MESSAGE_DEPTH_MAX) throw new RangeError('a server message is nested too deeply')
      i += 1
    }
  }
  return parts.length === 0 ? text : parts.join('') + text.slice(written)
}

/** Reverses `protectNumbers`, except for white space. */
export const restoreText = (text: string): string => text.replaceAll(MARKED, '$1')

/**
 * Restores the protected numbers in a parsed message, with their original spelling. An integer id beyond ±(2^53−1)
 * becomes a bigint.
 */
export function restoreNumbers<T extends object>(message: T): T {
  restoreWithin(message)
  const id = idAt(message, 'id')
  return typeof id === 'bigint' ? Object.assign(message, { id }) : message
}

function restoreWithin(holder: object): void {
  for (const [key, value] of Object.entries(holder)) {
    if (typeof value === 'object' && value !== null) restoreWithin(value)
    else if (typeof value === 'string' && value.startsWith(MARK)) {
      const number = value.slice(MARK.length)
      // `Object.entries` lists only own members, so the prototype is not changed.
      Object.defineProperty(holder, key, {
        value: Number(number),
        enumerable: true,
        writable: true,
        configurable: true,
      })
      spell(holder, key, number)
    }
  }
}
