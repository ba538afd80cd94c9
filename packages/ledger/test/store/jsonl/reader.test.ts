import { appendFileSync, chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { LINE_BYTES_MAX } from '../../../src/limits.js'
import { openLedgerReader } from '../../../src/store/open.js'
import { verify } from '../../../src/verify/verify.js'
import { decisionDraft } from '../../fixtures/draft.js'
import { codesOf, jsonlOf, type Line, verifyFile } from '../../fixtures/ledger-file.js'
import { writtenLines } from '../../fixtures/seal.js'
import { temporaryFolder } from '../../fixtures/temporary.js'

const lines = await writtenLines(Array.from({ length: 600 }, (_, n) => decisionDraft(n)))
const three = lines.slice(0, 3)
const [first = '', second = '', third = ''] = three

describe('reading a JSONL ledger', () => {
  it('hands over all lines, again and again', async () => {
    const reader = await openLedgerReader(jsonlOf(lines))
    expect([reader.kind, reader.sizeHint]).toEqual(['jsonl', undefined])
    for (const _ of [1, 2]) {
      const sizes: number[] = []
      for await (const batch of reader.batches()) sizes.push(batch.length)
      expect(sizes).toEqual([256, 256, 88])
    }
    expect(await verify(reader)).toMatchObject({ ok: true, entries: 600 })
    await reader.close()
    await reader.close()
  })

  it('leaves no trace, of a read-only file in a read-only folder', async () => {
    const path = jsonlOf(three)
    const folder = dirname(path)
    chmodSync(path, 0o444)
    chmodSync(folder, 0o555)
    const before = [statSync(path).mtimeMs, statSync(folder).mtimeMs, readFileSync(path, 'utf8')]
    expect((await verifyFile(path)).ok).toBe(true)
    expect([statSync(path).mtimeMs, statSync(folder).mtimeMs, readFileSync(path, 'utf8')]).toEqual(before)
    expect(readdirSync(folder)).toEqual(['ledger.jsonl'])
    chmodSync(folder, 0o755)
  })

  it('takes lines whole that do not fit a chunk', async () => {
    const long = await writtenLines(
      [1, 2, 3].map((n) => decisionDraft(n, { kwargs: { blob: `${n}`.repeat(700_000) } })),
    )
    expect(await verifyFile(jsonlOf(long))).toMatchObject({ ok: true, entries: 3 })
  })

  it('hands over batches that are bounded in bytes, too', async () => {
    const reader = await openLedgerReader(
      jsonlOf(['{', ...Array.from({ length: 12 }, () => 'x'.repeat(LINE_BYTES_MAX))]),
    )
    const sizes: number[] = []
    for await (const batch of reader.batches()) sizes.push(batch.length)
    await reader.close()
    expect(sizes).toEqual([3, 2, 2, 2, 2, 2])
  })
})

describe('a last line without an end', () => {
  it('is torn', async () => {
    const path = jsonlOf(three)
    appendFileSync(path, third.slice(0, 100))
    expect(codesOf(await verifyFile(path))).toEqual(['LINE_TORN@4'])
  })

  it('is torn, however long', async () => {
    const path = jsonlOf(three)
    appendFileSync(path, 'x'.repeat(LINE_BYTES_MAX + 1))
    expect(codesOf(await verifyFile(path))).toEqual(['LINE_TORN@4'])
  })

  it('is waited for while a writer is in the middle of it', async () => {
    const path = jsonlOf([first, second])
    appendFileSync(path, third.slice(0, 100))
    const reader = await openLedgerReader(path)
    const verified = verify(reader)
    await delay(30)
    appendFileSync(path, `${third.slice(100)}\n${lines[3]}\n`)
    // The snapshot includes the line that was incomplete when the reader opened the file, but not the next line.
    expect(await verified).toMatchObject({ ok: true, entries: 3 })
    await reader.close()
  })
})

describe('hostile lines', () => {
  const deep = '['.repeat(100_000)
  const keys = Array.from({ length: 200_000 }, (_, n) => `"k${200_000 - n}":${n}`).join(',')
  it.each<[string, readonly Line[], string[]]>([
    ['no line at all', [], ['LEDGER_EMPTY@-']],
    ['an empty line', [first, '', second], ['LINE_NOT_JSON@2']],
    ['empty lines at the end', [first, second, '', ''], ['LINE_NOT_JSON@3', 'LINE_NOT_JSON@4']],
    ['a line of 4 MiB and a byte', [first, 'x'.repeat(LINE_BYTES_MAX + 1)], ['LINE_TOO_LONG@2']],
    ['a line of 40 MiB', [first, 'x'.repeat(10 * LINE_BYTES_MAX)], ['LINE_TOO_LONG@2']],
    ['a line of 4 MiB', [first, 'x'.repeat(LINE_BYTES_MAX)], ['LINE_NOT_JSON@2']],
    ['arrays nested 100,000 deep', [first, `${deep}${']'.repeat(100_000)}`], ['LINE_NOT_JSON@2']],
    ['objects nested 100,000 deep', [first, `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`], ['LINE_NOT_JSON@2']],
    ['an object that never ends', [first, deep], ['LINE_NOT_JSON@2']],
    ['200,000 keys out of order', [first, `{${keys}}`], ['LINE_NOT_CANONICAL@2']],
    ['a number of 100,000 digits', [first, `{"a":${'9'.repeat(100_000)}}`], ['LINE_NOT_JSON@2']],
    ['NUL bytes', [first, Buffer.alloc(5_000)], ['LINE_NOT_JSON@2']],
    ['a NUL byte behind the entry', [first, `${second}\0`], ['LINE_NOT_JSON@2']],
    ['a byte order mark', [first, `\ufeff${second}`], ['LINE_NOT_JSON@2']],
    ['CRLF line ends', [`${first}\r`, `${second}\r`], ['LINE_NOT_CANONICAL@1', 'LINE_NOT_CANONICAL@2']],
    ['two entries on a line', [first, `${second}${third}`], ['LINE_NOT_JSON@2']],
    [
      'bytes that are not UTF-8',
      [first, Buffer.concat([Buffer.from(second.slice(0, 50)), Buffer.of(0xff)])],
      ['LINE_NOT_JSON@2'],
    ],
    ['a duplicate key', [first, second.replace('"budget":null', '"budget":null,"budget":null')], ['LINE_NOT_JSON@2']],
    ['half a character', [first, second.replace('customer 1', '\\ud83d')], ['LINE_NOT_JSON@2']],
    ['JSON that is no object', [first, '"text"', '[1]', 'null', '7'], [2, 3, 4, 5].map((at) => `ENTRY_INVALID@${at}`)],
    [
      'names of Object.prototype',
      ['{"__proto__":{"event":"decision"},"constructor":1,"toString":2}'],
      ['ENTRY_INVALID@1'],
    ],
  ])('are findings: %s', async (_, content, codes) => {
    expect(codesOf(await verifyFile(jsonlOf(content)))).toEqual(codes)
  })

  it('do not hide the lines behind them', async () => {
    const path = jsonlOf([first, 'x', '{}', third.replace('"event":"decision"', '"event":"derision"')])
    expect(codesOf(await verifyFile(path))).toEqual(['LINE_NOT_JSON@2', 'ENTRY_INVALID@3', 'ENTRY_INVALID@4'])
  })

  it('do not let a file of LFs take long', async () => {
    const path = join(temporaryFolder(), 'ledger.jsonl')
    writeFileSync(path, `${first}\n${'\n'.repeat(100_000)}`)
    const report = await verifyFile(path)
    expect(report).toMatchObject({ entries: 100_001, findings_total: 100_000 })
    expect(report.findings).toHaveLength(100)
  })
})
