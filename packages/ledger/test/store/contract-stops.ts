// Tests the contract of all stores for stops: from the entry of a stop on, no covered call can be allowed.

import type { StopScope } from '@sudoagent/crypto/entry'
import { describe, expect, it } from 'vitest'
import { COMMIT_ENTRIES_MAX, STOPS_MAX } from '../../src/limits.js'
import { decisionDraft, outcomeDraft } from '../fixtures/draft.js'
import { refusalOf } from '../fixtures/refusal.js'
import { type Place, readAll, report } from './contract-place.js'

export const NOTE = { reason: 'incident 12', by: 'alice' } as const
const agentOf = (n: number, agent: string) => decisionDraft(n, { more: { agent_id: agent } })

/** Runs the contract tests on stores from `makePlace`. */
export function testStops(makePlace: () => Place): void {
  describe('stops', () => {
    it('refuses what a stop covers, and nothing else, until it is ended', async () => {
      const place = makePlace()
      const ledger = place.open()
      const before = agentOf(1, 'billing-1')
      await ledger.append(before)
      const { stopId, position } = await ledger.stop({ agent: 'billing-*' }, NOTE)
      expect(position).toBe(3)
      expect(await refusalOf(() => ledger.append(agentOf(2, 'billing-2')))).toBe('STOPPED')
      // A denial, another agent, and the outcome of a call that was allowed before.
      await ledger.append(decisionDraft(3, { effect: 'deny', more: { agent_id: 'billing-2' } }))
      await ledger.append(agentOf(4, 'support-1'))
      await ledger.append(outcomeDraft(before))
      expect(await report(place)).toMatchObject({
        ok: true,
        entries: 6,
        stops: [{ stop_id: stopId, position, scope: { agent: 'billing-*' }, in_flight: 1 }],
        resumes: { signed: 0, operator: 0 },
      })
      expect((await ledger.resume(stopId, NOTE)).position).toBe(7)
      await ledger.append(agentOf(5, 'billing-2'))
      await ledger.close()
      expect(await report(place)).toMatchObject({ ok: true, entries: 8, stops: [], resumes: { operator: 1 } })
    })

    it('records one stop for one scope, however often and however spelled', async () => {
      const place = makePlace()
      const ledger = place.open()
      await ledger.append(decisionDraft(1))
      const scopes: StopScope[] = [
        { agent: 'caf\u00e9', tenant: 't' },
        { tenant: 't', agent: 'cafe\u0301' },
      ]
      const [first, second] = await Promise.all(scopes.map((scope) => ledger.stop(scope, NOTE)))
      await ledger.close()
      expect(second?.stopId).toBe(first?.stopId)
      expect([first?.position, second?.position]).toEqual([3, 3])
      expect([first?.entry === null, second?.entry === null]).toEqual([false, true])
      expect((await report(place)).entries).toBe(3)
    })

    it('compares a name as it is written: in NFC', async () => {
      const place = makePlace()
      const ledger = place.open()
      await ledger.append(decisionDraft(1))
      await ledger.stop({ agent: 'caf\u00e9' }, NOTE)
      expect(await refusalOf(() => ledger.append(agentOf(2, 'cafe\u0301')))).toBe('STOPPED')
      await ledger.close()
      expect((await report(place)).entries).toBe(3)
    })

    it('judges a group in its order: what is taken is written, the rest is refused', async () => {
      const place = makePlace()
      const ledger = place.open()
      await ledger.append(decisionDraft(1))
      await ledger.stop({ agent: 'billing-1' }, NOTE)
      const drafts = Array.from({ length: 8 }, (_, n) => agentOf(n + 2, n % 2 === 0 ? 'billing-1' : 'support-1'))
      const results = await Promise.allSettled(drafts.map((draft) => ledger.append(draft)))
      expect(results.map(({ status }) => status)).toEqual(
        drafts.map((_, n) => (n % 2 === 0 ? 'rejected' : 'fulfilled')),
      )
      await ledger.close()
      expect(await report(place)).toMatchObject({ ok: true, entries: 7 })
      expect((await readAll(place)).map(({ position }) => position)).toEqual([2, 4, 5, 6, 7])
    })

    it('refuses a whole group without writing anything', async () => {
      const place = makePlace()
      const ledger = place.open()
      await ledger.append(decisionDraft(1))
      await ledger.stop({ all: true }, NOTE)
      const drafts = Array.from({ length: COMMIT_ENTRIES_MAX }, (_, n) => decisionDraft(n + 2))
      const results = await Promise.allSettled(drafts.map((draft) => ledger.append(draft)))
      expect(new Set(results.map((result) => result.status === 'rejected' && result.reason.code))).toEqual(
        new Set(['STOPPED']),
      )
      expect((await report(place)).entries).toBe(3)
      await ledger.append(decisionDraft(2, { effect: 'deny' }))
      await ledger.close()
      expect(await report(place)).toMatchObject({ ok: true, entries: 4 })
    })

    it('begins an empty ledger with its genesis', async () => {
      const place = makePlace()
      const ledger = place.open()
      expect((await ledger.stop({ all: true }, NOTE)).position).toBe(2)
      expect(await refusalOf(() => ledger.append(decisionDraft(1)))).toBe('STOPPED')
      await ledger.close()
      expect(await report(place)).toMatchObject({ ok: true, entries: 2, stops: [{ position: 2, in_flight: 0 }] })
    })

    it('says when there is nothing to end, and what is not a stop', async () => {
      const place = makePlace()
      const ledger = place.open()
      await ledger.append(decisionDraft(1))
      const { stopId } = await ledger.stop({ all: true }, NOTE)
      await ledger.resume(stopId, NOTE)
      expect(await refusalOf(() => ledger.resume(stopId, NOTE))).toBe('STOP_NOT_FOUND')
      await expect(ledger.stop({} as StopScope, NOTE)).rejects.toThrow(TypeError)
      await expect(ledger.stop({ all: true, agent: 'a' } as unknown as StopScope, NOTE)).rejects.toThrow(TypeError)
      await expect(ledger.stop({ all: true }, { reason: 'x'.repeat(1_025), by: 'a' })).rejects.toThrow(TypeError)
      await expect(ledger.stop({ all: true }, { reason: '', by: '' })).rejects.toThrow(TypeError)
      await expect(ledger.stop({ all: true }, { reason: '\ud800', by: 'a' })).rejects.toThrow(TypeError)
      await ledger.close()
      expect((await report(place)).entries).toBe(4)
    })

    it('has room for a stop of everything behind all others', async () => {
      const place = makePlace()
      const ledger = place.open()
      await ledger.append(decisionDraft(1))
      for (let n = 0; n < STOPS_MAX; n += 1) await ledger.stop({ agent: `a${n}` }, NOTE)
      expect(await refusalOf(() => ledger.stop({ agent: 'one more' }, NOTE))).toBe('ENTRY_REFUSED')
      await ledger.append(decisionDraft(2))
      await ledger.stop({ all: true }, NOTE)
      expect(await refusalOf(() => ledger.append(decisionDraft(3)))).toBe('STOPPED')
      await ledger.close()
      const { ok, stops } = await report(place)
      expect([ok, stops.length]).toEqual([true, STOPS_MAX + 1])
    })
  })
}

/** Tests the contract of stores whose content outlives the process. */
export function testDurableStops(makePlace: () => Place): void {
  it('is stopped after it was closed and opened again, and resumed likewise', async () => {
    const place = makePlace()
    const first = place.open()
    await first.append(decisionDraft(1))
    const { stopId } = await first.stop({ action: 'payments.*' }, NOTE)
    await first.close()
    const second = place.open()
    expect(await refusalOf(() => second.append(decisionDraft(2)))).toBe('STOPPED')
    await second.append(decisionDraft(3, { action: 'mail.send' }))
    await second.resume(stopId, NOTE)
    await second.close()
    const third = place.open()
    await third.append(decisionDraft(4))
    await third.close()
    expect(await report(place)).toMatchObject({ ok: true, entries: 6, stops: [], resumes: { operator: 1 } })
  })
}

/** Tests the contract of stores that several writers can have open. */
export function testSharedStops(makePlace: () => Place): void {
  it('a stop by one writer holds for another one that is writing', async () => {
    const place = makePlace()
    const [agent, operator] = [place.open(), place.open()]
    await agent.append(decisionDraft(1))
    const { position } = await operator.stop({ all: true }, NOTE)
    const results = await Promise.allSettled(Array.from({ length: 64 }, (_, n) => agent.append(decisionDraft(n + 2))))
    expect(results.every(({ status }) => status === 'rejected')).toBe(true)
    const { stopId } = await agent.stop({ all: true }, NOTE)
    await operator.resume(stopId, NOTE)
    await agent.append(decisionDraft(100))
    await Promise.all([agent.close(), operator.close()])
    expect(await report(place)).toMatchObject({ ok: true, entries: position + 2, stops: [] })
  })

  it('a stop amid 64 calls: what is allowed stands before it', async () => {
    const place = makePlace()
    const [agent, operator] = [place.open(), place.open()]
    await agent.append(decisionDraft(1))
    const calls = Array.from({ length: 64 }, async (_, n) => {
      for (let k = 0; k < n % 4; k += 1) await new Promise((resolve) => setImmediate(resolve))
      return agent.append(decisionDraft(n + 2))
    })
    const { position } = await operator.stop({ all: true }, NOTE)
    const results = await Promise.allSettled(calls)
    await Promise.all([agent.close(), operator.close()])
    for (const result of results)
      if (result.status === 'fulfilled') expect(result.value.position).toBeLessThan(position)
    const { ok, entries, decisions, stops } = await report(place)
    expect([ok, entries]).toEqual([true, decisions + 2])
    expect(stops).toMatchObject([{ in_flight: decisions }])
  })
}
