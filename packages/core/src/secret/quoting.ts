/**
 * Whether a position in a text is inside quotes, as a shell or a programming language reads it.
 *
 * `echo "password="; reboot; echo ""` ends a string after `password=`, but `{"password":"a; b"}` begins one there.
 * Only the quotes before the position distinguish the two.
 */
export type Quoting = 'none' | 'single' | 'double'

/** Reads a text once, from left to right. */
export class QuotingReader {
  readonly #text: string
  #at = 0
  #quoting: Quoting = 'none'

  constructor(text: string) {
    this.#text = text
  }

  /** The quoting at `position`, which must not be less than in the previous call. */
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
