// Tests approval stores and ledgers that are restored from an older copy, deleted or swapped while a call waits: the
// function does not run, or runs once.
import { copyFileSync, existsSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import type { ApprovalStore } from '../../src/approval/approval.js'
import { MemoryApprovalStore } from '../../src/approval/memory-store.js'
import { SudoEngine } from '../../src/engine.js'
import { SqliteApprovalStore } from '../../src/sqlite.js'
import { ASK, policyOf, rejection } from '../fixtures/boundary.js'
import { asking, decisionsOf, kindsOf, shelf } from '../fixtures/questions.js'
import { temporaryPath } from '../fixtures/temporary.js'

const FILES = ['', '-wal', '-shm', '.head', '.tree'] as const

function copyFiles(from: string, to: string): void {
  for (const suffix of FILES) {
    rmSync(to + suffix, { force: true })
    if (existsSync(from + suffix)) copyFileSync(from + suffix, to + suffix)
  }
}

/** A store that hands each call to another store, which a test can replace. */
function swappable(first: ApprovalStore) {
  const place = { current: first }
  const store: ApprovalStore = {
    create: (...args) => place.current.create(...args),
    resolve: (...args) => place.current.resolve(...args),
    consume: (...args) => place.current.consume(...args),
    get: (...args) => place.current.get(...args),
    list: (...args) => place.current.list(...args),
    close: () => place.current.close(),
  }
  return { store, place }
}

describe('the approval store, while a call waits', () => {
  it.each(['yes', 'no'] as const)(
    'is swapped for an empty one, and the approver says %s: the call does not run',
    async (answer) => {
      const place = shelf('sqlite')
      const { store, place: stores } = swappable(new MemoryApprovalStore())
      const a = asking(
        place,
        () => {
          stores.current = new MemoryApprovalStore()
          return answer === 'yes'
        },
        { approvalStore: store },
      )
      expect(await rejection(a.tool())).toMatchObject({
        code: answer === 'yes' ? 'APPROVAL_PROCESS_FAILED' : expect.stringMatching(/APPROVAL_(DENIED|PROCESS_FAILED)/),
      })
      expect(a.runs()).toBe(0)
      expect(kindsOf(await place.lines())).toEqual(['genesis', 'asked', 'deny'])
      expect((await place.report()).ok).toBe(true)
    },
  )

  it('is deleted from the disk: the call runs once at most, and the ledger verifies', async () => {
    const place = shelf('sqlite')
    const path = join(dirname(place.path), 'approvals.sqlite')
    const store = SqliteApprovalStore.open(path)
    const a = asking(
      place,
      () => {
        for (const suffix of FILES) rmSync(path + suffix, { force: true })
        return true
      },
      { approvalStore: store },
    )
    const told = await a.tool().catch(({ code }: { code: string }) => code)
    expect(a.runs()).toBe(told === 'done' ? 1 : 0)
    expect(decisionsOf(await place.lines())).toHaveLength(1)
    expect((await place.report()).ok).toBe(true)
  })

  it('is restored from a copy in which the question is pending: a second use is not possible', async () => {
    const place = shelf('sqlite')
    const path = temporaryPath('approvals.sqlite')
    const copy = temporaryPath('copy.sqlite')
    const store = SqliteApprovalStore.open(path)
    const a = asking(
      place,
      () => {
        copyFiles(path, copy)
        return true
      },
      { approvalStore: store },
    )
    await a.engine.authorize({ action: 'tool', requestId: 'r-1' })
    await store.close()
    copyFiles(copy, path)
    const older = SqliteApprovalStore.open(path)
    expect((await older.get('r-1', new Date()))?.state).toBe('pending')
    await older.resolve('r-1', { state: 'denied', approverId: 'bob' }, new Date())
    const b = asking(place, () => true, { approvalStore: older })
    await SudoEngine.open({ policy: policyOf(() => ASK), agentId: 'agent', ledger: b.ledger, approvalStore: older })
    expect(await b.engine.authorize({ action: 'tool', requestId: 'r-1', once: true })).toMatchObject({
      code: 'CALL_DECIDED',
    })
    expect(kindsOf(await place.lines())).toEqual(['genesis', 'asked', 'allow'])
    await older.close()
  })
})

describe('the ledger is restored from an older copy, and the store is not', () => {
  it('and the question is open again while its approval is used: nothing runs, and the operator is told', async () => {
    const place = shelf('sqlite')
    const a = asking(place, async (request, { store }) => {
      await store.resolve(request.approvalId, { state: 'approved', approverId: 'alice' }, new Date())
      await store.consume(request.approvalId, request.binding, new Date())
      return true
    })
    expect(await rejection(a.tool())).toMatchObject({ code: 'APPROVAL_PROCESS_FAILED' })
    expect(a.faults).toMatchObject([{ stage: 'approval', error: { code: 'LEDGER_DAMAGED' } }])
    expect(a.runs()).toBe(0)
    expect(kindsOf(await place.lines())).toEqual(['genesis', 'asked', 'deny'])
  })

  it.each(['yes', 'no'] as const)(
    'while a call waits, without its question, and the approver says %s: nothing runs',
    async (answer) => {
      const place = shelf('sqlite')
      const copy = temporaryPath('copy.sqlite')
      const answers = [true, answer === 'yes']
      const a = asking(place, async () => {
        if (answers.length === 1) await new Database(copy).backup(place.path)
        return answers.shift() ?? false
      })
      expect(await a.tool()).toBe('done')
      const source = new Database(place.path, { readonly: true })
      await source.backup(copy)
      source.close()
      const error = await rejection(a.tool())
      expect(error).toMatchObject({ code: 'LEDGER_WRITE_FAILED_DECISION', denial: { retryable: false } })
      expect(a.faults).toMatchObject([{ stage: 'decision', error: { code: 'LEDGER_DAMAGED' } }])
      expect(a.runs()).toBe(1)
      expect(kindsOf(await place.lines())).toEqual(['genesis', 'asked', 'allow', 'outcome'])
    },
  )

  it('between two processes: a call with the id of a used approval does not run', async () => {
    const place = shelf('sqlite')
    const copy = temporaryPath('copy.sqlite')
    const store = new MemoryApprovalStore()
    const a = asking(place, () => true, { approvalStore: store })
    await a.engine.authorize({ action: 'tool', requestId: 'first' })
    await a.ledger.close()
    copyFiles(place.path, copy)
    const b = asking(place, () => true, { approvalStore: store })
    await b.engine.authorize({ action: 'tool', requestId: 'r-1' })
    await b.engine.close()
    await b.ledger.close()
    copyFiles(copy, place.path)
    const c = asking(place, () => true, { approvalStore: store })
    expect(await c.engine.authorize({ action: 'tool', requestId: 'r-1', once: true })).toMatchObject({
      status: 'denied',
    })
    expect([c.asked(), c.runs()]).toEqual([0, 0])
    expect(kindsOf(await place.lines())).toEqual(['genesis', 'asked', 'allow', 'asked', 'deny'])
    expect((await place.report()).ok).toBe(true)
  })
})
