import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { LINE_BYTES_MAX } from '../../../src/limits.js'
import { inspectJsonl, moveTornTailAside } from '../../../src/store/jsonl/file.js'
import { refusalOf } from '../../fixtures/refusal.js'
import { temporaryFolder } from '../../fixtures/temporary.js'

function open(content: string | Uint8Array): { readonly fd: number; readonly path: string } {
  const path = join(temporaryFolder(), 'ledger.jsonl')
  writeFileSync(path, content)
  const fd = openSync(path, 'r+')
  onTestFinished(() => closeSync(fd))
  return { fd, path }
}

const inspect = (content: string | Uint8Array) => {
  const { fd, path } = open(content)
  const { lines, end, lastLine } = inspectJsonl(fd, path)
  return { lines, end, lastLine: lastLine === null ? null : Buffer.from(lastLine).toString() }
}

describe('inspectJsonl', () => {
  it('counts whole lines and gives the last of them', () => {
    expect(inspect('')).toEqual({ lines: 0, end: 0, lastLine: null })
    expect(inspect('{"a":1}\n')).toEqual({ lines: 1, end: 8, lastLine: '{"a":1}' })
    expect(inspect('{"a":1}\n{"b":2}\n{"act')).toEqual({ lines: 2, end: 16, lastLine: '{"b":2}' })
    expect(inspect('{\n\n')).toEqual({ lines: 2, end: 3, lastLine: '' })
  })

  it.each([65_534, 65_535, 65_536, 65_537, 200_000, LINE_BYTES_MAX - 10])(
    'finds a last line of about %d bytes whole',
    (length) => {
      const line = `{${'x'.repeat(length)}`
      expect(inspect(`{"a":1}\n${line}\n`)).toEqual({ lines: 2, end: line.length + 9, lastLine: line })
      expect(inspect(`${line}\n`)).toEqual({ lines: 1, end: line.length + 1, lastLine: line })
    },
  )

  it('gives no more than the greatest length of a last line', () => {
    expect(inspect(`{"a":1}\n${'x'.repeat(LINE_BYTES_MAX + 100)}\n`).lastLine).toHaveLength(LINE_BYTES_MAX)
  })

  it.each(['{', '{"act', '{"action":"x', '{"checkpoint":{'])('takes a first line that was torn: %s', (content) => {
    expect(inspect(content)).toEqual({ lines: 0, end: 0, lastLine: null })
  })

  it.each(['{}', '{"name":"mine"}', '{"actions":[]}', '[1]\n', '\0\0\0'])(
    'refuses what is something else: %j',
    async (content) => {
      expect(await refusalOf(() => inspect(content))).toBe('LEDGER_NOT_A_LEDGER')
    },
  )
})

describe('moveTornTailAside', () => {
  it('moves what is behind the end, and cuts it off', () => {
    const { fd, path } = open('{"a":1}\n{"b')
    expect(moveTornTailAside(fd, path, 8)).toEqual({ movedTo: `${path}.torn-8`, bytes: 3 })
    expect([readFileSync(path, 'utf8'), readFileSync(`${path}.torn-8`, 'utf8')]).toEqual(['{"a":1}\n', '{"b'])
    expect(moveTornTailAside(fd, path, 8)).toBeNull()
  })
})
