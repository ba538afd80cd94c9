// Reads the members of objects in a policy file: checks for required and unknown keys, and suggests corrections for
// misspelt keys.
import { escapeForTerminal, hasMixedScript } from '@sudoagent/crypto/text'
import { LIST_MAX } from '../limits.js'
import type { LocatedMap, LocatedScalar, LocatedValue, Source } from './located.js'

/** The maximum edit distance between a misspelt name and its suggestion. A more distant suggestion would mislead. */
const SUGGESTION_EDITS_MAX = 2

/** Names longer than this get no suggestion, because the comparison takes quadratic time. */
const SUGGESTION_LENGTH_MAX = 40

/** Requires an object without unknown keys. @throws PolicyFileError */
export function readMap(value: LocatedValue, what: string, known: readonly string[], source: Source): LocatedMap {
  if (value.kind !== 'map') {
    throw source.error('POLICY_TYPE', value.at, `${what} must be an object`, `its keys are ${listed(known)}`)
  }
  for (const [name, { at }] of value.members) {
    if (known.includes(name)) continue
    const meant = nearest(name, known)
    const hint = meant === undefined ? `the keys are ${listed(known)}` : `did you mean \`${meant}\`?`
    throw source.error('POLICY_KEY_UNKNOWN', at, `${what} has an unknown key \`${shown(name)}\``, hint)
  }
  return value
}

/** Returns the value of a required key. @throws PolicyFileError `POLICY_KEY_MISSING` */
export function need(map: LocatedMap, key: string, what: string, source: Source, hint: string): LocatedValue {
  const found = map.members.get(key)
  if (found === undefined) throw source.error('POLICY_KEY_MISSING', map.at, `${what} has no \`${key}\``, hint)
  return found.value
}

export interface TextRules {
  readonly maxLength: number
  readonly allowEmpty?: boolean
}

/** @throws PolicyFileError */
export function readText(value: LocatedValue, name: string, rules: TextRules, source: Source): string {
  if (value.kind !== 'scalar' || typeof value.value !== 'string') {
    const hint =
      value.kind === 'scalar' && value.value !== null ? `put quotation marks around the value` : 'write a string'
    throw source.error('POLICY_TYPE', value.at, `\`${name}\` must be a string`, hint)
  }
  if (value.value === '' && rules.allowEmpty !== true) {
    throw source.error('POLICY_VALUE', value.at, `\`${name}\` is empty`, 'write a value, or omit the key')
  }
  if (value.value.length > rules.maxLength) {
    throw source.error(
      'POLICY_LIMIT',
      value.at,
      `\`${name}\` is longer than ${rules.maxLength} characters`,
      'shorten it',
    )
  }
  return value.value
}

/**
 * Reads an id. Only some characters are allowed, because ids are part of reason codes and are printed on terminals.
 * @throws PolicyFileError
 */
export function readId(value: LocatedValue, name: string, maxLength: number, source: Source): string {
  const id = readText(value, name, { maxLength }, source)
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(id)) return id
  const hint = 'use letters, digits, `.`, `_` and `-`, and begin with a letter or a digit'
  throw source.error('POLICY_VALUE', value.at, `\`${shown(id)}\` is not a valid id`, hint)
}

/** Reads a value that must be one of `choices`. @throws PolicyFileError */
export function readChoice<T extends string>(
  value: LocatedValue,
  name: string,
  choices: readonly T[],
  source: Source,
): T {
  const text = value.kind === 'scalar' ? value.value : null
  const choice = choices.find((known) => known === text)
  if (choice !== undefined) return choice
  const meant = typeof text === 'string' ? nearest(text, choices) : undefined
  const hint = meant === undefined ? `the values are ${listed(choices)}` : `did you mean \`${meant}\`?`
  const says = typeof text === 'string' ? `\`${shown(text)}\` is not a valid ${name}` : `\`${name}\` must be a string`
  throw source.error(typeof text === 'string' ? 'POLICY_VALUE' : 'POLICY_TYPE', value.at, says, hint)
}

/**
 * Reads a list; a single value counts as a list of one. @throws PolicyFileError when the list is empty or too long
 */
export function readList(value: LocatedValue, name: string, source: Source, max = LIST_MAX): readonly LocatedValue[] {
  if (value.kind !== 'list') return [value]
  if (value.items.length === 0) {
    throw source.error('POLICY_VALUE', value.at, `\`${name}\` is an empty list`, 'add an item, or omit the key')
  }
  if (value.items.length > max) {
    throw source.error('POLICY_LIMIT', value.at, `\`${name}\` has more than ${max} elements`, 'shorten it')
  }
  return value.items
}

/** Reads a finite number; an integer must be exactly representable as a double. @throws PolicyFileError */
export function readNumber(value: LocatedValue, name: string, source: Source): number {
  const given = value.kind === 'scalar' ? value.value : null
  if (typeof given !== 'number' && typeof given !== 'bigint') {
    throw source.error(
      'POLICY_TYPE',
      value.at,
      `\`${name}\` must be a number`,
      'write the number without quotation marks',
    )
  }
  return exact(given, value as LocatedScalar, name, source)
}

export function exact(given: number | bigint, value: LocatedScalar, name: string, source: Source): number {
  const number = Number(given)
  if (Number.isFinite(number) && (typeof given === 'number' || Number.isSafeInteger(number))) return number + 0
  const hint = `the largest integer is ${Number.MAX_SAFE_INTEGER}; policies see larger integers as strings`
  throw source.error('POLICY_VALUE', value.at, `\`${name}\` is not finite, or is too large to be exact`, hint)
}

/** Reads a flag whose only valid value is `true`. To turn the flag off, omit the key. @throws PolicyFileError */
export function readTrue(value: LocatedValue, name: string, source: Source): true {
  if (value.kind === 'scalar' && value.value === true) return true
  throw source.error(
    'POLICY_VALUE',
    value.at,
    `\`${name}\` can only be \`true\``,
    'to turn the option off, omit the key',
  )
}

/**
 * Rejects a name that mixes scripts. Such a name looks like the intended name but does not match it, so a rule that
 * denies the name would deny nothing.
 *
 * @throws PolicyFileError
 */
export function requireOneScript(name: string, what: string, at: number, source: Source): void {
  if (!hasMixedScript(name)) return
  const says = `the ${what} \`${shown(name)}\` mixes scripts or contains lookalike letters`
  throw source.error('POLICY_VALUE', at, says, 'retype the name; the letters shown as code points are wrong')
}

const listed = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ')

/** Shortens untrusted text for a one-line message and escapes invisible characters. */
export function shown(text: string): string {
  const cut = text.length > 60 ? `${text.slice(0, 60).toWellFormed()}…` : text
  return escapeForTerminal(cut)
}

function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > SUGGESTION_LENGTH_MAX) return undefined
  const ranked = known.map((right) => ({ right, edits: distance(name.toLowerCase(), right.toLowerCase()) }))
  const [best] = ranked.sort((a, b) => a.edits - b.edits)
  return best !== undefined && best.edits <= SUGGESTION_EDITS_MAX ? best.right : undefined
}

/** The Levenshtein distance between two strings. */
function distance(left: string, right: string): number {
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
