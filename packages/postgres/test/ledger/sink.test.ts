// Tests copies that are refused or interrupted before the first entry. Such a copy must not create a ledger name in the
// database, and must not take over an existing name.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLedgerReader, verify } from '@sudoagent/ledger'
import { copyLedger } from '@sudoagent/ledger/copy'
import { JsonlLedger } from '@sudoagent/ledger/jsonl'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { decisionDraft, testKey, testSigner } from '../../../ledger/test/fixtures/draft.js'
import { pypiLines } from '../../../ledger/test/fixtures/pypi-lines.js'
import { refusalOf } from '../../../ledger/test/fixtures/refusal.js'
import { temporaryFolder } from '../../../ledger/test/fixtures/temporary.js'
import { PostgresLedger } from '../../src/ledger/ledger.js'
import { listLedgers } from '../../src/ledger/name.js'
import { openPostgresLedger } from '../../src/ledger/reader.js'
import { openPostgresSink } from '../../src/ledger/sink.js'
import { BrokenWay, type Fault } from '../server/proxy.js'
import { ledgerUrl, newDatabase } from '../server/shared.js'

let database: string
beforeAll(async () => {
  database = await newDatabase()
})

const nameIn = (url: string): string => String(new URL(url).searchParams.get('ledger'))
const sizeOf = async (url: string): Promise<number | null> =>
  (await listLedgers(database)).find(({ name }) => name === nameIn(url))?.size ?? null

/** Creates a ledger of at least five entries. */
async function source(more = 0): Promise<string> {
  const path = join(temporaryFolder(), 'ledger.jsonl')
  const ledger = JsonlLedger.open(path, { signer: testSigner(1) })
  await Promise.all(Array.from({ length: 4 + more }, (_, n) => ledger.append(decisionDraft(n))))
  await ledger.close()
  return path
}

/** @param meanwhile - runs after the copy is open and before anything is written */
async function copy(path: string, url: string, meanwhile: () => Promise<unknown> = async () => {}): Promise<number> {
  const reader = await openLedgerReader(path)
  const sink = await openPostgresSink(url)
  try {
    await meanwhile()
    return (await copyLedger(reader, sink)).entries
  } finally {
    await sink.close()
    await reader.close()
  }
}

describe('a copy that is refused before its first entry leaves no name behind', () => {
  it.each<[string, () => Promise<string>, string]>([
    [
      'no head',
      async () => {
        const path = join(temporaryFolder(), 'ledger.jsonl')
        writeFileSync(
          path,
          pypiLines()
            .map((line) => `${line}\n`)
            .join(''),
        )
        return path
      },
      'LEDGER_DAMAGED',
    ],
    [
      'a head that is older than its entries',
      async () => {
        const path = await source()
        const head = readFileSync(`${path}.head`)
        const ledger = JsonlLedger.open(path, { signer: testSigner(1) })
        await ledger.append(decisionDraft(9))
        await ledger.close()
        writeFileSync(`${path}.head`, head)
        return path
      },
      'LEDGER_DAMAGED',
    ],
    [
      'an entry that was changed',
      async () => {
        const path = await source()
        writeFileSync(path, readFileSync(path, 'utf8').replace('within limit', 'beyond limit'))
        return path
      },
      'LEDGER_DAMAGED',
    ],
    [
      'half an entry at the end',
      async () => {
        const path = await source()
        appendFileSync(path, '{"half":')
        return path
      },
      'LEDGER_DAMAGED',
    ],
    [
      'no entry',
      async () => {
        const path = join(temporaryFolder(), 'ledger.jsonl')
        writeFileSync(path, '')
        return path
      },
      'ENTRY_NOT_FOUND',
    ],
  ])('%s', async (_, make, code) => {
    const url = ledgerUrl(database)
    const path = await make()
    expect(await refusalOf(() => copy(path, url))).toBe(code)
    expect(await sizeOf(url)).toBeNull()
    // The failed copy did not use up the name.
    const good = await source()
    expect([await copy(good, url), await copy(good, url), await sizeOf(url)]).toEqual([5, 5, 5])
  })
})

describe('a connection that is lost over the first entries', () => {
  it.each<[Fault, number | null]>([
    ['drop', null],
    ['lose', 5],
  ])('%s: name and entries are there, or neither', async (fault, size) => {
    const proxy = await BrokenWay.start(database)
    onTestFinished(() => proxy.close())
    const url = ledgerUrl(database)
    const path = await source()
    const code = await refusalOf(() => copy(path, proxy.url(url), async () => proxy.arm(fault, 'COMMIT\0')))
    expect([code, proxy.struck]).toEqual(['LEDGER_WRITE_FAILED', 1])
    await expect.poll(() => sizeOf(url)).toBe(size)
    expect(await copy(path, url)).toBe(5)
    const reader = await openPostgresLedger(url)
    onTestFinished(() => reader.close())
    expect(await verify(reader, { publicKeys: [testKey(1).publicKey] })).toMatchObject({
      verdict: 'signed',
      entries: 5,
    })
  })
})

describe('a name that somebody else makes meanwhile', () => {
  const others = async (url: string, entries: number): Promise<void> => {
    const ledger = await PostgresLedger.open(url, { signer: testSigner(1) })
    for (let n = 0; n < entries; n += 1) await ledger.append(decisionDraft(n))
    await ledger.close()
  }

  it('and writes to: it stays as it is', async () => {
    const url = ledgerUrl(database)
    expect(await refusalOf(async () => copy(await source(), url, () => others(url, 2)))).toBe('LEDGER_LOCKED')
    expect(await sizeOf(url)).toBe(3)
  })

  it('and writes nothing to: the copy goes into it, or leaves it', async () => {
    const [one, other] = [ledgerUrl(database), ledgerUrl(database)]
    expect(await copy(await source(), one, () => others(one, 0))).toBe(5)
    const path = await source()
    writeFileSync(`${path}.head`, 'none')
    expect(await refusalOf(() => copy(path, other, () => others(other, 0)))).toBe('LEDGER_DAMAGED')
    expect([await sizeOf(one), await sizeOf(other)]).toEqual([5, 0])
  })

  it('as another copy: one of them goes on, and the other one then finds it whole', async () => {
    const url = ledgerUrl(database)
    const path = await source(300)
    const both = await Promise.allSettled([copy(path, url), copy(path, url)])
    for (const one of both)
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: expect.stringMatching(/LOCKED|EXISTS/) })
    expect([await copy(path, url), await sizeOf(url)]).toEqual([305, 305])
  })
})
