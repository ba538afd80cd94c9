import { sha256Hex } from '@sudoagent/crypto'
import { describe, expect, test } from 'vitest'
import { APPROVAL_RETENTION_MS, type ApprovalStore, QUESTION_TTL_MS_MAX } from '../../src/approval/approval.js'
import { showsBoundCall } from '../../src/approval/shown.js'
import { askedCallOf, at, bindingOf, codeOf, questionOf, requestOf } from '../fixtures/approval.js'
import { leaseContract } from './lease-contract.js'

const DAY_MS = 86_400_000

const FULL = {
  args: [1, 'x'],
  kwargs: { note: '\u001b[2J\0' },
  agentId: 'bot\0\\',
  authority: { on_behalf_of: { id: 'alice', type: 'user', assurance: 'asserted' }, tenant: 'acme\0' },
  asked: {
    redacted: 3,
    policyVersion: '',
    metadata: { ticket: 'T-1', deep: [{ 'e\u0301': null }] },
    commitment: { key_id: '0123456789abcdef', hmac: sha256Hex('hmac') },
  },
} as const

/** Tests how an approval store handles questions. `open` returns a new, empty store. */
export function questionContract(open: () => ApprovalStore): void {
  const binding = questionOf('q1').binding
  const approved = async (ttlMs = 60_000): Promise<ApprovalStore> => {
    const store = open()
    await store.create(questionOf('q1', {}, ttlMs), at(0))
    await store.resolve('q1', { state: 'approved', approverId: 'alice' }, at(5))
    return store
  }

  describe('a question', () => {
    test('is kept with all that its hashes cover, and is read as it was asked', async () => {
      const store = open()
      const request = questionOf('q1', FULL)
      const record = await store.create(request, at(0))
      const open_ = {
        state: 'pending',
        approverId: null,
        note: null,
        resolvedAt: null,
        consumedAt: null,
        leasedUntil: null,
      }
      expect(record).toEqual({ ...request, ...open_ })
      const read = await store.get('q1', at(1))
      expect(read).toEqual(record)
      expect(showsBoundCall(read ?? expect.unreachable())).toBe(true)
      const { asked, decision, authority } = read ?? {}
      const parts = [read, asked, asked?.requirement.factors, asked?.metadata, asked?.commitment, decision, authority]
      for (const part of parts) expect(Object.isFrozen(part)).toBe(true)
    })

    test('again gives the record as it stands; another one under its id is refused', async () => {
      const store = open()
      await store.create(questionOf('q1', FULL), at(0))
      await store.resolve('q1', { state: 'denied' }, at(1))
      expect((await store.create(questionOf('q1', FULL), at(2))).state).toBe('denied')
      const { authority: _, ...alone } = FULL
      const others = [
        questionOf('q1', { ...FULL, asked: { ...FULL.asked, position: 8 } }),
        questionOf('q1', { ...FULL, asked: { ...FULL.asked, ledger: sha256Hex('other') } }),
        questionOf('q1', { ...FULL, asked: { ...FULL.asked, metadata: {} } }),
        questionOf('q1', { ...FULL, reason: 'harmless' }),
        questionOf('q1', { ...FULL, kwargs: {} }),
        questionOf('q1', alone),
        questionOf('q1', FULL, 59_000),
      ]
      for (const other of others) expect(await codeOf(store.create(other, at(2)))).toBe('APPROVAL_BINDING_MISMATCH')
      expect((await store.get('q1', at(2)))?.reason).toBe('high value')
    })

    test('and a request of the older form never share an id', async () => {
      const store = open()
      await store.create(questionOf('q1'), at(0))
      await store.create(requestOf('r1'), at(0))
      expect(await codeOf(store.create(requestOf('q1', { binding }), at(0)))).toBe('APPROVAL_BINDING_MISMATCH')
      expect(await codeOf(store.create(questionOf('r1'), at(0)))).toBe('APPROVAL_BINDING_MISMATCH')
      expect((await store.get('q1', at(0)))?.asked?.position).toBe(7)
      expect((await store.get('r1', at(0)))?.asked).toBeUndefined()
    })

    test('is refused unless it is whole, and shows the call of its hashes', async () => {
      const store = open()
      const request = questionOf('q1')
      const { decision: _, ...undecided } = request
      const asked = request.asked ?? expect.unreachable()
      const bad = [
        undecided,
        { ...request, approvalId: 'q2' },
        { ...request, kwargs: { amount: 5 } },
        { ...request, authority: { tenant: 'acme' } },
        { ...request, asked: { ...asked, requirement: { ...asked.requirement, rule: 'other' } } },
        { ...request, asked: { ...asked, requirement: { ...asked.requirement, factors: [] } } },
        { ...request, asked: { ...asked, position: 0 } },
        { ...request, asked: { ...asked, redacted: -1 } },
        { ...request, asked: { ...asked, ledger: 'x' } },
        { ...request, asked: { ...asked, metadata: [] } },
        { ...request, asked: { ...asked, metadata: { note: 'x'.repeat(1024 * 1024) } } },
        { ...request, asked: { ...asked, commitment: { key_id: 'x', hmac: 'y' } } },
        { ...request, asked: { ...asked, more: 1 } },
        { ...request, asked: null },
        { ...request, expiresAt: request.createdAt },
      ]
      for (const [n, each] of bad.entries())
        await expect(store.create(each as typeof request, at(0)), String(n)).rejects.toThrow(TypeError)
      const long = { ...request, expiresAt: at(QUESTION_TTL_MS_MAX + 1) }
      await expect(store.create(long, at(0))).rejects.toThrow(RangeError)
      expect(await codeOf(store.create(request, at(60_000)))).toBe('APPROVAL_EXPIRED')
      expect(await store.get('q1', at(0))).toBeUndefined()
    })

    test('may stay open for seven days by the clock of its ledger, which may be ahead', async () => {
      const store = open()
      const ahead = questionOf('q1', {}, QUESTION_TTL_MS_MAX, at(60_000))
      expect((await store.create(ahead, at(0))).expiresAt).toEqual(at(60_000 + QUESTION_TTL_MS_MAX))
      const wrong = questionOf('q2', {}, 1_000, at(10 * 365 * DAY_MS))
      await expect(store.create(wrong, at(0))).rejects.toThrow(RangeError)
    })

    test('is answered before its end, which nothing moves', async () => {
      const store = open()
      await store.create(questionOf('q1', {}, 3 * DAY_MS), at(1_000))
      expect(await store.get('q1', at(3 * DAY_MS - 1))).toMatchObject({ state: 'pending', expiresAt: at(3 * DAY_MS) })
      expect(await codeOf(store.resolve('q1', { state: 'approved' }, at(3 * DAY_MS)))).toBe('APPROVAL_EXPIRED')
      expect(await store.get('q1', at(1))).toMatchObject({ state: 'expired', resolvedAt: at(3 * DAY_MS) })
    })
  })

  describe('the use of a question', () => {
    test('follows the ledger: after the deadline, too, but once', async () => {
      const store = await approved()
      const used = await store.consume('q1', binding, at(90_000))
      expect(used).toMatchObject({ state: 'approved', approverId: 'alice', consumedAt: at(90_000) })
      expect(await store.get('q1', at(90_001))).toEqual(used)
      expect(await codeOf(store.consume('q1', binding, at(90_002)))).toBe('APPROVAL_ALREADY_USED')
    })

    test('of a hundred at once, is one', async () => {
      const store = await approved()
      const uses = Array.from({ length: 100 }, () => codeOf(store.consume('q1', binding, at(6))))
      const codes = await Promise.all(uses)
      expect(codes.filter((code) => code === 'none')).toHaveLength(1)
      expect(codes.filter((code) => code === 'APPROVAL_ALREADY_USED')).toHaveLength(99)
    })

    test('for another call is refused, and spoilt for its own', async () => {
      const store = await approved()
      const other = bindingOf('q1', 'other')
      expect(await codeOf(store.consume('q1', other, at(6)))).toBe('APPROVAL_BINDING_MISMATCH')
      expect(await codeOf(store.consume('q1', binding, at(7)))).toBe('APPROVAL_NOT_APPROVED')
    })

    test('needs an approval', async () => {
      const store = open()
      for (const id of ['pending', 'denied', 'lapsed']) await store.create(questionOf(id), at(0))
      await store.resolve('denied', { state: 'denied' }, at(1))
      const use = (id: string, ms: number) => codeOf(store.consume(id, questionOf(id).binding, at(ms)))
      expect(await use('pending', 2)).toBe('APPROVAL_NOT_APPROVED')
      expect(await use('denied', 2)).toBe('APPROVAL_NOT_APPROVED')
      expect(await use('lapsed', 60_000)).toBe('APPROVAL_EXPIRED')
      expect(await use('unknown', 2)).toBe('APPROVAL_NOT_FOUND')
    })
  })

  describe('list', () => {
    const LEDGERS = [sha256Hex('one'), sha256Hex('two')] as const

    test('has questions and other requests, newest first', async () => {
      const store = open()
      for (const [i, id] of ['a', 'B', 'c', 'D', 'E'].entries()) {
        const ledger = id === 'E' ? LEDGERS[1] : LEDGERS[0]
        const isOlder = id === id.toLowerCase()
        const request = isOlder
          ? requestOf(id, {}, 60_000, at(i))
          : questionOf(id, { asked: { ledger } }, 60_000, at(i))
        await store.create(request, at(i))
      }
      await store.resolve('D', { state: 'denied' }, at(10))
      const ids = async (filter: object, ms = 10) =>
        (await store.list(filter, at(ms))).map(({ approvalId }) => approvalId).join('')
      expect(await ids({})).toBe('EDcBa')
      expect(await ids({ limit: 3 })).toBe('EDc')
      expect(await ids({ state: 'pending' })).toBe('EcBa')
      expect(await ids({ state: 'denied' })).toBe('D')
      expect(await ids({ state: 'expired' }, 60_001)).toBe('Ba')
      expect(await ids({ ledger: LEDGERS[0] })).toBe('DB')
      expect(await ids({ ledger: LEDGERS[0], state: 'pending', limit: 1 })).toBe('B')
      expect(await ids({ ledger: sha256Hex('none') })).toBe('')
    })

    test('takes no other filter', async () => {
      const store = open()
      for (const filter of [{ ledger: 'x' }, { ledger: null }, { onInvalid: true }])
        await expect(store.list(filter as never, at(0))).rejects.toThrow(TypeError)
    })
  })

  leaseContract(open)

  test('a question that ended a day ago is forgotten, whatever was asked before it', async () => {
    const store = open()
    await store.create(questionOf('long', {}, 7 * DAY_MS), at(0))
    await store.create(questionOf('short'), at(1))
    await store.create(requestOf('r1'), at(1))
    const later = 60_000 + APPROVAL_RETENTION_MS
    const ask = (id: string, ms: number) => store.create(questionOf(id, {}, 60_000, at(ms)), at(ms))
    await ask('q2', later - 1)
    expect(await store.get('short', at(later - 1))).toBeDefined()
    await ask('q3', later)
    expect(await store.get('short', at(later))).toBeUndefined()
    expect((await store.get('long', at(later)))?.state).toBe('pending')
  })

  test('after close, questions are refused', async () => {
    const store = await approved()
    await store.close()
    expect(await codeOf(store.create(questionOf('q2'), at(6)))).toBe('APPROVAL_STORE_FAILED')
    expect(await codeOf(store.consume('q1', binding, at(6)))).toBe('APPROVAL_STORE_FAILED')
  })

  test('the request that a caller built itself is checked like any other', async () => {
    const { createdAt, expiresAt } = questionOf('q1')
    const built = { ...askedCallOf('q1'), approvalId: 'q1', createdAt, expiresAt }
    expect((await open().create(built, at(0))).binding).toEqual(binding)
  })
}
