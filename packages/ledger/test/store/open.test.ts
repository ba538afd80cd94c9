import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openLedgerReader } from '../../src/store/open.js'
import { ledgerOf } from '../fixtures/attack.js'
import { decisionDraft } from '../fixtures/draft.js'
import { jsonlOf, sqliteOf, verifyFile } from '../fixtures/ledger-file.js'
import { notice, run, runScript } from '../fixtures/process/child.js'
import { refusalOf } from '../fixtures/refusal.js'
import { writtenLines } from '../fixtures/seal.js'
import { temporaryFolder } from '../fixtures/temporary.js'

const lines = await writtenLines([decisionDraft(1)])
const isRoot = process.getuid?.() === 0
if (!isRoot) notice('a ledger that a different user may not read (requires root)')

describe('openLedgerReader', () => {
  it('knows a ledger by its content, whatever its name', async () => {
    const folder = temporaryFolder()
    const jsonl = await openLedgerReader(jsonlOf(lines, join(folder, 'one.sqlite')))
    const sqlite = await openLedgerReader(sqliteOf(lines, {}, join(folder, 'two.jsonl')))
    expect([jsonl.kind, sqlite.kind]).toEqual(['jsonl', 'sqlite'])
    await Promise.all([jsonl.close(), sqlite.close()])
  })

  it('follows a symbolic link', async () => {
    const path = sqliteOf(lines)
    symlinkSync(path, `${path}.link`)
    expect((await verifyFile(`${path}.link`)).ok).toBe(true)
  })

  it('reads an empty file as a ledger without entries, which is never ok', async () => {
    const path = join(temporaryFolder(), 'ledger')
    writeFileSync(path, '')
    expect(await verifyFile(path)).toMatchObject({ ok: false, verdict: 'broken', findings: [{ code: 'LEDGER_EMPTY' }] })
  })

  it.each<[string, (folder: string) => string, string]>([
    ['a missing file', (folder) => join(folder, 'nothing'), 'LEDGER_NOT_FOUND'],
    ['a missing folder', (folder) => join(folder, 'nothing/ledger'), 'LEDGER_NOT_FOUND'],
    ['a path through a file', (folder) => join(jsonlOf(lines, join(folder, 'file')), 'ledger'), 'LEDGER_NOT_FOUND'],
    ['a link to nothing', (folder) => linkTo(folder, join(folder, 'nothing')), 'LEDGER_NOT_FOUND'],
    ['a link to itself', (folder) => linkTo(folder, join(folder, 'link')), 'LEDGER_NOT_READABLE'],
    ['a directory', (folder) => folder, 'LEDGER_IS_DIRECTORY'],
    ['a link to a directory', (folder) => linkTo(folder, folder), 'LEDGER_IS_DIRECTORY'],
    ['a device', () => '/dev/zero', 'LEDGER_NOT_A_LEDGER'],
    ['a name that is too long', (folder) => join(folder, 'x'.repeat(300)), 'LEDGER_NOT_READABLE'],
    ['a name with a NUL', (folder) => join(folder, 'a\0b'), 'LEDGER_NOT_READABLE'],
    ['text', (folder) => fileOf(folder, 'hello'), 'LEDGER_NOT_A_LEDGER'],
    [
      'random bytes',
      (folder) => fileOf(folder, Buffer.from([...Array(5_000).keys()].map((n) => (n * 7919) % 251))),
      'LEDGER_NOT_A_LEDGER',
    ],
    ['the beginning of a SQLite database', (folder) => fileOf(folder, 'SQLite for'), 'LEDGER_NOT_A_LEDGER'],
    ['nothing but the magic of SQLite', (folder) => fileOf(folder, 'SQLite format 3\0'), 'LEDGER_NOT_A_LEDGER'],
    [
      'the magic of SQLite and junk',
      (folder) => fileOf(folder, `SQLite format 3\0${'x'.repeat(5_000)}`),
      'LEDGER_NOT_A_LEDGER',
    ],
    [
      'a -wal beside something else',
      (folder) => withWal(fileOf(folder, 'hello, this is no database')),
      'LEDGER_NOT_A_LEDGER',
    ],
  ])('refuses %s', async (_, makePath, code) => {
    const path = makePath(temporaryFolder())
    expect(await refusalOf(() => openLedgerReader(path))).toBe(code)
  })

  it('refuses a pipe without waiting for its other end', async () => {
    const path = join(temporaryFolder(), 'pipe')
    await run('mkfifo', [path])
    expect(await refusalOf(() => openLedgerReader(path))).toBe('LEDGER_NOT_A_LEDGER')
  })

  it.skipIf(!isRoot).each(['jsonl', 'sqlite'])('refuses what may not be read (%s)', async (kind) => {
    const path = kind === 'jsonl' ? jsonlOf(lines) : sqliteOf(lines)
    chmodSync(join(path, '..'), 0o755)
    chmodSync(path, 0o600)
    expect(await runScript('verify.mjs', [path, '65534'])).toEqual(['LEDGER_NOT_READABLE'])
    chmodSync(join(path, '..'), 0o700)
    expect(await runScript('verify.mjs', [path, '65534'])).toEqual(['LEDGER_NOT_READABLE'])
  })

  it('says one line that is safe to print, whatever the name', async () => {
    const folder = join(temporaryFolder(), 'a\u001b[31m\nb\u202e')
    mkdirSync(folder)
    await expect(openLedgerReader(folder)).rejects.toThrow(
      /^[\x20-\x7e]*a\\u\{1b\}\[31m\\u\{a\}b\\u\{202e\}[\x20-\x7e]*$/,
    )
  })
})

function fileOf(folder: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, 'file'), content)
  return join(folder, 'file')
}

function linkTo(folder: string, target: string): string {
  symlinkSync(target, join(folder, 'link'))
  return join(folder, 'link')
}

function withWal(path: string): string {
  writeFileSync(`${path}-wal`, '')
  return path
}

describe('something in front of a JSONL ledger', () => {
  it.each<[string, string]>([
    ['a byte order mark', '\ufeff'],
    ['an empty list', '[]\n'],
    ['an empty line', '\n'],
    ['a number', '7\n'],
    ['a shell prompt', '$ cat ledger.jsonl\n'],
    ['NUL bytes', '\u0000\u0000\u0000'],
    ['a broken brace', ']'],
    ['a bracket', '['],
  ])('%s is a finding, not a refusal', async (_, head) => {
    const path = await ledgerOf('jsonl', [decisionDraft(1)])
    writeFileSync(path, head + readFileSync(path, 'utf8'))
    for (const hasHead of [true, false]) {
      if (!hasHead) rmSync(`${path}.head`)
      const report = await verifyFile(path)
      expect(report).toMatchObject({ ok: false, verdict: 'broken' })
      // If the first line is JSON but not an object, its finding is the same as on any other line.
      const code = ['[]\n', '7\n'].includes(head) ? 'ENTRY_INVALID' : 'LINE_NOT_JSON'
      expect(report.findings[0]).toMatchObject({ code, position: 1 })
    }
  })

  it('any change of the first bytes still gives a report', async () => {
    const path = await ledgerOf('jsonl', [decisionDraft(1)])
    const whole = readFileSync(path)
    for (let n = 0; n < 24; n += 1) {
      const bytes = Buffer.from(whole)
      bytes[n % 8] = (n * 37 + 11) % 256
      writeFileSync(path, bytes)
      expect((await verifyFile(path)).ok).toBe(bytes.equals(whole))
    }
  })
})
