/**
 * Determines whether a shell or a programming language would read a position in a text as quoted.
 *
 * In `echo "password="; reboot; echo ""`, the quote after `password=` ends a string. In `{"password":"a; b"}`, the
 * quote after `"password":` begins a string. Only the preceding quotes distinguish the two cases.
 */
export type Quoting = 'none' | 'single' | 'double'

/** Reads a text only once, from left to right. */
export class QuotingReader {
  readonly #text: string
  #at = 0
  #quoting: Quoting = 'none'

  constructor(text: string) {
    this.#text = text
  }

  /** Returns the quoting at `position`, which must not be less than in the previous call. */
  at(position: number): Quoting {
    for (; this.#at < position; this.#at++) {
      const char = this.#text[this.#at]
      if (char === '\\' && this.#quoting !== 'single') this.#at++
      else if (char === '"' && this.#quoting !== 'single') this.#quoting = this.#quoting === 'none' ? 'double' : 'none'
      else if (char === "'" && this.#quoting !== 'double') this.#quoting = this.#quoting === 'none' ? 'single' : 'none'
    }
    return this.#quoting
  }
}
