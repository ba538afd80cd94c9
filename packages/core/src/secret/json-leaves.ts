/**
 * Finds the leaves of JSON or of an object literal inside a string. The values under `"token": {…}` are concealed
 * individually, so that the names, the structure and the following text stay visible.
 */
import type { Quoting } from './quoting.js'
import { endOfQuoted, isOpening, match, type Stretch } from './value.js'

const BLANKS = /[\s:,]*/y
const STRING_START = /(\\*)(["'])/y
const NUMBER = /-?\d[\d.eE+-]*/y
const WORD = /[A-Za-z_$][\w$]*/y
const BEFORE_COLON = /(?:\\*["'])?[ \t]{0,8}:/y
const CONSTANTS = /^(?:true|false|null|undefined|True|False|None|nil)$/

export interface Leaf extends Stretch {
  /** Whether the value is written without quotes. */
  readonly bare: boolean
}

/**
 * Finds the leaves of the object or list that begins at `start`.
 *
 * @returns the leaves in order, and the end position: after the matching bracket, or at the first character that is not
 * JSON
 */
export function readLeaves(
  text: string,
  start: number,
  around: Quoting,
): { readonly leaves: readonly Leaf[]; readonly end: number } {
  const leaves: Leaf[] = []
  let depth = 0
  let at = start
  while (at < text.length) {
    at += match(BLANKS, text, at).length
    const char = text[at] ?? ''
    if (char === '{' || char === '[') {
      depth++
      at++
      continue
    }
    if (char === '}' || char === ']') {
      at++
      if (--depth === 0) break
      continue
    }
    const string = readString(text, at, around)
    if (string !== null) {
      at = string.next
      if (string.isLeaf) leaves.push({ start: string.start, end: string.end, bare: false })
      if (!string.closed) break
      continue
    }
    const number = match(NUMBER, text, at)
    const word = number === '' ? match(WORD, text, at) : ''
    const length = number.length + word.length
    if (number !== '') leaves.push({ start: at, end: at + length, bare: true })
    else if (char !== '\uffff' && char !== '\ufffe' && !isKnownWord(text, at, word)) break
    at += Math.max(1, length)
  }
  return { leaves, end: at }
}

function isKnownWord(text: string, at: number, word: string): boolean {
  return word !== '' && (CONSTANTS.test(word) || match(BEFORE_COLON, text, at + word.length) !== '')
}

function readString(text: string, at: number, around: Quoting) {
  STRING_START.lastIndex = at
  const [open, { length: level } = '', quote] = STRING_START.exec(text) ?? []
  if (open === undefined || quote === undefined || !isOpening(quote, level, around)) return null
  const start = at + open.length
  const end = endOfQuoted(text, start, quote, level, around)
  if (end === null) return null
  const closed = text.startsWith(open, end)
  const isKey = closed && match(BEFORE_COLON, text, end) !== ''
  return { start, end, next: closed ? end + open.length : end, isLeaf: !isKey, closed }
}
