import { describe, expect, it } from 'vitest'
import { LineReader } from '../src/line-reader.js'

const read = (lines: LineReader, ...chunks: string[]): string[] =>
  chunks.flatMap((chunk) => [...lines.push(Buffer.from(chunk))].map((line) => Buffer.from(line).toString()))

describe('lines', () => {
  it('however they are cut', () => {
    const text = 'one\ntwo\r\n\nthrée\n'
    for (let size = 1; size <= text.length; size += 1) {
      const bytes = Buffer.from(text)
      const lines = new LineReader(100)
      const found: string[] = []
      for (let at = 0; at < bytes.length; at += size)
        for (const line of lines.push(bytes.subarray(at, at + size))) found.push(Buffer.from(line).toString())
      expect(found).toEqual(['one', 'two', '', 'thrée'])
    }
  })

  it('without an end are none yet', () => {
    const lines = new LineReader(100)
    expect(read(lines, 'a', 'b', 'c')).toEqual([])
    expect(read(lines, '\n')).toEqual(['abc'])
  })

  it('up to the bound, and not beyond, in one part or in many', () => {
    expect(read(new LineReader(4), 'abcd\nabcd\n')).toEqual(['abcd', 'abcd'])
    expect(() => read(new LineReader(4), 'abcde\n')).toThrow(RangeError)
    expect(() => read(new LineReader(4), 'abc', 'de')).toThrow(RangeError)
  })
})
