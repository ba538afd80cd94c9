/** Collects the concealed parts of a call's arguments. */
import type { ConcealmentKind } from '../secret/masked-text.js'

/** A concealed place in the arguments. */
export interface Concealment {
  /**
   * The path: names and indexes joined by dots, such as `headers.Authorization` for a named argument or `0.password`
   * for a positional argument. A name is written in JSON quotes if it contains characters other than letters, digits,
   * `_`, `-` and `$`.
   */
  readonly path: string
  /**
   * The kind of the rule that matched: a value under a sensitive `name`, a `token` of a known format, a `private
   * key`, …
   */
  readonly kind: ConcealmentKind
  /** The number of concealed UTF-16 code units. */
  readonly length: number
}

/**
 * The maximum number of listed places. A last item, with kind `text` and path `…`, counts all further places
 * together.
 */
const PLACES_MAX = 128

/** Collects concealed places, with one item for each path and kind. */
export class ConcealmentList {
  readonly #items = new Map<string, { path: string; kind: ConcealmentKind; length: number }>()
  /** The number of concealed UTF-16 code units that are not declared as secret. */
  undeclared = 0

  add(path: string, kind: ConcealmentKind, length: number, declared: boolean): void {
    if (!declared) this.undeclared += Math.max(1, length)
    const key = `${kind} ${path}`
    const known = this.#items.get(key)
    if (known !== undefined) known.length += length
    else if (this.#items.size < PLACES_MAX) this.#items.set(key, { path, kind, length })
    else this.#add('…', length)
  }

  #add(path: string, length: number): void {
    const rest = this.#items.get(path)
    if (rest === undefined) this.#items.set(path, { path, kind: 'text', length })
    else rest.length += length
  }

  /** @returns a deeply frozen list */
  toArray(): readonly Concealment[] {
    return Object.freeze([...this.#items.values()].map((item) => Object.freeze({ ...item })))
  }
}

const PLAIN_SEGMENT = /^[\p{L}\p{N}_$-]{1,64}$/u
const SEGMENT_LENGTH_MAX = 64
/** Paths of deep values are shortened. */
const PATH_LENGTH_MAX = 128

/** Joins path segments. Names come from the call, so a name that could be read as several segments is quoted. */
export function pathText(segments: readonly string[]): string {
  const text = segments
    .map((segment) => {
      const short =
        segment.length > SEGMENT_LENGTH_MAX ? `${segment.slice(0, SEGMENT_LENGTH_MAX)}…`.toWellFormed() : segment
      return PLAIN_SEGMENT.test(segment) ? segment : JSON.stringify(short)
    })
    .join('.')
  return text.length > PATH_LENGTH_MAX ? `${text.slice(0, PATH_LENGTH_MAX)}…`.toWellFormed() : text
}

/**
 * Describes the concealed parts in words, for approvers and denials.
 *
 * @example
 * describeConcealed([{ path: 'command', kind: 'name', length: 42 }]) // '42 characters are NOT SHOWN (command)'
 */
export function describeConcealed(list: readonly Concealment[]): string {
  const length = list.reduce((sum, item) => sum + item.length, 0)
  const paths = [...new Set(list.map(({ path }) => path))]
  const more = paths.length > PATHS_NAMED_MAX ? `, and ${paths.length - PATHS_NAMED_MAX} more` : ''
  const characters = length === 1 ? '1 character is' : `${length} characters are`
  return `${characters} NOT SHOWN (${paths.slice(0, PATHS_NAMED_MAX).map(shorten).join(', ')}${more})`
}

const PATHS_NAMED_MAX = 3
const PATH_NAMED_LENGTH_MAX = 64

const shorten = (path: string): string =>
  path.length > PATH_NAMED_LENGTH_MAX ? `${path.slice(0, PATH_NAMED_LENGTH_MAX)}…`.toWellFormed() : path
