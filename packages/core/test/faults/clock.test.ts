// The clock of the machine jumps by an hour, forth and back, under guarded calls with approvals, budgets and signatures.
import { generatePrivateKey } from '@sudoagent/crypto'
import { describe, expect, it } from 'vitest'
import { Account } from '../fixtures/account.js'
import { temporaryPath } from '../fixtures/temporary.js'
import { startWorker } from '../fixtures/worker.js'

const HOUR_MS = 3_600_000

/** What comes of 20 calls, of which every other one needs an approval, when from `from` to `to` the clock is behind the ledger. */
const expected = (from: number, to: number) =>
  Array.from({ length: 20 }, (_, n) => {
    if (n % 4 === 2) return 'ApprovalDenied'
    // CLOCK_BEHIND_LEDGER: as far as the ledger can tell, its approval would be over before anybody answered, so nobody is asked.
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
