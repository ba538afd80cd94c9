// Tests a ledger on a disk that is full, read-only or faulty. No function may run without a durable decision, no entry
// may be partly written, and a writer must not report success after a failed sync. The next process must be able to
// continue the ledger.
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generatePrivateKey } from '@sudoagent/crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { byTier, isLong, TIER } from '../../../../test/tier.js'
import { Account } from '../fixtures/account.js'
import { canRun, notice, strace } from '../fixtures/strace.js'
import { temporaryPath } from '../fixtures/temporary.js'
import { startWorker, type Worker, type WorkerTask } from '../fixtures/worker.js'

const ERRORS_OF_WRITES = byTier({ short: ['EIO'], long: ['EIO', 'ENOSPC'] })
const hasStrace = canRun('strace', '-o', '/dev/null', 'true')
if (!hasStrace) notice('failing system calls (strace is missing or not permitted)')

const DISK_CALLS = 'write,writev,pwrite64,pwritev,fdatasync,fsync,ftruncate,rename,unlink'
/** Of every four calls, the first three are one allowed call, one approved call and one denied call. */
const FOUR = 4

/** Creates a ledger in `folder`, with all other files in a different folder. */
function place(kind: string, folder = temporaryPath('.')) {
  const key = generatePrivateKey()
  const side = temporaryPath('.')
  const account = new Account({ kind, folder, side, publicKey: key.publicKey, diskFails: true })
  const task: WorkerTask = { kind, folder, side, key: key.pem }
  return { folder, account, task }
}

/** Mounts a small file system for the current test. Returns null if mounting is not permitted. */
function tinyDisk(kibibytes: number): string | null {
  const folder = temporaryPath('.')
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${kibibytes}k`, 'tmpfs', folder]).status !== 0) return null
  onTestFinished(() => void spawnSync('umount', ['-l', folder]))
  return folder
}

/** Fills the disk. */
function fill(folder: string): void {
  for (const bytes of [4096, 512, 1]) {
    try {
      for (let n = 0; n < 10_000; n += 1) writeFileSync(join(folder, 'ballast'), Buffer.alloc(bytes), { flag: 'a' })
    } catch {
      // The chunk is larger than the free space.
    }
  }
}

const did = (worker: Worker): readonly string[] => worker.answers.map((answer) => answer.did)

describe.each(['sqlite', 'jsonl'])('a disk under %s', (kind) => {
  it('on a full disk: calls are refused, and go through again when there is room', async (context) => {
    const disk = tinyDisk(512)
    if (disk === null) {
      notice('a full disk (mounting is not permitted)')
      return context.skip()
    }
    const { account, task } = place(kind, disk)
    const worker = startWorker({ ...task, calls: 7, pauseBefore: [1, 4] }).go()
    await worker.says('paused')
    fill(disk)
    worker.go()
    await worker.says('paused', 2)
    account.answers.push(...worker.answers)
    expect((await account.check()).findings).toEqual([])
    rmSync(join(disk, 'ballast'))
    await worker.finish()
    expect(did(worker)).toEqual([
      'ran',
      'AuditLogError',
      'AuditLogError',
      'AuditLogError',
      'ran',
      'ran',
      'ApprovalDenied',
    ])
    account.answers.push(...worker.answers.slice(account.answers.length))
    expect((await account.check()).findings).toEqual([])
    expect(account.ran).toHaveLength(3)
  })

  it('on a disk that is remounted read-only: no writer opens it, readers do', async (context) => {
    const disk = tinyDisk(1_024)
    if (disk === null) {
      notice('a read-only disk (mounting is not permitted)')
      return context.skip()
    }
    const { account, task } = place(kind, disk)
    account.answers.push(...(await startWorker({ ...task, calls: 2 }).finish()))
    expect(spawnSync('mount', ['-o', 'remount,ro', disk]).status).toBe(0)
    const refused = startWorker({ ...task, from: 4, calls: 2 }).go()
    expect(await refused.ended()).toBe(1)
    expect(refused.errors).toMatch(/LedgerError: [\s\S]*code: 'LEDGER_(?:WRITE_FAILED|NOT_READABLE)'/)
    expect((await account.check()).findings).toEqual([])
    expect(account.ran).toHaveLength(2)
    expect(spawnSync('mount', ['-o', 'remount,rw', disk]).status).toBe(0)
    account.answers.push(...(await startWorker({ ...task, from: 4, calls: 2 }).finish()))
    expect((await account.check()).findings).toEqual([])
    expect(account.ran).toHaveLength(4)
  })

  it.skipIf(!hasStrace)('says that the decision is on it before the function is called', async () => {
    const { account, task } = place(kind)
    const log = temporaryPath('log')
    const notes = join(String(task.side), 'ran')
    const paths = ['', '-wal'].map((suffix) => `${account.ledgerPath}${suffix}`)
    // With `-y`, strace prints the path of each file descriptor.
    const wrapper = strace(log, DISK_CALLS, undefined, [...paths, notes])
    account.answers.push(...(await startWorker({ ...task, calls: 6 }, [...wrapper, '-y']).finish()))
    let unsynced = 0
    let runs = 0
    for (const line of readFileSync(log, 'utf8').split('\n')) {
      if (!line.includes(`<${notes}>`))
        unsynced = /^\d+ +f(?:data)?sync\(/.test(line) ? 0 : unsynced + Number(/write/.test(line))
      else if (line.includes('write')) {
        runs += 1
        expect([runs, unsynced], line).toEqual([runs, 0])
      }
    }
    expect(runs).toBe(5)
    await account.check()
  })

  it.skipIf(!hasStrace)('with every kind of system call failing', { timeout: 900_000 }, async () => {
    const { account, task } = place(kind)
    const paths = ['', '-wal', '.head', '.head.tmp', '.tree'].map((suffix) => `${account.ledgerPath}${suffix}`)
    let from = 0
    const work = async (wrapper: readonly string[]): Promise<Worker> => {
      const worker = startWorker({ ...task, from, calls: 3 }, wrapper).go()
      await worker.ended()
      from += FOUR
      account.answers.push(...worker.answers)
      return worker
    }
    const log = temporaryPath('log')
    await work([])
    await work(strace(log, DISK_CALLS, undefined, paths))
    const made = [...readFileSync(log, 'utf8').matchAll(/^\d+ +(\w+)\(/gm)].map(([, call = '']) => call)
    let faults = 0
    let refusals = 0
    for (const [call, error, nth] of faultsIn(made)) {
      const worker = await work(strace('/dev/null', call, `error=${error}:when=${nth}`, paths))
      const where = `${call} ${nth}: ${error}`
      // A worker that could not open its ledger made no calls.
      if (worker.said.includes('ready')) expect([where, worker.answers.length]).toEqual([where, 3])
      else expect([where, worker.errors]).toEqual([where, expect.stringContaining('LedgerError')])
      const first = did(worker).indexOf('AuditLogError')
      if (first !== -1) refusals += 1
      // After a failed sync, the writer does not know what the disk stores, so it must not report success again.
      if (/sync/.test(call) && first !== -1) expect([where, ...did(worker).slice(first)]).not.toContain('ran')
      expect([where, (await account.check('resumed')).findings]).toEqual([where, []])
      faults += 1
    }
    expect(did(await work([]))).toEqual(['ran', 'ran', 'ApprovalDenied'])
    expect((await account.check()).findings).toEqual([])
    console.info(`${kind}: ${faults} faults, ${refusals} of them made a call be refused`)
    expect(refusals).toBeGreaterThan(byTier({ short: 1, long: 3 }))
  })
})

/**
 * Selects system calls of a successful run, and the errors to inject into them. The slow tier injects every possible
 * error into each call.
 */
function faultsIn(made: readonly string[]): readonly (readonly [call: string, error: string, nth: number])[] {
  return [...new Set(made)].flatMap((call) => {
    const times = made.filter((one) => one === call).length
    const errors =
      TIER === 'slow' ? ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS'] : /write|sync/.test(call) ? ERRORS_OF_WRITES : ['EIO']
    const most = TIER === 'slow' ? times : /sync/.test(call) && isLong ? 2 : 1
    return errors.flatMap((error) =>
      Array.from({ length: Math.min(times, most) }, (_, n) => [call, error, n + 1] as const),
    )
  })
}
