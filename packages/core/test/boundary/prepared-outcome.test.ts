// Tests a ledger that can prepare an outcome while it commits the decision.
import { setImmediate as turn } from 'node:timers/promises'
import type { AppendedEntry, EntryDraft, LedgerWriter, PreparedEntry } from '@sudoagent/ledger'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { expect, test } from 'vitest'
import { SudoEngine } from '../../src/engine.js'
import { ALLOW, DENY, policyOf } from '../fixtures/boundary.js'

class PreparingLedger implements LedgerWriter {
  readonly inner = new MemoryLedger()
  readonly log: string[] = []
  /** Number of event loop turns that an append takes. */
  turns = 2
  failure: 'prepare' | 'decision' | null = null

  async append(draft: EntryDraft): Promise<AppendedEntry> {
    this.log.push(`append ${draft.event}`)
    for (let n = 0; n < this.turns; n += 1) await turn()
    if (this.failure === 'decision') throw new Error('the disk is full')
    return await this.inner.append(draft)
  }

  prepare(draft: EntryDraft): PreparedEntry {
    this.log.push(`prepare ${draft.event}`)
    if (this.failure === 'prepare') throw new Error('not now')
    return {
      append: (createdAt) => {
        this.log.push('append prepared')
        return this.inner.append({ ...draft, created_at: createdAt })
      },
    }
  }

  close(): Promise<void> {
    return this.inner.close()
  }
}

/** Returns the recorded entries, without checkpoints. */
async function entriesOf(ledger: PreparingLedger): Promise<Record<string, unknown>[]> {
  const entries = []
  for await (const batch of ledger.inner.reader().batches())
    for (const { bytes } of batch) entries.push(JSON.parse(Buffer.from(bytes).toString()))
  return entries.filter(({ event }) => event !== 'checkpoint')
}

/** Returns a clock that advances by one second with each read. */
function tickingClock(): () => Date {
  let seconds = 0
  return () => {
    seconds += 1
    return new Date(Date.UTC(2026, 0, 2, 0, 0, seconds))
  }
}

function engineOn(ledger: LedgerWriter, result = ALLOW) {
  const clock = tickingClock()
  return new SudoEngine({
    policy: policyOf(() => result),
    agentId: 'agent',
    ledger,
    clock,
    generateId: () => 'the call',
  })
}

const tool = (run: () => unknown) =>
  async function act(_: { n: number }) {
    return run()
  }

test('the outcome of a call that goes well is the prepared one, and what it would have been otherwise', async () => {
  const [prepared, plain] = [new PreparingLedger(), new PreparingLedger()]
  Object.defineProperty(plain, 'prepare', { value: undefined })
  for (const ledger of [prepared, plain]) expect(await engineOn(ledger).guard(tool(() => 7))({ n: 1 })).toBe(7)
  expect(prepared.log).toEqual(['append decision', 'prepare outcome', 'append prepared'])
  expect(plain.log).toEqual(['append decision', 'append outcome'])
  const [ours, theirs] = [await entriesOf(prepared), await entriesOf(plain)]
  const written = (entry: Record<string, unknown> | undefined) => ({
    ...entry,
    recorded_at: 0,
    prev_entry_hash: 0,
    entry_hash: 0,
  })
  expect(written(ours[1])).toEqual(written(theirs[1]))
  expect(ours[1]).toMatchObject({ event: 'outcome', created_at: '2026-01-02T00:00:02.000000Z' })
})

test('a call that fails, or a ledger that cannot prepare, takes the usual way', async () => {
  const ledger = new PreparingLedger()
  const fail = tool(() => {
    throw new Error('out of stock')
  })
  await expect(engineOn(ledger).guard(fail)({ n: 1 })).rejects.toThrow('out of stock')
  expect(ledger.log).toEqual(['append decision', 'prepare outcome', 'append outcome'])
  expect((await entriesOf(ledger))[1]).toMatchObject({ outcome: { status: 'error', error: 'out of stock' } })

  const broken = new PreparingLedger()
  broken.failure = 'prepare'
  expect(await engineOn(broken).guard(tool(() => 7))({ n: 1 })).toBe(7)
  expect(broken.log).toEqual(['append decision', 'prepare outcome', 'append outcome'])
})

test('a ledger that means something else by `prepare` takes the usual way', async () => {
  const ledger = new PreparingLedger()
  Object.defineProperty(ledger, 'prepare', { value: () => ({ statement: 'INSERT' }) })
  await engineOn(ledger).guard(tool(() => 7))({ n: 1 })
  expect(ledger.log).toEqual(['append decision', 'append outcome'])
})

test('nothing is prepared for a call that is over at once, or was denied', async () => {
  const quick = new PreparingLedger()
  quick.turns = 0
  await engineOn(quick).guard(tool(() => 7))({ n: 1 })
  const denied = new PreparingLedger()
  await expect(engineOn(denied, DENY).guard(tool(() => 7))({ n: 1 })).rejects.toThrow()
  await turn()
  await turn()
  expect(quick.log).toEqual(['append decision', 'append outcome'])
  expect(denied.log).toEqual(['append decision'])
})

test('what was prepared never reaches the ledger when the decision does not', async () => {
  const ledger = new PreparingLedger()
  ledger.failure = 'decision'
  let runs = 0
  const count = tool(() => (runs += 1))
  await expect(engineOn(ledger).guard(count)({ n: 1 })).rejects.toMatchObject({ name: 'AuditLogError' })
  for (let n = 0; n < 4; n += 1) await turn()
  expect([runs, ledger.log]).toEqual([0, ['append decision', 'prepare outcome']])
  expect(await entriesOf(ledger)).toEqual([])
})
