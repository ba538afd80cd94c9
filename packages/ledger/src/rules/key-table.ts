// A set of hashes or random ids, as 32-bit words, that numbers its keys in insertion order. A SHA-256 takes 40 bytes;
// in a Map of strings, it would take 150. Rows are stored in blocks, which are not copied when the table grows. The
// table uses open addressing with linear probing. Callers choose request ids, and with a fixed hash function they
// could choose ids that collide. The hash function is therefore universal, with random factors.

const BLOCK_ROWS = 1 << 12
const SLOT_BITS_MIN = 10

export class KeyTable {
  readonly #keyWords: number
  readonly #blocks: Uint32Array[] = []
  /** Row + 1 of each key, at the slot of its hash or a later slot; 0 marks a free slot. */
  #slots = new Uint32Array(1 << SLOT_BITS_MIN)
  #slotBits = SLOT_BITS_MIN
  readonly #factors: Int32Array
  #size = 0

  constructor(keyWords: number) {
    this.#keyWords = keyWords
    this.#factors = Int32Array.from({ length: keyWords }, () => (Math.random() * 2 ** 32) | 1)
  }

  get size(): number {
    return this.#size
  }

  /** The row of the key in `words` at `at`; −1 if the key is not in the table. */
  find(words: Uint32Array, at: number): number {
    return (this.#slots[this.#slotOf(words, at)] ?? 0) - 1
  }

  /** Adds a key that is not in the table yet. @returns its row */
  add(words: Uint32Array, at: number): number {
    if (2 * (this.#size + 1) > this.#slots.length) this.#grow()
    const row = this.#size
    const slot = this.#slotOf(words, at)
    const start = (row % BLOCK_ROWS) * this.#keyWords
    if (start === 0) this.#blocks.push(new Uint32Array(BLOCK_ROWS * this.#keyWords))
    const keys = this.#block(row)
    for (let i = 0; i < this.#keyWords; i += 1) keys[start + i] = words[at + i] ?? 0
    this.#slots[slot] = row + 1
    this.#size += 1
    return row
  }

  /** The words of a row's key. */
  key(row: number): Uint32Array {
    const start = (row % BLOCK_ROWS) * this.#keyWords
    return this.#block(row).subarray(start, start + this.#keyWords)
  }

  /** The slot of a key, or the free slot for a new key. At least half of the slots are free. */
  #slotOf(words: Uint32Array, at: number): number {
    const mask = this.#slots.length - 1
    for (let slot = this.#hash(words, at); ; slot = (slot + 1) & mask) {
      const row = (this.#slots[slot] ?? 0) - 1
      if (row === -1 || this.#isAt(row, words, at)) return slot
    }
  }

  /** Multiply-shift hashing: the high bits of the sum of products. */
  #hash(words: Uint32Array, at: number): number {
    let sum = 0
    for (let i = 0; i < this.#keyWords; i += 1) sum = (sum + Math.imul(words[at + i] ?? 0, this.#factors[i] ?? 0)) | 0
    return sum >>> (32 - this.#slotBits)
  }

  #isAt(row: number, words: Uint32Array, at: number): boolean {
    const keys = this.#block(row)
    const start = (row % BLOCK_ROWS) * this.#keyWords
    for (let i = 0; i < this.#keyWords; i += 1) if (keys[start + i] !== words[at + i]) return false
    return true
  }

  #grow(): void {
    this.#slots = new Uint32Array(2 * this.#slots.length)
    this.#slotBits += 1
    for (let row = 0; row < this.#size; row += 1) {
      const start = (row % BLOCK_ROWS) * this.#keyWords
      this.#slots[this.#slotOf(this.#block(row), start)] = row + 1
    }
  }

  #block(row: number): Uint32Array {
    const block = this.#blocks[Math.floor(row / BLOCK_ROWS)]
    if (block === undefined) throw new RangeError('no such row')
    return block
  }
}
