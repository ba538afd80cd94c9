import { copyFileSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { LedgerWriter } from '../../src/port/writer.js'
import { withCounter } from '../../src/store/counter.js'
import { JsonlLedger } from '../../src/store/jsonl/ledger.js'
import { openLedgerReader } from '../../src/store/open.js'
import { SqliteLedger } from '../../src/store/sqlite/ledger.js'
import { decisionDraft, outcomeDraft, testSigner } from '../fixtures/draft.js'
import { temporaryFolder } from '../fixtures/temporary.js'

const signer = testSigner(1)
const OPEN = { sqlite: SqliteLedger.open, jsonl: JsonlLedger.open } as const

function place(kind: keyof typeof OPEN) {
  const folder = temporaryFolder()
  const path = join(folder, `ledger.${kind}`)
  const file = join(folder, 'counter')
  const openWriter = (): Promise<LedgerWriter> =>
    withCounter(OPEN[kind](path, { signer }), { file, openReader: () => openLedgerReader(path) })
  /** Copies the files of a closed ledger, as a backup program would. */
  const copyTo = (from: string, to: string): void => {
    for (const suffix of kind === 'jsonl' ? ['', '.head', '.tree'] : ['']) copyFileSync(from + suffix, to + suffix)
  }
  const write = async (...numbers: number[]): Promise<void> => {
    const ledger = await openWriter()
    for (const n of numbers) await ledger.append(decisionDraft(n))
    await ledger.close()
  }
  return { folder, path, file, openWriter, copyTo, write }
}

afterEach(() => {
  vi.doUnmock('node:fs')
  vi.resetModules()
})

describe.each(['sqlite', 'jsonl'] as const)('a counted %s ledger', (kind) => {
  it('goes on where it ended, and the counter names its last entry', async () => {
    const { file, path, write } = place(kind)
    await write(1, 2)
    await write(3)
    const reader = await openLedgerReader(path)
    const line = await reader.lineAt(4)
    await reader.close()
    const [, hash = ''] = /"entry_hash":"([0-9a-f]{64})"/.exec(Buffer.from(line?.bytes ?? []).toString()) ?? []
    expect(readFileSync(file, 'utf8')).toBe(`sudoagent ledger counter v1\n00000000000000004 ${hash}\n`)
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('is refused when an older copy was put back, or one that went another way', async () => {
    const { path, copyTo, openWriter, write } = place(kind)
    await write(1)
    copyTo(path, `${path}.backup`)
    await write(2, 3)
    copyTo(`${path}.backup`, path)
    await expect(openWriter()).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
    // The new ledger has the same length, but different entries.
    const other = OPEN[kind](path, { signer })
    for (const n of [7, 8]) await other.append(decisionDraft(n))
    await other.close()
    await expect(openWriter()).rejects.toMatchObject({
      code: 'LEDGER_DAMAGED',
      message: expect.stringContaining('entry 4 of the ledger does not match the counter'),
    })
  })

  it('is refused when it is gone: a new one is not begun in its place', async () => {
    const { path, file, write } = place(kind)
    await write(1)
    const empty = `${path}.other.${kind}`
    await expect(
      withCounter(OPEN[kind](empty, { signer }), { file, openReader: () => openLedgerReader(empty) }),
    ).rejects.toMatchObject({ name: 'LedgerError' })
  })

  it('counts an outcome that was prepared, and a group', async () => {
    const { file, openWriter } = place(kind)
    const ledger = await openWriter()
    const decision = decisionDraft(1)
    await ledger.append(decision)
    const prepared = ledger.prepare?.(outcomeDraft(decision))
    await (prepared?.append('2026-01-02T03:04:05.000001Z') ?? ledger.append(outcomeDraft(decision)))
    await Promise.all([4, 5, 6].map((n) => ledger.append(decisionDraft(n))))
    await ledger.close()
    expect(readFileSync(file, 'utf8')).toMatch(/\n00000000000000006 [0-9a-f]{64}\n$/)
  })
})

describe('what is not a counter', () => {
  const hash = 'a'.repeat(64)
  it.each([
    ['text', 'hello\n'],
    ['another version', `sudoagent ledger counter v2\n00000000000000001 ${hash}\n`],
    ['a position of 0', `sudoagent ledger counter v1\n00000000000000000 ${hash}\n`],
    ['a position beyond 2^53', `sudoagent ledger counter v1\n99999999999999999 ${hash}\n`],
    ['more behind it', `sudoagent ledger counter v1\n00000000000000001 ${hash}\nx`],
    ['a counter cut off', `sudoagent ledger counter v1\n00000000000000001 ${hash.slice(1)}`],
    ['a hash in capitals', `sudoagent ledger counter v1\n00000000000000001 ${hash.toUpperCase()}\n`],
  ])('%s is refused', async (_, text) => {
    const { file, openWriter } = place('sqlite')
    writeFileSync(file, text)
    await expect(openWriter()).rejects.toMatchObject({ code: 'LEDGER_NOT_A_LEDGER' })
    expect(readFileSync(file, 'utf8')).toBe(text)
  })

  it('a link and a folder are refused', async () => {
    const { folder, openWriter, file } = place('sqlite')
    symlinkSync(join(folder, 'elsewhere'), file)
    await expect(openWriter()).rejects.toMatchObject({ name: 'LedgerError' })
    const second = place('sqlite')
    mkdirSync(second.file)
    await expect(second.openWriter()).rejects.toMatchObject({ code: 'LEDGER_IS_DIRECTORY' })
  })
})

it('an entry that cannot be counted is not answered as written', async () => {
  const { file, path } = place('sqlite')
  vi.doMock('node:fs', async (original) => ({
    ...(await original<typeof import('node:fs')>()),
    writeSync: () => {
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    },
  }))
  vi.resetModules()
  const counter = await import('../../src/store/counter.js')
  const ledger = await counter.withCounter(SqliteLedger.open(path, { signer }), {
    file,
    openReader: () => openLedgerReader(path),
  })
  await expect(ledger.append(decisionDraft(1))).rejects.toMatchObject({ code: 'LEDGER_WRITE_FAILED' })
  await ledger.close()
})
