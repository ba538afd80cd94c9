import { describe, expect, it } from 'vitest'
import { LineReader, LongLine } from '../../src/wire/line-reader.js'

const read = (lines: LineReader, ...chunks: string[]): string[] =>
  chunks.flatMap((chunk) =>
    [...lines.push(Buffer.from(chunk))].map((line) =>
      line instanceof LongLine ? `too long: ${line.found.kind} ${line.found.id}` : Buffer.from(line).toString(),
    ),
  )

describe('lines', () => {
  it('however they are cut', () => {
    const text = 'one\ntwo\r\n\nthrée\n'
    for (let size = 1; size <= text.length; size += 1) {
      const bytes = Buffer.from(text)
      const lines = new LineReader(100)
      const found: string[] = []
      for (let at = 0; at < bytes.length; at += size)
        for (const line of lines.push(bytes.subarray(at, at + size)))
          found.push(Buffer.from(line as Uint8Array).toString())
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
    expect(read(new LineReader(4), 'abcde\n')).toEqual(['too long: other null'])
    expect(read(new LineReader(4), 'abc', 'de')).toEqual([])
  })

  it('too long are skipped to their end, and their id is found wherever it is', () => {
    const long = (id: string): string => `{"method":"x","params":{"id":0,"t":"${'y'.repeat(50)}"},"id":${id}}`
    const all = `${long('7')}\nshort\n${long('"a"')}\r\n\n${long('8')}`
    for (const size of [1, 7, 30, 1000]) {
      const chunks = all.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []
      const lines = new LineReader(20)
      expect(read(lines, ...chunks)).toEqual(['too long: request 7', 'short', 'too long: request a', ''])
      expect(read(lines, '\n')).toEqual(['too long: request 8'])
    }
  })
})
