// Implements a byte-level fuzzer that is deterministic for a given seed. The fuzzer is not guided by coverage. Instead,
// the corpus has a valid sample of every format, so most mutated inputs are nearly valid.

/**
 * Sequences that often break parsers: range limits, signs, separators, escapes, invisible and right-to-left
 * characters, and a truncated UTF-8 sequence.
 */
const MORSELS: readonly Uint8Array[] = [
  ...[
    '',
    '\n',
    '\r\n',
    '\n\n',
    '\0',
    ' ',
    '\t',
    '"',
    '\\',
    '\\u0000',
    '\\ud800',
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '=',
    '+',
    '-',
    '-0',
    '0x1',
    '1e9',
  ],
  ...[
    'null',
    'true',
    '{}',
    '[]',
    '[[[[[[[[',
    '9007199254740993',
    '18446744073709551616',
    '-1',
    '1e400',
    '0.1',
    '__proto__',
    'constructor',
  ],
  ...[
    '\u001b[2J',
    '\u001b]0;x\u0007',
    '\u202e',
    '\u2066',
    '\ufeff',
    '\u2028',
    '\u00a0',
    'é',
    'e\u0301',
    '😀',
    '— ',
    '-----BEGIN ',
    '-----END ',
  ],
].map((text) => Buffer.from(text))
const BROKEN_UTF8: readonly Uint8Array[] = [
  [0x80],
  [0xc3],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xff],
].map((bytes) => Buffer.from(bytes))

/**
 * Maximum length of a mutated input, in bytes. Without a limit, repeated mutations could double the length many times.
 */
const BYTES_MAX = 1024 * 1024

/** A seeded generator of pseudo-random numbers (mulberry32). */
export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** Returns an integer from 0 up to, but not including, `end`. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * end)
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)]
    if (item === undefined) throw new RangeError('cannot pick from an empty list')
    return item
  }
}

type Mutation = (bytes: Buffer, dice: Dice, corpus: readonly Uint8Array[]) => Uint8Array

const splice = (bytes: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array =>
  Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)])
const rangeOf = (bytes: Uint8Array, dice: Dice): [start: number, end: number] => {
  const start = dice.below(bytes.length + 1)
  return [start, start + dice.below(Math.min(bytes.length - start, 1 + dice.pick([4, 64, 4_096])) + 1)]
}

const MUTATIONS: readonly Mutation[] = [
  (bytes, dice) => splice(bytes, dice.below(bytes.length + 1), 1, Buffer.of(dice.below(256))),
  (bytes, dice) => {
    const at = dice.below(Math.max(1, bytes.length))
    return splice(bytes, at, 1, Buffer.of((bytes[at] ?? 0) ^ (1 << dice.below(8))))
  },
  (bytes, dice) => splice(bytes, dice.below(bytes.length + 1), dice.below(3), dice.pick(MORSELS)),
  (bytes, dice) => splice(bytes, dice.below(bytes.length + 1), dice.below(2), dice.pick(BROKEN_UTF8)),
  (bytes, dice) => bytes.subarray(0, dice.below(bytes.length + 1)),
  (bytes, dice) => {
    const [start, end] = rangeOf(bytes, dice)
    return splice(bytes, start, end - start, Buffer.alloc(0))
  },
  (bytes, dice) => {
    const [start, end] = rangeOf(bytes, dice)
    const piece = bytes.subarray(start, end)
    return splice(
      bytes,
      dice.below(bytes.length + 1),
      0,
      Buffer.concat(Array.from({ length: dice.pick([1, 2, 100]) }, () => piece)),
    )
  },
  // Inserts a line from one sample into another: a valid line in the wrong place.
  (bytes, dice, corpus) => {
    const other = Buffer.from(dice.pick(corpus))
    const [start, end] = rangeOf(other, dice)
    const [from, to] = rangeOf(bytes, dice)
    return splice(bytes, from, to - from, other.subarray(start, end))
  },
  // Reorders lines.
  (bytes, dice) => {
    const lines = bytes.toString('latin1').split('\n')
    const [moved = ''] = lines.splice(dice.below(lines.length), 1)
    lines.splice(dice.below(lines.length + 1), 0, moved)
    return Buffer.from(lines.join('\n'), 'latin1')
  },
  // Replaces a number.
  (bytes, dice) => {
    const numbers = [...bytes.toString('latin1').matchAll(/\d+/g)]
    if (numbers.length === 0) return bytes
    const { 0: digits, index } = dice.pick(numbers)
    return splice(
      bytes,
      index,
      digits.length,
      Buffer.from(dice.pick(['0', '1', '00', '-1', '1e3', '2147483648', '9007199254740992', '99999999999999999999'])),
    )
  },
]

/** Applies one to four mutations to one member of the corpus. */
export function mutate(dice: Dice, corpus: readonly Uint8Array[]): Uint8Array {
  let bytes = Buffer.from(dice.pick(corpus))
  for (let times = 1 + dice.below(4); times > 0; times -= 1)
    bytes = Buffer.from(dice.pick(MUTATIONS)(bytes, dice, corpus))
  return bytes.subarray(0, BYTES_MAX)
}
