// kill -9 at random moments of guarded calls, with real processes and real files: nothing may have run without a durable decision, nothing
// that was acknowledged may be missing, and the ledger goes on. The slow form kills 500 times.
import { setTimeout as delay } from 'node:timers/promises'
import { generatePrivateKey } from '@sudoagent/crypto'
import { describe, expect, it } from 'vitest'
import { byTier } from '../../../../test/tier.js'
import { Account } from '../fixtures/account.js'
import { temporaryPath } from '../fixtures/temporary.js'
import { startWorker } from '../fixtures/worker.js'

const KILLS = byTier({ short: 3, long: 6, slow: 250 })
/** A kill costs as little as a process: only every so often everything is verified from the beginning. */
const WHOLE_EVERY = 25
const LANES = 4
const CALLS_MAX = 24

describe.each(['sqlite', 'jsonl'])('kill -9 while writing to %s', (kind) => {
  it(`loses nothing and lets nothing run, ${KILLS} times`, { timeout: 60_000 + KILLS * 5_000 }, async () => {
    const key = generatePrivateKey()
    const folder = temporaryPath('.')
    const account = new Account({ kind, folder, publicKey: key.publicKey })
    const task = (from: number) => ({ kind, folder, key: key.pem, from, lanes: LANES })
    let from = 0
    let worker = startWorker(task(from))
    for (let kill = 1; kill <= KILLS; kill += 1) {
      await worker.says('loaded')
      worker.go()
      // Some of the moments come while it opens its files; the others after some calls, few or many, on a fast machine and on a slow one.
      // The first comes after many, so that each outcome of a call has been seen, however few the others leave.
      if (kill % 4 !== 0) await worker.answered(kill === 1 ? CALLS_MAX : Math.floor(Math.random() * CALLS_MAX))
      await delay(Math.random() * 20)
      await worker.kill()
      account.answers.push(...worker.answers)
      from = Math.max(from, ...worker.answers.map(({ n }) => n + 1)) + 2 * LANES
      // It loads while we look at what the last one left.
      worker = startWorker(task(from))
      await account.check(kill % WHOLE_EVERY === 0 || kill === KILLS ? 'whole' : 'resumed')
    }
    await worker.says('loaded')
    await worker.kill()
    const { decisions, finished, answers, ran } = account
    console.info(
      `${KILLS} kills: ${answers.length} calls acknowledged, ${decisions.size} decisions, ${ran.length} ran, ${finished.size} outcomes`,
    )
    expect(answers.filter(({ did }) => did === 'ran').length).toBeGreaterThan(KILLS)
    expect(new Set(answers.map(({ did }) => did))).toEqual(new Set(['ran', 'ApprovalDenied']))
    // Some calls were killed between their decision and their outcome, or this test has not tried what it is for.
    if (KILLS > 100) expect(decisions.size - answers.length).toBeGreaterThan(0)
  })
})
