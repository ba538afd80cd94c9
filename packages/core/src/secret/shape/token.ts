/**
 * Finds tokens by their issuer's prefix, using the tables in `token-format/`.
 *
 * Matching takes linear time without backtracking: one regular expression that consists of literals finds the prefixes,
 * and the text after a prefix is read once, character by character. After a token, the search continues at its end. If
 * the text after a prefix is not a token, at most `LOOK_LENGTH` characters were read.
 */

import type { Span } from '../masked-text.js'
import { endsInBorder } from './border.js'
import { CLOUD_FORMATS } from './token-format/cloud.js'
import { CODE_FORMATS } from './token-format/code.js'
import { MODEL_FORMATS } from './token-format/model.js'
import { SERVICE_FORMATS } from './token-format/service.js'
import { ALPHABETS, type Alphabet, type TokenCondition, type TokenFormatRow } from './token-format/source.js'

export const TOKEN_FORMATS: readonly TokenFormatRow[] = [
  ...MODEL_FORMATS,
  ...CLOUD_FORMATS,
  ...CODE_FORMATS,
  ...SERVICE_FORMATS,
]

interface Format {
  readonly prefix: string
  readonly allowed: ReadonlySet<string>
  readonly lengthMin: number
  readonly condition: TokenCondition | undefined
}

/** The number of characters after a prefix that decide whether the text is a token. */
const LOOK_LENGTH = 128

const SETS = new Map(Object.entries(ALPHABETS).map(([name, letters]) => [name as Alphabet, new Set<string>(letters)]))

const FORMATS: readonly Format[] = TOKEN_FORMATS.map(([, prefix, alphabet, lengthMin, , condition]) => ({
  prefix,
  allowed: SETS.get(alphabet) ?? new Set(),
  lengthMin,
  condition,
}))

/** The shortest prefixes. None of these prefixes begins with a different prefix from the list. */
const HEADS: readonly string[] = [...new Set(FORMATS.map(({ prefix }) => prefix))].filter(
  (prefix, _, all) => !all.some((other) => other !== prefix && prefix.startsWith(other)),
)

const BY_HEAD = new Map(HEADS.map((head) => [head, FORMATS.filter(({ prefix }) => prefix.startsWith(head))]))

/** Matches every text that contains a prefix; used by `mayHoldSecret`. */
export const TOKEN_PREFIXES: string = HEADS.map((head) => head.replace(/[$+./|*?()[\]\\^{}]/g, '\\$&')).join('|')

/** Counts the characters that were read, for tests of the running time. */
export interface Meter {
  steps: number
}

export function findTokens(text: string, meter: Meter = { steps: 0 }): readonly Span[] {
  const spans: Span[] = []
  const heads = new RegExp(TOKEN_PREFIXES, 'g')
  for (let head = heads.exec(text); head !== null; head = heads.exec(text)) {
    const start = head.index
    const end = endOfToken(text, start, BY_HEAD.get(head[0]) ?? [], meter)
    if (end > start) spans.push({ start, end, kind: 'token' })
    heads.lastIndex = Math.max(end, start + 1)
  }
  return spans
}

function endOfToken(text: string, start: number, formats: readonly Format[], meter: Meter): number {
  const isStart = endsInBorder(text, start)
  let end = start
  for (const { prefix, allowed, lengthMin, condition } of formats) {
    if ((!isStart && condition !== 'anywhere') || !text.startsWith(prefix, start)) continue
    const body = start + prefix.length
    const look = runEnd(text, body, allowed, body + LOOK_LENGTH, meter)
    if (look - body < lengthMin || !holds(condition, text.slice(body, look), text[look])) continue
    end = Math.max(end, runEnd(text, look, allowed, text.length, meter))
  }
  // A full stop at the end of a sentence is not part of a token.
  while (end > start && text[end - 1] === '.') end--
  return end
}

function runEnd(text: string, from: number, allowed: ReadonlySet<string>, last: number, meter: Meter): number {
  let at = from
  while (at < last && at < text.length && allowed.has(text[at] ?? '')) at++
  meter.steps += at - from + 1
  return at
}

function holds(condition: TokenCondition | undefined, body: string, next: string | undefined): boolean {
  switch (condition) {
    case 'digit':
      return /\d/.test(body)
    case 'mixed':
      return /\d/.test(body) && /[a-z]/.test(body) && /[A-Z]/.test(body)
    // `sk-learn` and `sk-image` are libraries; `sk-fading-circle` and `sk-cubeGridScaleDelay` are CSS styles. A key
    // without a digit is rare and long.
    case 'library':
      return /^[A-Za-z_]{20}/.test(body) || (/\d/.test(body) && !/^(?:learn|image)(?![A-Za-z])/.test(body))
    // `npm_config_cache` and similar names are npm settings.
    case 'npm':
      return body.length >= 30 || (/[A-Z0-9]/.test(body) && next !== '_')
    case 'asia':
      return body.length >= 16 || /\d/.test(body)
    default:
      return true
  }
}
