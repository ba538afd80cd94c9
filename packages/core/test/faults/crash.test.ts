// Kills real processes with SIGKILL at random times during guarded calls. No function may run without a durable
// decision, no acknowledged entry may be lost, and the next process must be able to continue the ledger. The slow tier
// kills 500 processes.
import { setTimeout as delay } from 'node:timers/promises'
import { generatePrivateKey } from '@sudoagent/crypto'
import { describe, expect, it } from 'vitest'
import { byTier } from '../../../../test/tier.js'
import { Account } from '../fixtures/account.js'
import { temporaryPath } from '../fixtures/temporary.js'
import { startWorker } from '../fixtures/worker.js'

const KILLS = byTier({ short: 3, long: 6, slow: 250 })
/** Full verification takes longer than starting a process, so it runs only after every 25th kill. */
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
      // Some workers are killed while they open their files, and the others after a random number of calls. The first
      // worker is killed after many calls, so that every possible result occurs at least once.
      if (kill % 4 !== 0) await worker.answered(kill === 1 ? CALLS_MAX : Math.floor(Math.random() * CALLS_MAX))
      await delay(Math.random() * 20)
      await worker.kill()
      account.answers.push(...worker.answers)
      from = Math.max(from, ...worker.answers.map(({ n }) => n + 1)) + 2 * LANES
      // The next worker loads while the test checks the files of the previous worker.
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
    // The test is meaningful only if some workers were killed between a decision and its outcome.
    if (KILLS > 100) expect(decisions.size - answers.length).toBeGreaterThan(0)
  })
})
