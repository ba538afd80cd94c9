// Tests a SQLite ledger that another process locks for longer than a writer waits. The call is refused, and its
// function does not run. After the lock is released, the next call succeeds. The ledger and the engine each have a time
// limit. If the engine's limit ends the wait, the decision may still become durable later.
import { setTimeout as delay } from 'node:timers/promises'
import { generatePrivateKey } from '@sudoagent/crypto'
import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { Account } from '../fixtures/account.js'
import { temporaryPath } from '../fixtures/temporary.js'
import { startWorker, type WorkerTask } from '../fixtures/worker.js'

/** Starts a worker, and locks the ledger while the worker pauses before its second call. */
async function lockedOut(options: Partial<WorkerTask>) {
  const key = generatePrivateKey()
  const folder = temporaryPath('.')
  const account = new Account({ kind: 'sqlite', folder, publicKey: key.publicKey, diskFails: true })
  const task = { kind: 'sqlite', folder, key: key.pem, calls: 4, pauseBefore: [1, 2], ...options }
  const worker = startWorker(task).go()
  await worker.says('paused')
  const holder = new Database(account.ledgerPath)
  holder.exec('BEGIN IMMEDIATE')
  return { account, worker: worker.go(), holder }
}

it.each<[string, Partial<WorkerTask>]>([
  ["the ledger's timeout", { busyTimeoutMs: 50 }],
  ["the engine's deadline", { timeoutMs: 1_500 }],
])('a lock that is held for longer than %s: nothing runs, and later calls go through', async (_, options) => {
  const { account, worker, holder } = await lockedOut(options)
  await worker.says('paused', 2)
  holder.close()
  // The ledger may still write the decision after the engine stopped waiting.
  await delay(100)
  await worker.finish()
  expect(worker.answers.map(({ did }) => did)).toEqual(['ran', 'AuditLogError', 'ApprovalDenied', 'ran'])
  account.answers.push(...worker.answers)
  expect((await account.check()).findings).toEqual([])
  expect(account.ran).toHaveLength(2)
})
