import { sha256Hex } from '@sudoagent/crypto'
import { describe, expect, test } from 'vitest'
import { type ApprovalStore, LEASE_MS } from '../../src/approval/approval.js'
import { at, codeOf, questionOf, requestOf } from '../fixtures/approval.js'

const FREE = { leasedUntil: null }

/** Tests the leases of questions. `open` returns a new, empty store. */
export function leaseContract(open: () => ApprovalStore): void {
  const withQuestions = async (...ids: readonly string[]): Promise<Required<ApprovalStore>> => {
    const store = open() as Required<ApprovalStore>
    for (const id of ids) await store.create(questionOf(id), at(0))
    return store
  }

  describe('the lease of a question', () => {
    test('has one holder, until exactly its end', async () => {
      const store = await withQuestions('q1')
      expect(await store.get('q1', at(0))).toMatchObject(FREE)
      expect(await store.lease('q1', 'A', at(5))).toBe(true)
      expect(await store.lease('q1', 'B', at(5))).toBe(false)
      expect(await store.lease('q1', 'B', at(5 + LEASE_MS - 1))).toBe(false)
      expect(await store.get('q1', at(6))).toMatchObject({ state: 'pending', leasedUntil: at(5 + LEASE_MS) })
      expect(await store.lease('q1', 'B', at(5 + LEASE_MS))).toBe(true)
      expect(await store.lease('q1', 'A', at(5 + LEASE_MS))).toBe(false)
      expect(await store.list({}, at(6))).toMatchObject([{ leasedUntil: at(5 + 2 * LEASE_MS) }])
    })

    test('is extended by its holder, before its end and after it', async () => {
      const store = await withQuestions('q1')
      for (const ms of [0, 3_000, 3_000 + LEASE_MS, 40_000]) {
        expect(await store.lease('q1', 'A', at(ms))).toBe(true)
        expect(await store.get('q1', at(ms))).toMatchObject({ leasedUntil: at(ms + LEASE_MS) })
      }
    })

    test('is renewed with all others of its holder, and with no other', async () => {
      const store = await withQuestions('q1', 'q2', 'q3', 'free')
      for (const [id, holder] of [
        ['q1', 'A'],
        ['q2', 'A'],
        ['q3', 'B'],
      ] as const)
        await store.lease(id, holder, at(0))
      await store.renewLeases('A', at(3_000))
      await store.renewLeases('C', at(4_000))
      const ends = async () =>
        (await store.list({}, at(1))).map(({ approvalId, leasedUntil }) => [approvalId, leasedUntil])
      const renewed = at(3_000 + LEASE_MS)
      expect(Object.fromEntries(await ends())).toEqual({ q1: renewed, q2: renewed, q3: at(LEASE_MS), free: null })
      expect(await store.lease('q1', 'B', at(3_000 + LEASE_MS - 1))).toBe(false)
      expect(await store.lease('free', 'B', at(3_000))).toBe(true)
    })

    test('that has ended is renewed, unless another holder took it', async () => {
      const store = await withQuestions('q1', 'q2')
      await store.lease('q1', 'A', at(0))
      await store.lease('q2', 'A', at(0))
      expect(await store.lease('q2', 'B', at(LEASE_MS))).toBe(true)
      await store.renewLeases('A', at(LEASE_MS + 5))
      expect(await store.lease('q1', 'B', at(LEASE_MS + 6))).toBe(false)
      expect(await store.get('q2', at(LEASE_MS))).toMatchObject({ leasedUntil: at(2 * LEASE_MS) })
      expect(await store.lease('q2', 'A', at(2 * LEASE_MS - 1))).toBe(false)
    })

    test('is ended by its holder, and by no other', async () => {
      const store = await withQuestions('q1')
      await store.lease('q1', 'A', at(0))
      await store.endLease('q1', 'B', at(1))
      expect(await store.lease('q1', 'B', at(2))).toBe(false)
      await store.endLease('q1', 'A', at(3))
      expect(await store.get('q1', at(3))).toMatchObject(FREE)
      await store.renewLeases('A', at(4))
      await store.endLease('q1', 'A', at(4))
      expect(await store.get('q1', at(4))).toMatchObject(FREE)
      expect(await store.lease('q1', 'B', at(5))).toBe(true)
    })

    test('is that of an open question: pending, or approved and unused', async () => {
      const ids = ['denied', 'failed', 'used', 'approved', 'lapsed']
      const store = await withQuestions(...ids)
      for (const id of ids) expect(await store.lease(id, 'A', at(0))).toBe(true)
      await store.resolve('denied', { state: 'denied' }, at(1))
      await store.resolve('failed', { state: 'failed' }, at(1))
      for (const id of ['used', 'approved']) await store.resolve(id, { state: 'approved' }, at(1))
      await store.consume('used', questionOf('used').binding, at(2))
      await store.renewLeases('A', at(59_999))
      for (const id of ['denied', 'failed', 'used']) {
        expect(await store.get(id, at(59_999))).toMatchObject({ leasedUntil: at(LEASE_MS) })
        expect(await store.lease(id, 'A', at(59_999))).toBe(false)
        await store.endLease(id, 'A', at(59_999))
        expect(await store.get(id, at(59_999))).toMatchObject(FREE)
      }
      // An approved question can be used after its deadline, so it can be waited for. A pending one has expired.
      await store.renewLeases('A', at(60_000))
      expect(await store.lease('approved', 'B', at(60_001))).toBe(false)
      expect(await store.get('lapsed', at(60_000))).toMatchObject({ leasedUntil: at(59_999 + LEASE_MS) })
      for (const holder of ['A', 'B']) expect(await store.lease('lapsed', holder, at(80_000))).toBe(false)
      expect(await store.lease('approved', 'B', at(80_000))).toBe(true)
      expect(await store.get('approved', at(80_000))).toMatchObject({ state: 'approved', consumedAt: null })
    })

    test('stays with an answer, and another request of the same call is no other one', async () => {
      const store = await withQuestions('q1')
      await store.lease('q1', 'A', at(0))
      expect(await store.create(questionOf('q1'), at(1))).toMatchObject({ leasedUntil: at(LEASE_MS) })
      const answer = await store.resolve('q1', { state: 'approved', approverId: 'alice' }, at(2))
      expect(answer).toMatchObject({ state: 'approved', leasedUntil: at(LEASE_MS) })
      const used = await store.consume('q1', questionOf('q1').binding, at(3))
      expect(used).toMatchObject({ consumedAt: at(3), leasedUntil: at(LEASE_MS) })
    })

    test('does not exist for an unknown id, and for a request of the older form', async () => {
      const store = await withQuestions()
      await store.create(requestOf('r1'), at(0))
      for (const id of ['unknown', 'r1']) {
        expect(await store.lease(id, 'A', at(1))).toBe(false)
        await store.endLease(id, 'A', at(1))
      }
      await store.renewLeases('A', at(1))
      expect(await store.get('r1', at(1))).toMatchObject({ state: 'pending', ...FREE })
      expect(await store.get('unknown', at(1))).toBeUndefined()
    })

    test('takes a holder of 1 to 128 characters', async () => {
      const store = await withQuestions('q1')
      for (const holder of ['', 'x'.repeat(129), '\ud800', 7, null, undefined]) {
        const calls = [
          store.lease('q1', holder as string, at(0)),
          store.renewLeases(holder as string, at(0)),
          store.endLease('q1', holder as string, at(0)),
        ]
        for (const call of calls) await expect(call).rejects.toThrow(TypeError)
      }
      const never = new Date(Number.NaN)
      for (const call of [
        store.lease('q1', 'A', never),
        store.renewLeases('A', never),
        store.endLease('q1', 'A', never),
      ])
        await expect(call).rejects.toThrow(TypeError)
      await expect(store.lease('', 'A', at(0))).rejects.toThrow(TypeError)
      for (const holder of ['x'.repeat(128), '\\é\0"\'']) {
        expect(await store.lease('q1', holder, at(0))).toBe(true)
        expect(await store.lease('q1', 'A', at(1))).toBe(false)
        await store.renewLeases(holder, at(2))
        expect(await store.get('q1', at(2))).toMatchObject({ leasedUntil: at(2 + LEASE_MS) })
        await store.endLease('q1', holder, at(3))
      }
    })

    test('is one of a hundred, at once', async () => {
      const store = await withQuestions('q1')
      const wins = await Promise.all(Array.from({ length: 100 }, (_, i) => store.lease('q1', `h${i}`, at(0))))
      expect(wins.filter((isMine) => isMine)).toHaveLength(1)
    })

    test('ends with the store', async () => {
      const store = await withQuestions('q1')
      await store.close()
      const calls = [store.lease('q1', 'A', at(0)), store.renewLeases('A', at(0)), store.endLease('q1', 'A', at(0))]
      for (const call of calls) expect(await codeOf(call)).toBe('APPROVAL_STORE_FAILED')
    })
  })

  test('a list of an agent and an action has these requests only, and its limit counts only them', async () => {
    const store = open()
    const calls = [
      ['a', { agentId: 'bot', action: 'refund' }],
      ['B', { agentId: 'bot', action: 'refund' }],
      ['C', { agentId: 'bot', action: 'pay\\\0' }],
      ['D', { agentId: 'Bot', action: 'refund' }],
      ['e', { agentId: 'bot', action: 'pay\\\0' }],
      ['F', { agentId: 'bot', action: 'refund', asked: { ledger: sha256Hex('other') } }],
    ] as const
    for (const [i, [id, over]] of calls.entries()) {
      const isOlder = id === id.toLowerCase()
      const { agentId, action } = over
      const request = isOlder ? requestOf(id, { agentId, action }, 60_000, at(i)) : questionOf(id, over, 60_000, at(i))
      await store.create(request, at(i))
    }
    await store.resolve('B', { state: 'denied' }, at(10))
    const ids = async (filter: object) =>
      (await store.list(filter, at(10))).map(({ approvalId }) => approvalId).join('')
    const ledger = questionOf('a').asked?.ledger ?? expect.unreachable()
    expect(await ids({ agentId: 'bot' })).toBe('FeCBa')
    expect(await ids({ action: 'refund' })).toBe('FDBa')
    expect(await ids({ agentId: 'bot', action: 'refund' })).toBe('FBa')
    expect(await ids({ agentId: 'bot', action: 'pay\\\0' })).toBe('eC')
    expect(await ids({ agentId: 'Bot', limit: 1 })).toBe('D')
    expect(await ids({ agentId: 'bot', action: 'pay\\\0', limit: 1 })).toBe('e')
    expect(await ids({ agentId: 'bot', action: 'refund', state: 'denied' })).toBe('B')
    expect(await ids({ agentId: 'bot', action: 'refund', state: 'pending' })).toBe('Fa')
    expect(await ids({ agentId: 'bot', action: 'refund', ledger })).toBe('B')
    expect(await ids({ agentId: 'bot', action: 'refund', ledger, state: 'pending' })).toBe('')
    expect(await ids({ agentId: 'bo', action: 'refund' })).toBe('')
    for (const filter of [
      { agentId: '' },
      { agentId: null },
      { action: 7 },
      { action: 'x'.repeat(257) },
      { action: '\ud800' },
    ])
      await expect(store.list(filter as never, at(10))).rejects.toThrow(TypeError)
  })
}
