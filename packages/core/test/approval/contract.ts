import { describe, expect, test } from 'vitest'
import {
  APPROVAL_LIST_MAX,
  APPROVAL_RETENTION_MS,
  APPROVAL_TTL_MS_MAX,
  type ApprovalStore,
} from '../../src/approval/approval.js'
import { at, bindingOf, codeOf, requestOf } from '../fixtures/approval.js'
import { questionContract } from './question-contract.js'

/** Tests the contract of an approval store. `open` returns a new, empty store. */
export function approvalStoreContract(name: string, open: () => ApprovalStore): void {
  describe(`${name} as an approval store`, () => {
    describe('create', () => {
      test('gives and keeps the pending record, with all that an approver needs', async () => {
        const store = open()
        const request = requestOf('r1', { args: [1, 'x'], kwargs: { note: '\u001b[2J' } })
        const record = await store.create(request, at(0))
        const unset = { approverId: null, note: null, resolvedAt: null, consumedAt: null, leasedUntil: null }
        expect(record).toEqual({ ...request, state: 'pending', ...unset })
        expect(await store.get('r1', at(59_999))).toEqual(record)
      })

      test('hands out records that cannot be changed', async () => {
        const store = open()
        const record = await store.create(requestOf('r1'), at(0))
        record.expiresAt.setTime(9e15)
        for (const part of [record, record.binding, record.args, record.kwargs])
          expect(Object.isFrozen(part)).toBe(true)
        expect((await store.get('r1', at(0)))?.expiresAt).toEqual(at(60_000))
      })

      test('the same request again gives the record as it stands', async () => {
        const store = open()
        await store.create(requestOf('r1'), at(0))
        await store.resolve('r1', { state: 'denied' }, at(1))
        expect((await store.create(requestOf('r1'), at(2))).state).toBe('denied')
      })

      test('another request under the same id is refused and changes nothing', async () => {
        const store = open()
        await store.create(requestOf('r1'), at(0))
        const others = [
          requestOf('r1', { binding: bindingOf('r1', 'other') }),
          requestOf('r1', { kwargs: { amount: 5 } }),
          requestOf('r1', { reason: 'harmless' }),
          requestOf('r1', {}, 59_000),
        ]
        for (const other of others) expect(await codeOf(store.create(other, at(0)))).toBe('APPROVAL_BINDING_MISMATCH')
        expect((await store.get('r1', at(0)))?.reason).toBe('high value')
      })

      test('refuses a request that is no request, too long, or over', async () => {
        const store = open()
        const request = requestOf('r1')
        const bad = [
          { ...request, approvalId: 'r2' },
          { ...request, binding: { ...request.binding, policyHash: 'x' } },
          { ...request, expiresAt: request.createdAt },
          { ...request, expiresAt: new Date(Number.NaN) },
          { ...request, action: 5 },
          { ...request, args: 'x' },
          { ...request, kwargs: { x: 1n } },
        ]
        for (const each of bad) await expect(store.create(each as typeof request, at(0))).rejects.toThrow(TypeError)
        const long = { ...request, expiresAt: at(APPROVAL_TTL_MS_MAX + 1) }
        await expect(store.create(long, at(0))).rejects.toThrow(RangeError)
        const ahead = requestOf('r1', {}, APPROVAL_TTL_MS_MAX, at(60_000))
        await expect(store.create(ahead, at(0))).rejects.toThrow(RangeError)
        expect(await codeOf(store.create(request, at(60_000)))).toBe('APPROVAL_EXPIRED')
        expect(await store.get('r1', at(0))).toBeUndefined()
      })
    })

    describe('resolve', () => {
      test.each(['approved', 'denied', 'expired', 'failed'] as const)(
        'settles a pending record as %s',
        async (state) => {
          const store = open()
          await store.create(requestOf('r1'), at(0))
          const settled = await store.resolve(
            'r1',
            { state, approverId: 'alice', note: 'seen', binding: bindingOf('r1') },
            at(5),
          )
          expect(settled).toMatchObject({
            state,
            approverId: 'alice',
            note: 'seen',
            resolvedAt: at(5),
            consumedAt: null,
          })
          expect(await store.get('r1', at(5))).toEqual(settled)
        },
      )

      test('the same state again leaves what the first one said', async () => {
        const store = open()
        await store.create(requestOf('r1'), at(0))
        const first = await store.resolve('r1', { state: 'approved', approverId: 'alice' }, at(5))
        expect(await store.resolve('r1', { state: 'approved', approverId: 'bob' }, at(6))).toEqual(first)
      })

      test('another state is refused', async () => {
        const store = open()
        await store.create(requestOf('r1'), at(0))
        await store.resolve('r1', { state: 'denied' }, at(5))
        for (const state of ['approved', 'expired', 'failed'] as const) {
          expect(await codeOf(store.resolve('r1', { state }, at(6)))).toBe('APPROVAL_ALREADY_RESOLVED')
        }
        expect((await store.get('r1', at(6)))?.state).toBe('denied')
      })

      test('at the deadline it is too late, and stays so when the clock goes back', async () => {
        const store = open()
        await store.create(requestOf('r1'), at(0))
        expect(await codeOf(store.resolve('r1', { state: 'approved' }, at(60_000)))).toBe('APPROVAL_EXPIRED')
        expect(await codeOf(store.resolve('r1', { state: 'approved' }, at(1)))).toBe('APPROVAL_EXPIRED')
        expect((await store.get('r1', at(1)))?.state).toBe('expired')
        expect(await store.resolve('r1', { state: 'expired' }, at(70_000))).toMatchObject({
          state: 'expired',
          resolvedAt: at(60_000),
        })
      })

      test('an answer about another call is refused and spoils the record', async () => {
        const store = open()
        await store.create(requestOf('r1'), at(0))
        const wrong = { state: 'approved', approverId: 'mallory', binding: bindingOf('r1', 'other') } as const
        expect(await codeOf(store.resolve('r1', wrong, at(1)))).toBe('APPROVAL_BINDING_MISMATCH')
        expect(await store.get('r1', at(2))).toMatchObject({
          state: 'failed',
          approverId: 'mallory',
          resolvedAt: at(1),
        })
        expect(await codeOf(store.resolve('r1', { state: 'approved' }, at(2)))).toBe('APPROVAL_ALREADY_RESOLVED')
      })

      test('refuses unknown ids and what is no resolution', async () => {
        const store = open()
        expect(await codeOf(store.resolve('r1', { state: 'approved' }, at(0)))).toBe('APPROVAL_NOT_FOUND')
        await store.create(requestOf('r1'), at(0))
        const bad = [
          null,
          {},
          { state: 'pending' },
          { state: true },
          { state: 'approved', by: 'x' },
          { state: 'approved', note: 5 },
        ]
        for (const each of bad) await expect(store.resolve('r1', each as never, at(0))).rejects.toThrow(TypeError)
        await expect(store.resolve('r1', { state: 'approved' }, new Date(Number.NaN))).rejects.toThrow(TypeError)
        expect((await store.get('r1', at(0)))?.state).toBe('pending')
      })
    })

    describe('consume', () => {
      const approved = async (): Promise<ApprovalStore> => {
        const store = open()
        await store.create(requestOf('r1'), at(0))
        await store.resolve('r1', { state: 'approved', approverId: 'alice' }, at(5))
        return store
      }

      test('uses an approval, once', async () => {
        const store = await approved()
        const used = await store.consume('r1', bindingOf('r1'), at(6))
        expect(used).toMatchObject({ state: 'approved', approverId: 'alice', consumedAt: at(6) })
        expect(await codeOf(store.consume('r1', bindingOf('r1'), at(7)))).toBe('APPROVAL_ALREADY_USED')
        expect(await store.get('r1', at(7))).toEqual(used)
      })

      test('of a hundred at once, one', async () => {
        const store = await approved()
        const codes = await Promise.all(
          Array.from({ length: 100 }, () => codeOf(store.consume('r1', bindingOf('r1'), at(6)))),
        )
        expect(codes.filter((code) => code === 'none')).toHaveLength(1)
        expect(codes.filter((code) => code === 'APPROVAL_ALREADY_USED')).toHaveLength(99)
      })

      test('too late is too late, and stays so when the clock goes back', async () => {
        const store = await approved()
        expect(await codeOf(store.consume('r1', bindingOf('r1'), at(60_000)))).toBe('APPROVAL_EXPIRED')
        expect(await codeOf(store.consume('r1', bindingOf('r1'), at(6)))).toBe('APPROVAL_EXPIRED')
        expect(await store.get('r1', at(6))).toMatchObject({ state: 'expired', approverId: 'alice', consumedAt: null })
      })

      test('for another call it is refused, and spoilt for its own', async () => {
        const store = await approved()
        expect(await codeOf(store.consume('r1', bindingOf('r1', 'other'), at(6)))).toBe('APPROVAL_BINDING_MISMATCH')
        expect(await codeOf(store.consume('r1', bindingOf('r1'), at(7)))).toBe('APPROVAL_NOT_APPROVED')
        expect((await store.get('r1', at(7)))?.state).toBe('failed')
      })

      test('a used one is not touched by a later mismatch', async () => {
        const store = await approved()
        const used = await store.consume('r1', bindingOf('r1'), at(6))
        expect(await codeOf(store.consume('r1', bindingOf('r1', 'other'), at(7)))).toBe('APPROVAL_BINDING_MISMATCH')
        expect(await store.get('r1', at(7))).toEqual(used)
      })

      test.each(['denied', 'failed'] as const)('%s cannot be used', async (state) => {
        const store = open()
        await store.create(requestOf('r1'), at(0))
        await store.resolve('r1', { state }, at(1))
        expect(await codeOf(store.consume('r1', bindingOf('r1'), at(2)))).toBe('APPROVAL_NOT_APPROVED')
      })

      test('pending, lapsed and unknown cannot be used', async () => {
        const store = open()
        await store.create(requestOf('r1'), at(0))
        expect(await codeOf(store.consume('r1', bindingOf('r1'), at(1)))).toBe('APPROVAL_NOT_APPROVED')
        expect(await codeOf(store.consume('r1', bindingOf('r1'), at(60_000)))).toBe('APPROVAL_EXPIRED')
        expect(await codeOf(store.consume('r2', bindingOf('r2'), at(1)))).toBe('APPROVAL_NOT_FOUND')
        await expect(store.consume('r1', { requestId: 'r1' } as never, at(1))).rejects.toThrow(TypeError)
      })
    })

    describe('get and list', () => {
      test('a pending record reads as expired from its deadline on', async () => {
        const store = open()
        await store.create(requestOf('r1'), at(0))
        expect((await store.get('r1', at(59_999)))?.state).toBe('pending')
        expect(await store.get('r1', at(60_000))).toMatchObject({ state: 'expired', resolvedAt: at(60_000) })
        expect(await store.get('r2', at(0))).toBeUndefined()
      })

      test('list gives the newest first, by the state they read as', async () => {
        const store = open()
        for (const [i, id] of ['a', 'b', 'c', 'd'].entries())
          await store.create(requestOf(id, {}, 60_000, at(i * 1_000)), at(i * 1_000))
        await store.resolve('b', { state: 'denied' }, at(5_000))
        const ids = async (filter: object, ms: number) =>
          (await store.list(filter, at(ms))).map((record) => record.approvalId)
        expect(await ids({}, 5_000)).toEqual(['d', 'c', 'b', 'a'])
        expect(await ids({ state: 'pending' }, 5_000)).toEqual(['d', 'c', 'a'])
        expect(await ids({ state: 'pending', limit: 1 }, 5_000)).toEqual(['d'])
        expect(await ids({ state: 'denied' }, 5_000)).toEqual(['b'])
        expect(await ids({ state: 'pending' }, 62_000)).toEqual(['d'])
        expect(await ids({ state: 'expired' }, 62_000)).toEqual(['c', 'a'])
      })

      test('list is bounded and strict', async () => {
        const store = open()
        for (const filter of [
          { limit: 0 },
          { limit: APPROVAL_LIST_MAX + 1 },
          { limit: 1.5 },
          { state: 'open' },
          { status: 'pending' },
        ]) {
          await expect(store.list(filter as never, at(0))).rejects.toThrow(TypeError)
        }
        for (let i = 0; i < 101; i++) await store.create(requestOf(`r${i}`), at(0))
        expect(await store.list({}, at(0))).toHaveLength(100)
        expect(await store.list({ limit: APPROVAL_LIST_MAX }, at(0))).toHaveLength(101)
      })

      test('what expired a day ago is forgotten', async () => {
        const store = open()
        await store.create(requestOf('r1'), at(0))
        const later = 60_000 + APPROVAL_RETENTION_MS
        await store.create(requestOf('r2', {}, 60_000, at(later - 1)), at(later - 1))
        expect(await store.get('r1', at(later - 1))).toBeDefined()
        await store.create(requestOf('r3', {}, 60_000, at(later)), at(later))
        expect(await store.get('r1', at(later))).toBeUndefined()
        expect(await store.get('r2', at(later))).toBeDefined()
      })

      test('ids are compared as they are', async () => {
        const store = open()
        await store.create(requestOf('__proto__'), at(0))
        expect((await store.get('__proto__', at(0)))?.approvalId).toBe('__proto__')
        expect(await store.get('constructor', at(0))).toBeUndefined()
        await store.create(requestOf('A'), at(0))
        expect(await store.get('a', at(0))).toBeUndefined()
        for (const id of ['', '\ud800', 'x'.repeat(129), 5, null])
          await expect(store.get(id as string, at(0))).rejects.toThrow(TypeError)
      })
    })

    questionContract(open)

    test('after close everything is refused, and close may be called again', async () => {
      const store = open()
      await store.create(requestOf('r1'), at(0))
      await store.close()
      await store.close()
      expect(await codeOf(store.get('r1', at(0)))).toBe('APPROVAL_STORE_FAILED')
      expect(await codeOf(store.create(requestOf('r2'), at(0)))).toBe('APPROVAL_STORE_FAILED')
      expect(await codeOf(store.resolve('r1', { state: 'approved' }, at(0)))).toBe('APPROVAL_STORE_FAILED')
      expect(await codeOf(store.consume('r1', bindingOf('r1'), at(0)))).toBe('APPROVAL_STORE_FAILED')
      expect(await codeOf(store.list({}, at(0)))).toBe('APPROVAL_STORE_FAILED')
    })
  })
}
