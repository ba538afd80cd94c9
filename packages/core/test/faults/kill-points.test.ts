// Kills a process with SIGKILL before and after each step of a guarded call. The step determines which entries are
// recorded, which functions ran, and which charges count. The next process must be able to continue the ledger.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { generatePrivateKey } from '@sudoagent/crypto'
import { describe, expect, it } from 'vitest'
import { byTier, sampled } from '../../../../test/tier.js'
import { SqliteApprovalStore } from '../../src/sqlite.js'
import { Account, chargesIn } from '../fixtures/account.js'
import { canRun, notice, strace } from '../fixtures/strace.js'
import { temporaryPath } from '../fixtures/temporary.js'
import { startWorker } from '../fixtures/worker.js'

/**
 * This call needs an approval and one unit of a tool's budget, and is allowed. The same is true of every twelfth call
 * after this one.
 */
const CALL = 3

/**
 * The state after the kill. `maybe` means that the step was in progress, so either value is valid if all sources agree.
 */
interface Left {
  /** Whether the question of the call is recorded. */
  readonly asked?: boolean | 'maybe'
  readonly decided: boolean | 'maybe'
  readonly ran: boolean
  readonly finished?: boolean | 'maybe'
  readonly charged: boolean
  readonly approval: 'none' | 'pending' | 'approved' | 'used'
}

const NOTHING: Left = { decided: false, ran: false, charged: false, approval: 'none' }
/** The budget is reserved before the approval is requested. */
const HELD: Left = { ...NOTHING, charged: true }
/** The question is recorded before the store has it, and before anybody is asked. */
const ASKED: Left = { ...HELD, asked: true }
const APPROVED: Left = { ...ASKED, approval: 'approved' }
/** The decision is the use of the approval; the store follows. */
const DECIDED: Left = { ...APPROVED, decided: true }
const USED: Left = { ...DECIDED, approval: 'used' }
const RAN: Left = { ...USED, ran: true }

const POINTS: readonly [at: string, when: 'before' | 'after', nth: number, left: Left][] = [
  ['policy', 'before', 1, NOTHING],
  ['reserve', 'before', 1, NOTHING],
  ['reserve', 'after', 1, HELD],
  ['ask', 'before', 1, HELD],
  // Two signatures for each step: one for the entry, one for the head that covers it.
  ['sign', 'before', 1, { ...HELD, asked: 'maybe' }],
  ['sign', 'after', 2, { ...HELD, asked: 'maybe' }],
  ['ask', 'after', 1, ASKED],
  ['create', 'before', 1, ASKED],
  ['create', 'after', 1, { ...ASKED, approval: 'pending' }],
  ['approver', 'before', 1, { ...ASKED, approval: 'pending' }],
  ['resolve', 'after', 1, APPROVED],
  ['commit', 'after', 1, APPROVED],
  ['append', 'before', 1, APPROVED],
  ['sign', 'before', 3, { ...APPROVED, decided: 'maybe' }],
  ['sign', 'after', 3, { ...APPROVED, decided: 'maybe' }],
  ['sign', 'before', 4, { ...APPROVED, decided: 'maybe' }],
  ['sign', 'after', 4, { ...APPROVED, decided: 'maybe' }],
  ['append', 'after', 1, DECIDED],
  ['consume', 'before', 1, DECIDED],
  ['consume', 'after', 1, USED],
  ['function begins', 'before', 1, USED],
  ['function has run', 'before', 1, RAN],
  ['append', 'before', 2, RAN],
  ['sign', 'after', 6, { ...RAN, finished: 'maybe' }],
  ['append', 'after', 2, { ...RAN, finished: true }],
]

const hasStrace = canRun('strace', '-o', '/dev/null', 'true')
if (!hasStrace) notice('SIGKILL at every system call that writes to the disk (strace is missing or not permitted)')

/** System calls that write to a disk or make a write durable. */
const DISK_CALLS = 'write,writev,pwrite64,pwritev,fdatasync,fsync,ftruncate,rename,unlink'

/**
 * Returns the location of a ledger whose writers are killed one after the other. Each writer continues with the files
 * of the previous writer.
 */
function place(kind: string) {
  const key = generatePrivateKey()
  const folder = temporaryPath('.')
  const account = new Account({ kind, folder, publicKey: key.publicKey })
  return { folder, account, task: { kind, folder, key: key.pem } }
}

describe.each(byTier({ short: ['sqlite'], long: ['sqlite', 'jsonl'] }))('%s, killed', (kind) => {
  it('at every step of a call, before and after it', { timeout: 600_000 }, async () => {
    const { folder, account, task } = place(kind)
    const known = new Set<string>()
    // The steps before the append are the same for every ledger type, so only the SQLite run tests these steps.
    const points = sampled(
      POINTS.filter(([at], n) => kind === 'sqlite' || at === 'append' || n > 10),
      5,
    )
    for (const [index, [at, when, nth, left]] of points.entries()) {
      const n = CALL + 12 * index
      const killPoint = { call: n, at, when, nth }
      const worker = startWorker({ ...task, from: n, calls: 1, killPoint }).go()
      expect([at, await worker.ended()], worker.errors).toEqual([at, 'SIGKILL'])
      await account.check(index === points.length - 1 ? 'whole' : 'resumed')
      const found = await whatIsLeft(folder, account, known)
      const where = `${when} ${at}, time ${nth}`
      expect({ where, ...found }).toEqual({
        where,
        ...left,
        asked: left.asked === 'maybe' ? found.asked : (left.asked ?? false),
        decided: left.decided === 'maybe' ? found.decided : left.decided,
        finished: left.finished === 'maybe' ? found.finished : (left.finished ?? false),
      })
    }
    account.answers.push(...(await startWorker({ ...task, from: CALL, calls: 4 }).finish()))
    await account.check()
    expect(account.answers.map(({ did }) => did)).toEqual(['ran', 'ran', 'ran', 'ApprovalDenied'])
  })

  it.skipIf(!hasStrace)('at every system call that changes its files', { timeout: 600_000 }, async () => {
    const { account, task } = place(kind)
    const paths = ['', '-wal', '.head', '.head.tmp', '.tree'].map((suffix) => `${account.ledgerPath}${suffix}`)
    const log = temporaryPath('log')
    let from = 0
    const work = async (wrapper: readonly string[]) => {
      const worker = startWorker({ ...task, from, calls: 1 }, wrapper).go()
      const end = await worker.ended()
      account.answers.push(...worker.answers)
      from += 4
      return { end, errors: worker.errors }
    }
    // The first run creates the files. The second run shows which system calls one call makes on existing files.
    expect(await work([])).toEqual({ end: 0, errors: '' })
    expect(await work(strace(log, DISK_CALLS, undefined, paths))).toEqual({ end: 0, errors: '' })
    const made = [...readFileSync(log, 'utf8').matchAll(/^\d+ +(\w+)\(/gm)].map(([, call = '']) => call)
    let kills = 0
    for (const call of new Set(made)) {
      const times = made.filter((one) => one === call).length
      // SQLite writes each page of a transaction separately, in two parts. The short and long tiers therefore kill the
      // process at only some of these calls.
      const few = byTier({ short: 1, long: 12, slow: times })
      const step = times > few ? byTier({ short: Math.ceil(times / few), long: 8 }) : 1
      for (let nth = 1; nth <= times; nth += step) {
        const { end, errors } = await work(strace('/dev/null', call, `signal=KILL:when=${nth}`, paths))
        expect(['SIGKILL', 0], errors).toContain(end)
        if (end === 'SIGKILL') kills += 1
        await account.check('resumed')
      }
    }
    expect(await work([])).toEqual({ end: 0, errors: '' })
    await account.check()
    console.info(`${kind}: ${made.length} system calls (${[...new Set(made)].join(', ')}), killed at ${kills}`)
    expect(kills).toBeGreaterThanOrEqual(byTier({ short: new Set(made).size, long: 8 }))
  })
})

/** Returns what the last call left in the approvals, the budget, the ledger and the function's log file. */
async function whatIsLeft(folder: string, account: Account, known: Set<string>): Promise<Left> {
  const store = SqliteApprovalStore.open(join(folder, 'approvals.sqlite'))
  const records = new Map((await store.list({}, new Date())).map((record) => [record.approvalId, record]))
  await store.close()
  const charges = chargesIn(join(folder, 'budget.sqlite'))
  const ids = [...records.keys(), ...charges, ...account.decisions.keys(), ...account.asked].filter(
    (id) => !known.has(id),
  )
  expect(new Set(ids).size).toBeLessThanOrEqual(1)
  const id = ids[0] ?? 'nothing'
  known.add(id)
  const record = records.get(id)
  return {
    asked: account.asked.has(id),
    decided: account.decisions.has(id),
    ran: account.ran.includes(id),
    finished: account.finished.has(id),
    charged: charges.includes(id),
    approval: record === undefined ? 'none' : record.consumedAt !== null ? 'used' : (record.state as 'pending'),
  }
}
