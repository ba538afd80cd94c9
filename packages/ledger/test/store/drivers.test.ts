// Tests which driver opens a path or URL, and which kind of ledger a writer creates if nothing exists at that path or
// URL.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { addLedgerDriver, type LedgerDriver } from '../../src/store/drivers.js'
import { MemoryLedger } from '../../src/store/memory.js'
import { openLedgerReader, openLedgerWriter } from '../../src/store/open.js'
import { verify } from '../../src/verify/verify.js'
import { decisionDraft, outcomeDraft, testKey, testSigner } from '../fixtures/draft.js'
import { refusalOf } from '../fixtures/refusal.js'
import { temporaryFolder } from '../fixtures/temporary.js'

const draft = decisionDraft(1)
const isSqlite = (path: string): boolean => readFileSync(path).subarray(0, 6).toString() === 'SQLite'

async function write(place: string, options = {}): Promise<void> {
  const ledger = await openLedgerWriter(place, { signer: testSigner(1), ...options })
  await ledger.append(draft)
  await ledger.append(outcomeDraft(draft))
  await ledger.close()
}

async function check(place: string) {
  const reader = await openLedgerReader(place)
  try {
    return { kind: reader.kind, ...(await verify(reader, { publicKeys: [testKey(1).publicKey] })) }
  } finally {
    await reader.close()
  }
}

describe('a file', () => {
  it.each([
    ['ledger.sqlite', 'sqlite'],
    ['ledger.db', 'sqlite'],
    ['ledger', 'sqlite'],
    ['ledger.jsonl', 'jsonl'],
    ['LEDGER.NDJSON', 'jsonl'],
  ] as const)('%s is made as %s', async (name, kind) => {
    const path = join(temporaryFolder(), name)
    await write(path)
    expect(isSqlite(path)).toBe(kind === 'sqlite')
    expect(await check(path)).toMatchObject({ kind, verdict: 'signed', entries: 3 })
  })

  it('is what is in it, whatever its name; where nothing is in it, what the caller says', async () => {
    const path = join(temporaryFolder(), 'ledger.sqlite')
    writeFileSync(path, '')
    await write(path, { kind: 'jsonl' })
    expect(isSqlite(path)).toBe(false)
    await write(path, { kind: 'sqlite' }).catch(() => {})
    expect(isSqlite(path)).toBe(false)
    expect(await check(path)).toMatchObject({ kind: 'jsonl' })
  })

  it('that is something else is left alone', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'notes.txt'), 'hello')
    mkdirSync(join(folder, 'folder'))
    expect(await refusalOf(() => openLedgerWriter(join(folder, 'notes.txt')))).toBe('LEDGER_NOT_A_LEDGER')
    expect(await refusalOf(() => openLedgerWriter(join(folder, 'folder')))).toBe('LEDGER_IS_DIRECTORY')
    expect(await refusalOf(() => openLedgerWriter(join(folder, 'missing/l.jsonl')))).toBe('LEDGER_NOT_FOUND')
    expect(readFileSync(join(folder, 'notes.txt'), 'utf8')).toBe('hello')
    expect(existsSync(join(folder, 'missing'))).toBe(false)
  })

  it('is begun when it is opened, so that a day without a call verifies', async () => {
    const path = join(temporaryFolder(), 'ledger.jsonl')
    await (await openLedgerWriter(path, { signer: testSigner(1) })).close()
    expect(await check(path)).toMatchObject({ verdict: 'signed', entries: 1 })
  })

  it('is refused when its counter says that more was written', async () => {
    const folder = temporaryFolder()
    const [path, counter] = [join(folder, 'ledger.jsonl'), join(folder, 'counter')]
    await write(path, { counter })
    for (const file of [path, `${path}.head`]) writeFileSync(file, '')
    expect(await refusalOf(() => openLedgerWriter(path, { counter }))).toBe('LEDGER_DAMAGED')
    expect(readFileSync(path, 'utf8')).toBe('')
  })

  it('counts control entries, too', async () => {
    const folder = temporaryFolder()
    const [path, counter] = [join(folder, 'ledger.jsonl'), join(folder, 'counter')]
    const ledger = await openLedgerWriter(path, { signer: testSigner(1), counter })
    await ledger.append(draft)
    await ledger.addKey(testSigner(2))
    await ledger.retireKey(testKey(2).publicKey.keyId)
    await ledger.seal()
    await ledger.close()
    expect(readFileSync(counter, 'utf8')).toContain('\n00000000000000005 ')
  })
})

describe('a URL', () => {
  it('of memory is one ledger for each name', async () => {
    await write('memory:drivers-a')
    expect(await check('memory:drivers-a')).toMatchObject({ kind: 'memory', verdict: 'signed', entries: 3 })
    expect(await refusalOf(() => openLedgerReader('memory:drivers-b'))).toBe('LEDGER_NOT_FOUND')
    expect(await refusalOf(() => openLedgerWriter('memory:drivers-a'))).toBe('LEDGER_LOCKED')
  })

  it('of a server is not found without its package', async () => {
    expect(await refusalOf(() => openLedgerReader('postgres://db/x?ledger=a'))).toBe('DRIVER_MISSING')
    expect(await refusalOf(() => openLedgerWriter('POSTGRESQL://db/x?ledger=a'))).toBe('DRIVER_MISSING')
  })

  it('of a store of your own is opened by its driver', async () => {
    const kept = new MemoryLedger({ signer: testSigner(1) })
    const driver: LedgerDriver = {
      kind: 'memory',
      matches: (place) => place.startsWith('mine://'),
      openReader: async () => kept.reader(),
      openWriter: async () => kept,
    }
    addLedgerDriver(driver)
    await write('mine://somewhere')
    expect(await check('mine://somewhere')).toMatchObject({ verdict: 'signed', entries: 3 })
  })
})
