/** What redaction took out of a call's arguments, and whether the policy looked at the list. */
import type { ConcealmentKind } from '../secret/masked-text.js'

/** One place of the arguments at which something is not shown. */
export interface Concealment {
  /**
   * Where: names and indexes joined by dots, `headers.Authorization` for a named argument, `0.password` for a
   * positional one; a name with other characters than letters, digits, `_`, `-`, `$` stands in JSON quotes.
   */
  readonly path: string
  /** Which rule it was: what stands under a sensitive `name`, a `token` of a known format, a `private key`, … */
  readonly kind: ConcealmentKind
  /** How many UTF-16 units are not shown. */
  readonly length: number
}

/** More places than this are counted in one last item of kind `text` without a path (`…`). */
const PLACES_MAX = 128

/** Collects concealments: one for each path and kind. */
export class ConcealmentList {
  readonly #items = new Map<string, { path: string; kind: ConcealmentKind; length: number }>()
  /** How many UTF-16 units were concealed that nobody declared a secret. */
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

  /** Deep-frozen. */
  toArray(): readonly Concealment[] {
    return Object.freeze([...this.#items.values()].map((item) => Object.freeze({ ...item })))
  }
}

const PLAIN_SEGMENT = /^[\p{L}\p{N}_$-]{1,64}$/u
const SEGMENT_LENGTH_MAX = 64
/** The deepest call has more levels than a reader needs. */
const PATH_LENGTH_MAX = 128

/** Joins a path. Names come from the call: they are quoted where they could be taken for more than one segment. */
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

/** @example describeConcealed([{ path: 'command', kind: 'name', length: 42 }]) // '42 characters are NOT SHOWN (command)' */
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
