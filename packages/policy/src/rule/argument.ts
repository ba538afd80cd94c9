// Finding what a rule tests among the arguments of a call.
import { foldName, isIntegerText } from '@sudoagent/core'
import type { JsonValue } from '@sudoagent/crypto'
import { ARGUMENT_VALUES_MAX } from '../limits.js'

export type Found =
  | { readonly kind: 'value'; readonly value: JsonValue }
  | { readonly kind: 'absent' }
  /** There is something, but not what the path expects, or it cannot be seen. */
  | { readonly kind: 'unclear'; readonly why: string }

/** What the engine puts where a secret was (core's redaction): the value is not known here. */
export const REDACTED = '[redacted]'

/** What it puts where something was that is no plain data: `<undefined>`, `<function>`, `<Uint8Array:16>`. */
const PLACEHOLDER = /^<[\p{ID_Start}$_][\p{ID_Continue}$]*(?::\d+)?>$/u

/** What it makes of a Map and a Set. Their members are not where a path would look for them. */
const CONTAINERS: readonly string[] = ['<Map>', '<Set>']

const ABSENT: Found = Object.freeze({ kind: 'absent' })

const unclear = (why: string): Found => ({ kind: 'unclear', why })

/**
 * Follows a path. A key leads into an object, a number into a list, `*` into every element of a list: so there is one
 * result, or, with `*`, as many as there are elements.
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
    if (!/^(?:0|[1-9][0-9]*)$/.test(segment)) return [unclear('leads into a list')]
    const element = value[Number(segment)]
    return [element === undefined ? ABSENT : found(value, segment, element)]
  }
  if (typeof value !== 'object' || value === null) {
    return [
      unclear(isHidden(value) ? 'leads through a value that is not shown' : 'leads through a value that is no object'),
    ]
  }
  if (segment === '*') return [unclear('is no list')]
  const other = otherSpelling(value, rest)
  if (other !== null) return [unclear(other)]
  if (Object.hasOwn(value, segment)) return [found(value, segment, value[segment] as JsonValue)]
  return [CONTAINERS.some((name) => Object.hasOwn(value, name)) ? unclear('leads into a Map or a Set') : ABSENT]
}

/**
 * Other names under which a tool may look for what is tested: many bind names without regard to case, width or accents' form, and the
 * last wins; and some take a name with dots for a path.
 */
function otherSpelling(value: object, rest: readonly string[]): string | null {
  const [segment = ''] = rest
  const folded = foldName(segment)
  for (const name of Object.keys(value)) {
    if (name === segment) continue
    if (foldName(name) === folded) return 'has a name that differs only in case or form'
    if (name.includes('.') && spells(name.split('.'), rest))
      return 'is there under a name with dots that spells its path'
  }
  return null
}

/** Whether the parts of a name are two or more of the next segments; a number stands for the `*` of a list. */
function spells(parts: readonly string[], rest: readonly string[]): boolean {
  if (parts.length > rest.length) return false
  return parts.every((part, at) =>
    rest[at] === '*' ? /^(?:\*|[0-9]+)$/.test(part) : foldName(part) === foldName(rest[at] ?? ''),
  )
}

/** An integer that no double holds stands there as its digits: a test for a text must not take it for one, nor one for a number. */
function found(holder: object, key: string, value: JsonValue): Found {
  return isIntegerText(holder, key)
    ? unclear('is an integer beyond ±(2^53−1), which no test compares')
    : { kind: 'value', value }
}

/** A value that is not plain data is none that anything could be said of, not even that it is there: `<undefined>`. */
function seen(found: Found): Found {
  if (found.kind !== 'value' || typeof found.value !== 'string' || !PLACEHOLDER.test(found.value)) return found
  return unclear('is no plain data')
}

/** Also in part: of `/srv/[redacted]/x` nobody knows where it leads. */
export function isHidden(value: JsonValue): boolean {
  return typeof value === 'string' && (value.includes(REDACTED) || PLACEHOLDER.test(value))
}

const isList = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value)
