// Tests `--ledger`, `--timeout` and `--receipt`: the command waits until the ledger has the decision of an answer.
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createSigner, generatePrivateKey } from '@sudoagent/crypto'
import { type EntryDraft, openLedgerWriter } from '@sudoagent/ledger'
import Database from 'better-sqlite3'
import { beforeEach, describe, expect, it } from 'vitest'
import { ask, stateIn, storeWith } from '../../support/approval-store.js'
import { decisionDraft, requestIdOf } from '../../support/draft.js'
import { writeLedger } from '../../support/ledger.js'
import { type Sandbox, sandbox } from '../../support/sandbox.js'

const ID = requestIdOf(3)
const YES = ['--approver', 'alice', '--yes'] as const
const key = generatePrivateKey()

let box: Sandbox
/** Makes the denial that ends the question. */
let denial: (reasonCode: string) => EntryDraft
beforeEach(() => {
  box = sandbox()
})

/** Creates a ledger with one call, and a question that was asked there. */
async function askedIn(ledger: string): Promise<void> {
  await writeLedger(box.path(ledger), [decisionDraft({ n: 1 })], key)
  denial = await ask(box, ID, ledger, { signer: createSigner(key) })
}

async function append(ledger: string, draft: EntryDraft): Promise<void> {
  const writer = await openLedgerWriter(box.path(ledger), { signer: createSigner(key) })
  await writer.append(draft)
  await writer.close()
}

const run = (...args: string[]) => box.run(['approvals', args[0] ?? '', 'approvals.sqlite', ...args.slice(1)])

/** Starts the command, and runs `work` once the answer is stored. */
async function meanwhile(args: readonly string[], id: string, work: () => Promise<void>) {
  const child = box.start(['approvals', args[0] ?? '', 'approvals.sqlite', ...args.slice(1)])
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (text) => {
    stdout += text
  })
  child.stderr.on('data', (text) => {
    stderr += text
  })
  await expect.poll(() => stateIn(box, id), { timeout: 15_000 }).not.toBe('pending')
  await work()
  const [code] = (await once(child, 'close')) as [number]
  return { code, stdout, stderr }
}

describe.each(['ledger.sqlite', 'ledger.jsonl'])('with --ledger %s', (ledger) => {
  it('prints the position at which the decision is recorded', async () => {
    await askedIn(ledger)
    const args = ['deny', ID, ...YES, '--ledger', ledger, '--receipt', 'receipt.json']
    const ran = await meanwhile(args, ID, async () => {
      await append(ledger, decisionDraft({ n: 2 }))
      await append(ledger, denial('APPROVAL_DENIED'))
    })
    expect(ran).toEqual({
      code: 0,
      stdout: 'denied: refund for support-bot, by alice\nrecorded as entry 5\n',
      stderr: '',
    })
    const same = box.run(['receipt', ledger, '--request-id', ID])
    expect(same.code).toBe(0)
    expect(readFileSync(box.path('receipt.json'), 'utf8')).toBe(same.stdout)
  })

  it('says that the decision is not recorded yet: exit 0, and no receipt', async () => {
    await askedIn(ledger)
    const limited = ['--ledger', ledger, '--timeout', '0.3']
    expect(run('deny', ID, ...YES, ...limited, '--receipt', 'receipt.json')).toEqual({
      code: 0,
      stdout: 'denied: refund for support-bot, by alice\n',
      stderr:
        'sudoagent: note: not recorded yet: the next process that opens the ledger and this store records it\n' +
        'sudoagent: note: `receipt.json` was not written\n',
    })
    expect(box.files().filter((name) => /receipt|tmp/.test(name))).toEqual([])
  })
})

describe('what the command prints', () => {
  beforeEach(() => askedIn('ledger.sqlite'))

  it('with --json: the decision on record', async () => {
    await append('ledger.sqlite', denial('STOPPED'))
    const ran = run('approve', ID, ...YES, '--ledger', 'ledger.sqlite', '--json')
    expect(ran).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(ran.stdout)).toMatchObject({
      approval_id: ID,
      state: 'approved',
      recorded: { position: 4, effect: 'deny', reason_code: 'STOPPED' },
    })
  })

  it('if the decision on record is another than the answer', async () => {
    await append('ledger.sqlite', denial('STOPPED'))
    expect(run('approve', ID, ...YES, '--ledger', 'ledger.sqlite').stdout).toBe(
      'approved: refund for support-bot, by alice\nrecorded as entry 4: the call was denied (STOPPED)\n',
    )
  })

  it('with --json, of a decision that is not on record', () => {
    const ran = run('approve', ID, ...YES, '--ledger', 'ledger.sqlite', '--timeout', '0', '--json')
    expect(ran.code).toBe(0)
    expect(JSON.parse(ran.stdout)).toMatchObject({ state: 'approved', recorded: null })
    expect(ran.stderr).toBe(
      'sudoagent: note: not recorded yet: the process that waits for the answer, or resumes the call, records it\n',
    )
  })

  it('of a request of the older form', async () => {
    await storeWith(box)
    expect(run('deny', 'r1', ...YES, '--ledger', 'ledger.sqlite', '--timeout', '0').stderr).toBe(
      'sudoagent: note: not recorded yet: the process that asked records it\n',
    )
  })
})

describe.each(['show', 'approve', 'deny'])('%s refuses a request that differs from its entry', (command) => {
  const answer = command === 'show' ? [] : YES
  beforeEach(() => askedIn('ledger.sqlite'))

  it.each([
    ['redacted = redacted + 1', /differs from entry 3 of `ledger\.sqlite`: redacted$/m],
    ['position = 2', /entry 2 of `ledger\.sqlite` is not the question/],
    ['position = 99', /entry 99 of `ledger\.sqlite` is not the question/],
  ])('%s', async (change, says) => {
    const db = new Database(box.path('approvals.sqlite'))
    db.exec(`UPDATE sudoagent_question SET ${change}`)
    db.close()
    const ran = run(command, ID, ...answer, '--ledger', 'ledger.sqlite')
    expect({ code: ran.code, stdout: ran.stdout }).toEqual({ code: 1, stdout: '' })
    expect(ran.stderr).toMatch(says)
    expect(await stateIn(box, ID)).toBe('pending')
  })
})

describe('before anything changes, the command refuses', () => {
  it.each([
    ['--receipt without --ledger', 2, ['--receipt', 'x.json'], /--receipt needs --ledger/],
    ['--timeout without --ledger', 2, ['--timeout', '1'], /--timeout needs --ledger/],
    ['a timeout that is no number', 2, ['--ledger', 'ledger.sqlite', '--timeout', '5s'], /not a number of seconds/],
    ['an endless timeout', 2, ['--ledger', 'ledger.sqlite', '--timeout', '1e9'], /not a number of seconds/],
    ['a receipt on standard output', 2, ['--ledger', 'ledger.sqlite', '--receipt', '-'], /--receipt must name a file/],
    [
      'a receipt over the ledger',
      2,
      ['--ledger', 'ledger.sqlite', '--receipt', 'ledger.sqlite'],
      /--receipt `ledger.sqlite` is/,
    ],
    [
      'a receipt over the store',
      2,
      ['--ledger', 'ledger.sqlite', '--receipt', 'approvals.sqlite'],
      /--receipt `approvals.sqlite` is/,
    ],
    ['a receipt in a missing folder', 3, ['--ledger', 'ledger.sqlite', '--receipt', 'a/b.json'], /cannot be written/],
    ['a ledger that is missing', 3, ['--ledger', 'missing.sqlite'], /missing\.sqlite/],
    ['a ledger where the question was not asked', 1, ['--ledger', 'other.sqlite'], /not recorded in `other.sqlite`/],
    ['a password in the URL of a ledger', 2, ['--ledger', 'postgres://u:secret@h/d?ledger=l'], /contains a password/],
  ])('%s', async (_, code, args, says) => {
    await askedIn('ledger.sqlite')
    await writeLedger(box.path('other.sqlite'), [decisionDraft({ n: 1 })])
    const ran = run('deny', ID, ...YES, ...args)
    expect({ code: ran.code, stdout: ran.stdout }).toEqual({ code, stdout: '' })
    expect(ran.stderr).toMatch(/^sudoagent: error: [^\n]+\nsudoagent: hint: [^\n]+\n$/)
    expect(ran.stderr).toMatch(says)
    expect(ran.stderr).not.toContain('secret')
    expect(await stateIn(box, ID)).toBe('pending')
    expect(existsSync(box.path('missing.sqlite'))).toBe(false)
    expect(box.files().filter((name) => name.endsWith('.tmp'))).toEqual([])
  })
})
