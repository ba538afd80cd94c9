// Sets the clock an hour forward and back during guarded calls with approvals, budgets and signatures.
import { generatePrivateKey } from '@sudoagent/crypto'
import { describe, expect, it } from 'vitest'
import { Account } from '../fixtures/account.js'
import { temporaryPath } from '../fixtures/temporary.js'
import { startWorker } from '../fixtures/worker.js'

const HOUR_MS = 3_600_000

/**
 * Returns the expected results of 20 calls if the ledger is ahead of the clock from call `from` to call `to`. Every
 * second call needs an approval.
 */
const expected = (from: number, to: number) =>
  Array.from({ length: 20 }, (_, n) => {
    if (n % 4 === 2) return 'ApprovalDenied'
    // CLOCK_BEHIND_LEDGER: by the ledger's clock, the approval would expire before anyone could answer, so the engine
    // does not ask the approver.
    return n % 2 === 1 && n >= from && n < to ? 'ApprovalDenied' : 'ran'
  })

describe.each(['sqlite', 'jsonl'])('%s: the clock jumps', (kind) => {
  it.each<[string, readonly (readonly [number, number])[], readonly string[]]>([
    ['back an hour', [[8, -HOUR_MS]], expected(8, 20)],
    [
      'forth an hour, back again, and has caught up in the end',
      [
        [4, HOUR_MS],
        [12, 0],
        [16, HOUR_MS],
      ],
      expected(12, 16),
    ],
  ])('%s: nothing runs under an approval of which nobody knows whether it is over', async (_, clockShifts, answers) => {
    const key = generatePrivateKey()
    const folder = temporaryPath('.')
    const account = new Account({ kind, folder, publicKey: key.publicKey })
    account.answers.push(...(await startWorker({ kind, folder, key: key.pem, calls: 20, clockShifts }).finish()))
    expect(account.answers.map(({ did }) => did)).toEqual(answers)
    expect((await account.check()).findings).toEqual([])
  })
})
