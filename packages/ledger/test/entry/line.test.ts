import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseLine } from '../../src/entry/line.js'
import { LINE_BYTES_MAX } from '../../src/limits.js'
import { decisionDraft } from '../fixtures/draft.js'
import { writtenLines } from '../fixtures/seal.js'

const [line = ''] = await writtenLines([decisionDraft(1)])
const hash = JSON.parse(line).entry_hash as string
const parse = (text: string | Uint8Array) => parseLine(Buffer.from(text))

describe('parseLine', () => {
  it('gives the entry, its text and where its members stand', () => {
    const parsed = parse(line)
    if (!parsed.ok) throw new Error(parsed.message)
    expect(parsed.text).toBe(line)
    expect(parsed.entry).toEqual(JSON.parse(line))
    const [start = 0, end = 0] = parsed.members.get('entry_hash') ?? []
    expect(line.slice(start, end)).toBe(`"${hash}"`)
  })

  it.each<[string, string | Uint8Array, string, string | null]>([
    ['nothing', '', 'LINE_NOT_JSON', null],
    ['a line that is too long', 'x'.repeat(LINE_BYTES_MAX + 1), 'LINE_TOO_LONG', null],
    ['half a line', line.slice(0, 200), 'LINE_NOT_JSON', null],
    ['bytes that are not UTF-8', Buffer.of(0x7b, 0xc0, 0x80, 0x7d), 'LINE_NOT_JSON', null],
    ['the hash twice', line.replace('{', `{"entry_hash":"${'0'.repeat(64)}",`), 'LINE_NOT_JSON', null],
    ['white space, with the hash that it claims', `${line} `, 'LINE_NOT_CANONICAL', hash],
    [
      'a field of the wrong type, with the hash that it claims',
      line.replace('"refund-policy"', '7'),
      'ENTRY_INVALID',
      hash,
    ],
    [
      'another version, with the hash that it claims',
      line.replace('"schema_version":"2.0"', '"schema_version":"3.0"'),
      'VERSION_UNSUPPORTED',
      hash,
    ],
    ['a claimed hash that is none', '{"entry_hash":"x"} ', 'LINE_NOT_CANONICAL', null],
    ['a hash from a prototype', '{"__proto__":{"entry_hash":"x"}} ', 'LINE_NOT_CANONICAL', null],
    ['no object', '[]', 'ENTRY_INVALID', null],
  ])('has a code for %s', (_, text, code, claimedHash) =>
    expect(parse(text)).toMatchObject({ ok: false, code, claimedHash }),
  )

  it('never throws, and never repeats the line in its message', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(line.length - 1), (bytes, at) => {
        const spliced = Buffer.concat([Buffer.from(line.slice(0, at)), bytes, Buffer.from(line.slice(at))])
        const parsed = parseLine(spliced)
        if (!parsed.ok) expect(parsed.message).not.toContain('payments')
      }),
    )
  })
})
