/**
 * A string in which one mark replaces each concealed part, so that rules never search inside a concealed part. The
 * length of each concealed part is stored separately.
 *
 * The marks are two Unicode noncharacters. The first marks a part that a rule concealed. The second marks text that
 * only looks concealed: a `[redacted]` that the caller wrote, or a literal noncharacter. Rules treat both marks alike,
 * so redacting a redacted string does not change it.
 */

/** The text that replaces every secret. */
export const REDACTED = '[redacted]'

const CONCEALED = '\uffff'
const LITERAL = '\ufffe'
const MARK = /[\ufffe\uffff]/g
const LITERALS = /\[redacted\]|[\ufffe\uffff]/g

/** The kind of the rule that concealed a part. */
export type ConcealmentKind =
  | 'name'
  | 'token'
  | 'private key'
  | 'url password'
  | 'authorization'
  | 'jwt'
  | 'webhook'
  | 'command'
  | 'pattern'
  | 'text'

/** A part of a string that a rule conceals. Positions are in UTF-16 code units; `end` is exclusive. */
export interface Span {
  readonly start: number
  readonly end: number
  readonly kind: ConcealmentKind
  /** Whether the caller's options declare this part as secret. Default: false. */
  readonly declared?: boolean
  /** The quotes to put around the replacement, so that JSON in a string stays valid. */
  readonly quote?: string
}

/** A concealed part of one string: its kind and its length in UTF-16 code units. */
export interface ConcealedPart {
  readonly kind: ConcealmentKind
  readonly length: number
  readonly declared: boolean
}

type Mark = ConcealedPart | { readonly kind: null; readonly text: string }

export class MaskedText {
  #text: string
  #marks: readonly Mark[]

  constructor(text: string) {
    const marks: Mark[] = []
    this.#text = text.replace(LITERALS, (literal) => {
      marks.push({ kind: null, text: literal })
      return LITERAL
    })
    this.#marks = marks
  }

  /** The text that the rules search. */
  get text(): string {
    return this.#text
  }

  /**
   * Conceals parts of `text`.
   *
   * @param spans - in order, without overlaps
   * @returns whether the text changed. A span that consists of one mark is already concealed
   */
  conceal(spans: readonly Span[]): boolean {
    const marks: Mark[] = []
    let text = ''
    let done = 0
    let marksDone = 0
    let changed = false
    const take = (end: number): readonly Mark[] => {
      const count = countMarks(this.#text.slice(done, end))
      done = end
      marksDone += count
      return this.#marks.slice(marksDone - count, marksDone)
    }
    for (const { start, end, kind, declared = false, quote = '' } of spans) {
      const inside = this.#text.slice(start, end)
      if (inside === '' || inside === CONCEALED || inside === LITERAL) continue
      text += this.#text.slice(done, start)
      for (const mark of take(start)) marks.push(mark)
      const covered = take(end)
      const length = covered.reduce((sum, mark) => sum + lengthOf(mark) - 1, inside.length)
      text += quote + CONCEALED + quote
      marks.push({ kind, length, declared: declared && covered.every((mark) => mark.kind === null || mark.declared) })
      changed = true
    }
    if (!changed) return false
    text += this.#text.slice(done)
    for (const mark of take(this.#text.length)) marks.push(mark)
    this.#text = text
    this.#marks = marks
    return true
  }

  /** Returns the parts of the text between marks, with their positions in `text`. */
  *pieces(): Generator<{ readonly start: number; readonly text: string }> {
    let start = 0
    for (const { index } of this.#text.matchAll(MARK)) {
      yield { start, text: this.#text.slice(start, index) }
      start = index + 1
    }
    yield { start, text: this.#text.slice(start) }
  }

  /** Returns the concealed parts in order. */
  concealed(): readonly ConcealedPart[] {
    return this.#marks.filter((mark) => mark.kind !== null)
  }

  /** Returns the text with `[redacted]` in place of the concealed parts. */
  toString(): string {
    let next = 0
    return this.#text.replace(MARK, () => {
      const mark = this.#marks[next++]
      return mark === undefined || mark.kind !== null ? REDACTED : mark.text
    })
  }
}

const lengthOf = (mark: Mark): number => (mark.kind === null ? mark.text.length : mark.length)

function countMarks(text: string): number {
  let count = 0
  for (const _ of text.matchAll(MARK)) count++
  return count
}
