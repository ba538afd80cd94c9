/**
 * Parses and writes JSON so that numbers keep their original spelling.
 *
 * A double cannot represent `9007199254740993` or distinguish `1` from `1.0`, and JSON.stringify writes `1e400` as
 * null. `parseExact` returns the same values as JSON.parse, so that all code can read them. If JSON.stringify would
 * write a number differently, the original spelling is stored in a WeakMap under the enclosing object or array, and
 * `stringifyExact` writes that spelling. A copy of such an object (`{ ...page }`) loses the spelling of the
 * object's own numbers, but nested objects keep theirs; `copySpelling` copies the spelling.
 *
 *   stringifyExact(parseExact('{"id":9007199254740993,"f":1.0}')) === '{"id":9007199254740993,"f":1.0}'
 */

const QUOTE = 0x22
const MINUS = 0x2d
const DOT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const BACKSLASH = 0x5c

/** Maximum number of characters of an integer that a double always represents exactly. */
const EXACT_INTEGER_LENGTH_MAX = 15

/** Spelling of numbers by container, and by key or index. */
const spellings = new WeakMap<object, Map<string, string>>()

/**
 * @param maxDepth - maximum nesting depth; the reader is recursive
 * @throws SyntaxError like JSON.parse; RangeError if the nesting is deeper
 */
export function parseExact(text: string, maxDepth: number): unknown {
  // JSON.parse comes first, because the scans below require valid JSON.
  const value: unknown = JSON.parse(text)
  return isRespelled(text, maxDepth) ? new ExactReader(text).read() : value
}

/**
 * Returns the JSON text of a value, with the original spelling of its numbers. Undefined members are omitted; a
 * bigint is written as digits.
 *
 * @param sorted - sort the keys, so that objects with equal members have the same text
 */
export function stringifyExact(value: unknown, sorted = false): string {
  return write(value, undefined, sorted)
}

/** Returns the original spelling of a number; undefined if JSON.stringify writes the same spelling. */
export const spellingOf = (holder: object, key: string): string | undefined => spellings.get(holder)?.get(key)

/** @returns `copy`, with the number spelling of `original` for equal keys */
export function copySpelling<T extends object>(original: object, copy: T): T {
  const known = spellings.get(original)
  if (known !== undefined) spellings.set(copy, new Map(known))
  return copy
}

/** Sets the spelling of the number at `key`. @returns `holder` */
export function spell<T extends object>(holder: T, key: string, spelling: string): T {
  const known = spellings.get(holder) ?? new Map<string, string>()
  spellings.set(holder, known.set(key, spelling))
  return holder
}

function write(value: unknown, spelling: string | undefined, sorted: boolean): string {
  switch (typeof value) {
    case 'number':
      // If the number was replaced, the stored spelling no longer applies.
      return spelling !== undefined && Object.is(Number(spelling), value) ? spelling : JSON.stringify(value)
    case 'bigint':
      return value.toString()
    case 'object':
      return value === null ? 'null' : writeContainer(value, sorted)
    default:
      return JSON.stringify(value) ?? 'null'
  }
}

function writeContainer(container: object, sorted: boolean): string {
  const known = spellings.get(container)
  if (Array.isArray(container))
    return `[${container.map((element, index) => write(element, known?.get(String(index)), sorted)).join(',')}]`
  const members = Object.entries(container).filter(([, value]) => value !== undefined)
  if (sorted) members.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([key, value]) => `${JSON.stringify(key)}:${write(value, known?.get(key), sorted)}`).join(',')}}`
}

/**
 * Whether JSON.stringify would change the spelling of any number in this valid JSON text.
 *
 * @throws RangeError beyond `maxDepth`
 */
function isRespelled(text: string, maxDepth: number): boolean {
  let depth = 0
  let found = false
  for (let i = 0; i < text.length; ) {
    const unit = text.charCodeAt(i)
    if (unit === QUOTE) i = stringEnd(text, i)
    else if (unit === MINUS || isDigit(unit)) {
      const end = numberEnd(text, i)
      found ||= !isPlain(text.slice(i, end))
      i = end
    } else {
      const char = text[i]
      if (char === '{' || char === '[') depth += 1
      else if (char === '}' || char === ']') depth -= 1
      if (depth > maxDepth) throw new RangeError(`nested deeper than ${maxDepth} levels`)
      i += 1
    }
  }
  return found
}

/** Whether JSON.stringify writes the number in this form. */
export function isPlain(number: string): boolean {
  if (number.length <= EXACT_INTEGER_LENGTH_MAX && /^(?:0|-?[1-9][0-9]*)$/.test(number)) return true
  return String(Number(number)) === number
}

/** Returns the index after the string that begins at `start`, in valid JSON. */
export function stringEnd(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let first = end
    while (text.charCodeAt(first - 1) === BACKSLASH) first -= 1
    if ((end - first) % 2 === 0) return end + 1
  }
}

/** Returns the index after the number that begins at `start`. */
export function numberEnd(text: string, start: number): number {
  let i = start + 1
  for (let unit = text.charCodeAt(i); isNumberUnit(unit); unit = text.charCodeAt(i)) i += 1
  return i
}

const isDigit = (unit: number): boolean => unit >= ZERO && unit <= NINE

/** Digits, `.`, `e`, `E`, `+` and `-`: in valid JSON, any other character ends a number. */
const isNumberUnit = (unit: number): boolean =>
  isDigit(unit) || unit === DOT || unit === MINUS || unit === 0x2b || unit === 0x45 || unit === 0x65

/** Parses valid JSON text and records the spelling of numbers. */
class ExactReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  read(): unknown {
    return this.#value()[0]
  }

  /** A value and, for a number, its spelling. */
  #value(): readonly [value: unknown, spelling?: string] {
    this.#skipSpace()
    const start = this.#at
    const char = this.#text[start]
    if (char === '{') return [this.#object()]
    if (char === '[') return [this.#array()]
    if (char === '"') return [this.#string()]
    if (char === 't') return this.#word(true, 4)
    if (char === 'f') return this.#word(false, 5)
    if (char === 'n') return this.#word(null, 4)
    this.#at = numberEnd(this.#text, start)
    const number = this.#text.slice(start, this.#at)
    return isPlain(number) ? [Number(number)] : [Number(number), number]
  }

  #object(): object {
    const object = {}
    while (this.#goesOn('}')) {
      const key = this.#string()
      this.#skipSpace()
      this.#at += 1
      const [value, spelling] = this.#value()
      // As in JSON.parse, the member is defined: assigning `__proto__` would set the prototype. The last of several
      // equal keys wins.
      Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true })
      if (spelling === undefined) spellings.get(object)?.delete(key)
      else spell(object, key, spelling)
    }
    return object
  }

  #array(): unknown[] {
    const array: unknown[] = []
    while (this.#goesOn(']')) {
      const [value, spelling] = this.#value()
      if (spelling !== undefined) spell(array, String(array.length), spelling)
      array.push(value)
    }
    return array
  }

  /** Skips the opening bracket, the comma or the closing bracket. Returns whether a member or element follows. */
  #goesOn(close: string): boolean {
    this.#skipSpace()
    if (this.#text[this.#at] !== close) {
      this.#at += 1
      this.#skipSpace()
    }
    if (this.#text[this.#at] !== close) return true
    this.#at += 1
    return false
  }

  #string(): string {
    const start = this.#at
    this.#at = stringEnd(this.#text, start)
    return JSON.parse(this.#text.slice(start, this.#at)) as string
  }

  #word(value: boolean | null, length: number): readonly [boolean | null] {
    this.#at += length
    return [value]
  }

  #skipSpace(): void {
    while (' \n\r\t'.includes(this.#text[this.#at] ?? 'x')) this.#at += 1
  }
}
