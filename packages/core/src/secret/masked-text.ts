/**
 * A text in which what was concealed is one character, so that rules never look inside it and its length stays known.
 *
 * Two noncharacters of Unicode serve as marks: one for what a rule concealed, one for what only looks like it (a
 * `[redacted]` that the caller wrote, or one of the two noncharacters themselves). Rules treat both alike, so redacting
 * a redacted text changes nothing.
 */

/** Is shown in place of every secret. */
export const REDACTED = '[redacted]'

const CONCEALED = '\uffff'
const LITERAL = '\ufffe'
const MARK = /[\ufffe\uffff]/g
const LITERALS = /\[redacted\]|[\ufffe\uffff]/g

/** Which rule concealed something. */
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

/** A part of a text that a rule conceals. Positions in UTF-16 units, `end` exclusive. */
export interface Span {
  readonly start: number
  readonly end: number
  readonly kind: ConcealmentKind
  /** The caller's options say that this is a secret. Default: false. */
  readonly declared?: boolean
  /** Quotes that are put around the replacement, so that JSON in a string stays JSON. */
  readonly quote?: string
}

/** What was concealed in one text: the kind, and how many UTF-16 units. */
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

  /** What rules search. */
  get text(): string {
    return this.#text
  }

  /**
   * Conceals parts of `text`.
   *
   * @param spans in order, not overlapping
   * @returns whether anything changed: a span that holds nothing but one mark is concealed already
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

  /** The parts of the text between marks: positions in `text`. */
  *pieces(): Generator<{ readonly start: number; readonly text: string }> {
    let start = 0
    for (const { index } of this.#text.matchAll(MARK)) {
      yield { start, text: this.#text.slice(start, index) }
      start = index + 1
    }
    yield { start, text: this.#text.slice(start) }
  }

  /** What was concealed, in order. */
  concealed(): readonly ConcealedPart[] {
    return this.#marks.filter((mark) => mark.kind !== null)
  }

  /** The text for readers: `[redacted]` in place of what was concealed. */
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
