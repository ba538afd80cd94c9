// Finds the call arguments that a rule tests.
import { foldName, isIntegerText } from '@sudoagent/core/boundary'
import type { JsonValue } from '@sudoagent/crypto/json'
import { ARGUMENT_VALUES_MAX } from '../limits.js'

export type Found =
  | { readonly kind: 'value'; readonly value: JsonValue }
  | { readonly kind: 'absent' }
  /** The value exists, but it is hidden or does not have the type that the path requires. */
  | { readonly kind: 'unclear'; readonly why: string }

/** The text with which the engine replaces a secret. The policy never sees the secret itself. */
export const REDACTED = '[redacted]'

/** The engine's placeholder for a value that is not plain data: `<undefined>`, `<function>`, `<Uint8Array:16>`. */
const PLACEHOLDER = /^<[\p{ID_Start}$_][\p{ID_Continue}$]*(?::\d+)?>$/u

/** The keys with which the engine represents a Map or a Set. A path cannot address entries of a Map or a Set. */
const CONTAINERS: readonly string[] = ['<Map>', '<Set>']

const ABSENT: Found = Object.freeze({ kind: 'absent' })

const unclear = (why: string): Found => ({ kind: 'unclear', why })

/**
 * Follows a path. A key selects a member of an object; a number selects an element of a list; `*` selects every
 * element of a list. Returns one result, or, for a path with `*`, one result for each element.
 *
 * @example findArguments({ edits: [{ to: 'a' }, {}] }, ['edits', '*', 'to'])   // [{ value: 'a' }, absent]
 */
export function findArguments(
  kwargs: Readonly<Record<string, JsonValue>>,
  segments: readonly string[],
): readonly Found[] {
  let level: readonly Found[] = [{ kind: 'value', value: kwargs }]
  for (let depth = 0; depth < segments.length; depth += 1) {
    const rest = segments.slice(depth)
    const next: Found[] = []
    for (const found of level) {
      if (found.kind === 'value') next.push(...step(found.value, rest))
      else next.push(found)
      if (next.length > ARGUMENT_VALUES_MAX) return [unclear(`has more than ${ARGUMENT_VALUES_MAX} values`)]
    }
    level = next
  }
  return level.map(seen)
}

function step(value: JsonValue, rest: readonly string[]): readonly Found[] {
  const [segment = ''] = rest
  if (isList(value)) {
    if (segment === '*') {
      const elements = value.slice(0, ARGUMENT_VALUES_MAX + 1)
      return elements.map((each, index) => found(value, String(index), each))
    }
    if (!/^(?:0|[1-9][0-9]*)$/.test(segment)) return [unclear('expects an object but finds a list')]
    const element = value[Number(segment)]
    return [element === undefined ? ABSENT : found(value, segment, element)]
  }
  if (typeof value !== 'object' || value === null) {
    return [
      unclear(isHidden(value) ? 'goes through a redacted value' : 'expects an object but finds a different value'),
    ]
  }
  if (segment === '*') return [unclear('expects a list but finds an object')]
  const other = otherSpelling(value, rest)
  if (other !== null) return [unclear(other)]
  if (Object.hasOwn(value, segment)) return [found(value, segment, value[segment] as JsonValue)]
  return [CONTAINERS.some((name) => Object.hasOwn(value, name)) ? unclear('cannot read a Map or a Set') : ABSENT]
}

/**
 * Finds a different spelling under which a tool may look up the tested argument. Many tools ignore the case, width or
 * Unicode form of names and use the last match; some tools read a name with dots as a path.
 */
function otherSpelling(value: object, rest: readonly string[]): string | null {
  const [segment = ''] = rest
  const folded = foldName(segment)
  for (const name of Object.keys(value)) {
    if (name === segment) continue
    if (foldName(name) === folded) return 'also exists under a name that differs only in case or Unicode form'
    if (name.includes('.') && spells(name.split('.'), rest)) return 'also exists under a single name with dots'
  }
  return null
}

/** Whether the dotted parts of a name equal two or more of the next path segments. A number matches `*`. */
function spells(parts: readonly string[], rest: readonly string[]): boolean {
  if (parts.length > rest.length) return false
  return parts.every((part, at) =>
    rest[at] === '*' ? /^(?:\*|[0-9]+)$/.test(part) : foldName(part) === foldName(rest[at] ?? ''),
  )
}

/**
 * The engine passes an integer that a double cannot represent as a string of digits. Neither a string test nor a number
 * test may match such an integer.
 */
function found(holder: object, key: string, value: JsonValue): Found {
  return isIntegerText(holder, key)
    ? unclear('is an integer beyond ±(2^53−1), which tests cannot compare')
    : { kind: 'value', value }
}

/** A placeholder such as `<undefined>` is unclear, even for the tests `present` and `absent`. */
function seen(found: Found): Found {
  if (found.kind !== 'value' || typeof found.value !== 'string' || !PLACEHOLDER.test(found.value)) return found
  return unclear('is not plain data')
}

/**
 * Whether a value is redacted in whole or in part. A partly redacted value cannot be tested: the target of
 * `/srv/[redacted]/x` is unknown.
 */
export function isHidden(value: JsonValue): boolean {
  return typeof value === 'string' && (value.includes(REDACTED) || PLACEHOLDER.test(value))
}

const isList = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value)
