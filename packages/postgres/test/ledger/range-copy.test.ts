import { describe, expect, test } from 'vitest'
import { RangeCopy } from '../../src/ledger/range-copy.js'

const header = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)])
const trailer = Buffer.from([0xff, 0xff])
const hash = (digit: string): string => digit.repeat(64)

/** Returns a row in the server's binary format: each field follows its length, and the position has eight bytes. */
function row(position: number, ...texts: readonly (string | null)[]): Buffer {
  const count = Buffer.alloc(2)
  count.writeInt16BE(texts.length + 1)
  const at = Buffer.alloc(12)
  at.writeInt32BE(8)
  at.writeBigInt64BE(BigInt(position), 4)
  const fields = texts.map((text) => {
    const length = Buffer.alloc(4)
    length.writeInt32BE(text === null ? -1 : Buffer.byteLength(text))
    return Buffer.concat([length, Buffer.from(text ?? '')])
  })
  return Buffer.concat([count, at, ...fields])
}

const entry = (position: number, line = `{"n":${position}}`): Buffer => row(position, line, hash('a'), hash('b'))

/** Returns the range that these messages produce, with at most three rows after position 10. */
function rangeOf(messages: readonly Buffer[], bytes = 16) {
  const copy = new RangeCopy('SELECT', 10, 3, bytes, () => {})
  for (const chunk of messages) copy.handleCopyData({ chunk })
  return copy.range
}

describe('RangeCopy', () => {
  test('is the query, copied out in binary', () => {
    const { text } = new RangeCopy('SELECT 1', 0, 1, 1, () => {}) as unknown as { readonly text: string }
    expect(text).toBe('COPY (SELECT 1) TO STDOUT (FORMAT binary)')
  })

  test.each([
    ['the header with the first row', [Buffer.concat([header, entry(11)]), entry(12)]],
    ['the header by itself', [header, entry(11), entry(12)]],
  ])('puts rows together: %s', (_, rows) => {
    const range = rangeOf([...rows, trailer])
    expect([range?.from, range?.to]).toEqual([10, 12])
    expect(Buffer.from(range?.lines ?? []).toString()).toBe('{"n":11}\n{"n":12}\n')
    expect(range?.entryHashes).toBe(hash('a') + hash('a'))
    expect(range?.prevEntryHashes).toBe(hash('b') + hash('b'))
  })

  test('has room for lines that are longer than was thought, and for empty ones', () => {
    const [long, longer] = ['é'.repeat(1_000), '𝔘'.repeat(5_000)]
    const range = rangeOf([header, entry(11, long), entry(12, ''), entry(13, longer), trailer], 1)
    expect(Buffer.from(range?.lines ?? []).toString()).toBe(`${long}\n\n${longer}\n`)
  })

  test('gives lines in a buffer of their own', () => {
    const range = rangeOf([header, entry(11), trailer], 100)
    const lines = range?.lines ?? new Uint8Array()
    expect([lines.byteOffset, lines.buffer.byteLength]).toEqual([0, 100])
    expect(structuredClone(lines, { transfer: [lines.buffer as ArrayBuffer] })).toHaveLength(9)
  })

  test.each([
    ['nothing', []],
    ['no row', [header, trailer]],
    ['no header', [entry(11), trailer]],
    [
      'another header',
      [Buffer.concat([header.subarray(0, 12), Buffer.from([1]), header.subarray(13)]), entry(11), trailer],
    ],
    ['half a header', [header.subarray(0, 10), header.subarray(10), entry(11), trailer]],
    ['no end', [header, entry(11)]],
    ['something behind the end', [header, entry(11), trailer, entry(12)]],
    ['two ends', [header, entry(11), trailer, trailer]],
    ['a first row that is not the next', [header, entry(12), trailer]],
    ['a gap', [header, entry(11), entry(13), trailer]],
    ['a row twice', [header, entry(11), entry(11), trailer]],
    ['more rows than were asked for', [header, entry(11), entry(12), entry(13), entry(14), trailer]],
    ['two rows in one message', [header, Buffer.concat([entry(11), entry(12)]), trailer]],
    ['half a row', [header, entry(11).subarray(0, 40), trailer]],
    ['a row in two messages', [header, entry(11).subarray(0, 160), entry(11).subarray(160), trailer]],
    ['a byte too many', [header, Buffer.concat([entry(11), Buffer.from('x')]), trailer]],
    ['a field too few', [header, row(11, '{}', hash('a')), trailer]],
    ['a field too many', [header, row(11, '{}', hash('a'), hash('b'), ''), trailer]],
    ['a short hash', [header, row(11, '{}', hash('a').slice(1), hash('b')), trailer]],
    ['two hashes that are right together', [header, row(11, '{}', hash('a').slice(1), `a${hash('b')}`), trailer]],
    ['a long hash', [header, row(11, '{}', hash('a'), `${hash('b')}b`), trailer]],
    ['a line that is none', [header, row(11, null, hash('a'), hash('b')), trailer]],
    ['a hash that is none', [header, row(11, '{}', hash('a'), null), trailer]],
    ['an empty message', [header, Buffer.alloc(0), trailer]],
  ])('is no range: %s', (_, messages) => {
    expect(rangeOf(messages)).toBeNull()
  })

  test('is no range with any one byte of what surrounds the lines changed', () => {
    const whole = entry(11, 'line')
    for (let at = 0; at < whole.length; at += 1) {
      // Changes to lines and hashes are accepted here, because the verifier detects them.
      const isText = (at >= 18 && at < 22) || (at >= 26 && at < 90) || at >= 94
      const changed = Buffer.from(whole)
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(rangeOf([header, changed, trailer]) !== null, `byte ${at}`).toBe(isText)
    }
  })
})
