// Tests connections that are lost during a commit. The caller must learn whether the entry is recorded, and no entry
// may be recorded twice. The tests compare the results with the entries that `verify` reads.
import { select, verify } from '@sudoagent/ledger'
import { beforeAll, describe, expect, it, onTestFinished, type TestContext } from 'vitest'
import { decisionDraft, requestIdOf, testKey, testSigner } from '../../ledger/test/fixtures/draft.js'
import { refusalOf } from '../../ledger/test/fixtures/refusal.js'
import { PostgresLedger } from '../src/ledger/ledger.js'
import { openPostgresLedger } from '../src/ledger/reader.js'
import { BrokenWay, type Fault } from './server/proxy.js'
import { ledgerUrl, newDatabase } from './server/shared.js'

let database: string
beforeAll(async () => {
  database = await newDatabase()
})

/**
 * Identifies the message that commits: the only statement of a writer that works alone, or the COMMIT of a writer that
 * holds the lock.
 */
const MARKERS = { alone: 'sudoagent_write', locked: 'COMMIT\0' } as const

/**
 * Concurrent tests must pass `onTestFinished` from their own context as `atEnd`, because the global function cannot
 * tell which test is running.
 */
async function openThrough(busyTimeoutMs: number, atEnd: TestContext['onTestFinished'] = onTestFinished) {
  const proxy = await BrokenWay.start(database)
  atEnd(() => proxy.close())
  const url = ledgerUrl(database)
  const ledger = await PostgresLedger.open(proxy.url(url), {
    signer: testSigner(1),
    busyTimeoutMs,
    commitTimeoutMs: 1_000,
  })
  atEnd(() => ledger.close())
  return { proxy, url, ledger }
}

async function recorded(url: string): Promise<{ readonly verdict: string; readonly requests: readonly string[] }> {
  const reader = await openPostgresLedger(url)
  const { verdict } = await verify(reader, { publicKeys: [testKey(1).publicKey] })
  const requests: string[] = []
  for await (const { entry } of select(reader, { event: 'decision' })) requests.push(String(entry.request_id))
  await reader.close()
  return { verdict, requests }
}

const range = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, n) => requestIdOf(from + n))

describe.concurrent.each(['alone', 'locked'] as const)('a writer that is %s', (path) => {
  it.concurrent.for<Fault>(['drop', 'late', 'lose', 'stall'])(
    'and loses its connection (%s): each entry once, and every answer true',
    async (fault, { onTestFinished: atEnd }) => {
      const { proxy, url, ledger } = await openThrough(4_000, atEnd)
      await ledger.append(decisionDraft(1))
      await ledger.append(decisionDraft(2))
      if (path === 'locked') {
        // The other writer has appended, so the first writer must take the lock before it appends.
        const other = await PostgresLedger.open(url, { signer: testSigner(1) })
        await other.append(decisionDraft(3))
        await other.close()
      }
      proxy.arm(fault, MARKERS[path])
      const entries = await Promise.all([11, 12, 13].map((n) => ledger.append(decisionDraft(n))))
      expect(proxy.struck).toBe(1)
      await ledger.append(decisionDraft(14))
      // After this pause, a delayed statement has either arrived or will never arrive.
      await new Promise((resolve) => setTimeout(resolve, 400))
      const { verdict, requests } = await recorded(url)
      expect(verdict).toBe('signed')
      expect(requests).toEqual([...range(1, path === 'locked' ? 3 : 2), ...range(11, 14)])
      const reader = await openPostgresLedger(url)
      for (const { position, entryHash } of entries)
        expect(Buffer.from((await reader.lineAt(position))?.bytes ?? []).toString()).toContain(
          `"entry_hash":"${entryHash}"`,
        )
      await reader.close()
    },
  )
})

it.concurrent.for<[Fault, number]>([
  ['drop', 1],
  ['lose', 2],
])(
  'a server that stays away after a commit (%s): it is said that nobody knows, and the next append goes on',
  async ([fault, count], { onTestFinished: atEnd }) => {
    const { proxy, url, ledger } = await openThrough(1_500, atEnd)
    await ledger.append(decisionDraft(1))
    proxy.arm(fault, MARKERS.alone, { lateMs: 100, away: true })
    // The append fails, although the entry may have been recorded. The function of the call therefore does not run.
    expect(await refusalOf(() => ledger.append(decisionDraft(2)))).toBe('LEDGER_WRITE_FAILED')
    expect((await recorded(url)).requests).toEqual(range(1, count))
    expect(await refusalOf(() => ledger.append(decisionDraft(3)))).toBe('LEDGER_WRITE_FAILED')
    proxy.refuse(false)
    expect((await ledger.append(decisionDraft(4))).position).toBe(count + 2)
    expect(await recorded(url)).toEqual({ verdict: 'signed', requests: [...range(1, count), requestIdOf(4)] })
  },
)

it.concurrent('a write that arrives when its writer has given it up changes nothing, though nobody has written since', async ({
  onTestFinished: atEnd,
}) => {
  const { proxy, url, ledger } = await openThrough(1_000, atEnd)
  await ledger.append(decisionDraft(1))
  // The delay exceeds both time limits: the limit for the answer, and the limit for finding out whether the entry was
  // recorded.
  proxy.arm('hold', MARKERS.alone, { lateMs: 8_000 })
  expect(await refusalOf(() => ledger.append(decisionDraft(2)))).toMatch(/^LEDGER_(?:WRITE_FAILED|BUSY)$/)
  expect(proxy.arrived).toBe(0)
  await expect.poll(() => proxy.arrived).toBe(1)
  await new Promise((resolve) => setTimeout(resolve, 400))
  expect((await recorded(url)).requests).toEqual(range(1, 1))
  expect((await ledger.append(decisionDraft(3))).position).toBe(3)
  expect(await recorded(url)).toEqual({ verdict: 'signed', requests: [requestIdOf(1), requestIdOf(3)] })
})

it('a writer that others have left behind changes nothing with what it still sends', async () => {
  // The statement arrives after the ledger has grown in a different epoch.
  const { proxy, url, ledger } = await openThrough(4_000)
  await ledger.append(decisionDraft(1))
  proxy.arm('late', MARKERS.alone, { lateMs: 600 })
  const mine = await ledger.append(decisionDraft(2))
  const other = await PostgresLedger.open(url, { signer: testSigner(1) })
  const theirs = await other.append(decisionDraft(3))
  await new Promise((resolve) => setTimeout(resolve, 700))
  await other.append(decisionDraft(4))
  await other.close()
  expect([mine.position, theirs.position]).toEqual([3, 4])
  expect(await recorded(url)).toEqual({ verdict: 'signed', requests: range(1, 4) })
})
