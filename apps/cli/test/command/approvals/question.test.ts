// Tests the `approvals` commands on questions: on requests of which a ledger has the entry `asked`.
import { once } from 'node:events'
import Database from 'better-sqlite3'
import { beforeEach, describe, expect, it, test } from 'vitest'
import { questionOf } from '../../../../../packages/core/test/fixtures/approval.js'
import { stateIn, storeQuestion, storeWith } from '../../support/approval-store.js'
import { hasTerminal, type Sandbox, sandbox, skipUnless } from '../../support/sandbox.js'
import { typeInto } from '../../support/typist.js'

const ID = '083a0f8c-664e-4692-9c0d-fb611024f7a4'
const ALICE = { on_behalf_of: { id: 'ali\u202ece', type: 'user', assurance: 'asserted' }, tenant: 'acme' } as const
const COMMITMENT = { key_id: '0123456789abcdef', hmac: 'a'.repeat(64) }
const QUESTION = {
  authority: ALICE,
  reason: 'because\u001b[2J',
  asked: { redacted: 2, metadata: { ticket: 'T-1' }, commitment: COMMITMENT },
} as const
const YES = ['--approver', 'bob', '--yes'] as const

let box: Sandbox
beforeEach(async () => {
  box = sandbox()
  await storeQuestion(box, ID, QUESTION)
})

const run = (command: string, ...args: string[]) => box.run(['approvals', command, 'approvals.sqlite', ...args])
const json = (...args: [string, ...string[]]) => JSON.parse(run(...args, '--json').stdout)

function change(what: string): void {
  const db = new Database(box.path('approvals.sqlite'))
  db.exec(`UPDATE sudoagent_question SET ${what}`)
  db.close()
}

it('shows what is redacted, for whom, what is required, and what no hash covers', () => {
  const { code, stdout, stderr } = run('show', '083a')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^redacted {2}2 values are not shown as the call gets them\n\narguments /)
  expect(stdout).toContain(
    'for       user ali\\u{202e}ce, asserted\ntenant    acme\nrule      refunds\nneeds     1 approval\n',
  )
  expect(stdout).toContain('not part of what you sign:\nreason    because\\u{1b}[2J\n')
})

it('prints all members with --json', () => {
  const question = questionOf(ID, QUESTION)
  const { binding, decision, asked } = question
  const value = {
    approval_id: ID,
    state: 'pending',
    action: 'refund',
    agent_id: 'support-bot',
    authority: ALICE,
    args: [],
    kwargs: question.kwargs,
    reason: QUESTION.reason,
    created_at: expect.any(String),
    expires_at: expect.any(String),
    approver_id: null,
    note: null,
    resolved_at: null,
    consumed_at: null,
    binding: { request_id: ID, policy_hash: binding.policyHash, decision_hash: binding.decisionHash },
    decision: { decision_at: decision?.decisionAt, source: 'node', authority_hash: decision?.authorityHash },
    asked: {
      ledger: asked?.ledger,
      position: 7,
      requirement: asked?.requirement,
      requirement_hash: asked?.requirementHash,
      redacted: 2,
      policy_id: 'refunds',
      policy_version: null,
      metadata: { ticket: 'T-1' },
      commitment: COMMITMENT,
    },
  }
  expect(json('show', ID)).toEqual({ ...value, equal_call_used_at: null })
  expect(json('list')).toEqual([value])
  const answer = { state: 'approved', approver_id: 'bob', resolved_at: expect.any(String) }
  expect(json('approve', ID, ...YES)).toEqual({ ...value, ...answer, waiting: false })
})

it('says that no process waits, and until when the call can run', () => {
  const { code, stdout, stderr } = run('approve', ID, ...YES)
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'approved: refund for support-bot, by bob\n' })
  expect(stderr).toMatch(
    /^sudoagent: note: no process waits for the answer: the call can run when it is repeated or resumed, until \d{4}-\S+Z\n$/,
  )
})

describe('--wait', () => {
  it('ends with 1 where the call was ended in another way', async () => {
    const { code, stdout, stderr } = await endWhileWaiting()
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'approved: refund for support-bot, by bob\n' })
    expect(stderr).toContain('error: the call did not run under this approval\n')
  })

  it('is not for --ledger, which waits as well', () => {
    expect(run('approve', ID, ...YES, '--wait', '--ledger', 'ledger.sqlite')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--wait cannot be combined with --ledger'),
    })
  })
})

/** Approves with `--wait`; meanwhile, the row becomes `failed`, as after a use for another call. */
async function endWhileWaiting() {
  const waiting = box.start(['approvals', 'approve', 'approvals.sqlite', ID, ...YES, '--wait'])
  const said = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const)
    waiting[stream]?.on('data', (chunk) => {
      said[stream] += chunk
    })
  const closed = once(waiting, 'close')
  await expect.poll(() => stateIn(box, ID), { timeout: 20_000 }).toBe('approved')
  change(`state = 'failed'`)
  const [code] = await closed
  return { code, ...said }
}

it('lists both kinds of requests, newest first, and answers both', async () => {
  await storeWith(box)
  expect(json('list').map((record: { approval_id: string }) => record.approval_id)).toEqual(['r1', ID])
  expect(run('list', '--state', 'pending').stdout).toMatch(
    /^ACTION +ARGUMENTS +FOR +.*\n.*r1\n.*ali\\u\{202e\}ce \(acme\)/,
  )
  expect(run('deny', ID, ...YES, '--reason', 'no').stdout).toBe('denied: refund for support-bot, by bob\n')
  expect(run('approve', 'r1', ...YES).code).toBe(0)
  expect([await stateIn(box, ID), await stateIn(box, 'r1')]).toEqual(['denied', 'approved'])
  expect(run('approve', ID, ...YES)).toMatchObject({ code: 1, stderr: expect.stringContaining('nothing changed') })
})

test.skipIf(skipUnless(hasTerminal(), 'no pseudo-terminal is available'))('lists on a terminal of 40 columns', () => {
  const { stdout } = box.terminal(['approvals', 'list', 'approvals.sqlite'], 40)
  const lines = stdout.trimEnd().split('\n')
  expect(lines.slice(0, 3)).toEqual([
    'refund',
    '  {"amount":500,"note":"broken on arriv…',
    '  for ali\\u{202e}ce (acme)',
  ])
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(40)
})

test.skipIf(skipUnless(hasTerminal(), 'no pseudo-terminal is available'))(
  'shows the number of redacted values before the question',
  async () => {
    const line = `$S approvals approve approvals.sqlite ${ID} --approver bob; echo "exit $?"`
    const shown = await typeInto(box, line, [{ sees: 'as `bob`? [y/N] ', types: 'y\n' }])
    expect(shown).toMatch(/^redacted {2}2 values[\s\S]*not part of what you sign:[\s\S]*approve `refund`[\s\S]*exit 0/)
    expect(await stateIn(box, ID)).toBe('approved')
  },
)

describe('a question that does not show the call of its hashes', () => {
  it.each([
    ['the arguments', `parameters_json = '{"args":[],"kwargs":{"amount":5}}'`],
    ['the subject', `authority_json = '{"tenant":"acme"}'`],
    ['the requirement', `requirement_json = replace(requirement_json, 'refunds', 'others')`],
  ])('(%s) is neither shown nor answered: exit 1, and nothing has changed', async (_, what) => {
    change(what)
    for (const args of [
      ['show', ID],
      ['show', '083a'],
      ['approve', ID, ...YES],
      ['deny', ID, ...YES, '--json'],
    ] as const) {
      const { code, stdout, stderr } = run(...(args as unknown as [string, ...string[]]))
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toMatch(/^sudoagent: error: nothing changed: .*hashes cover\nsudoagent: hint: [^\n]+\n$/)
    }
    const db = new Database(box.path('approvals.sqlite'), { readonly: true })
    expect(db.prepare('SELECT state FROM sudoagent_question').pluck().get()).toBe('pending')
    db.close()
  })

  it('is not listed, and a note names it', async () => {
    await storeWith(box)
    change(`action = 'read_calendar'`)
    const { code, stdout, stderr } = run('list')
    expect(code).toBe(0)
    expect(stdout).toContain('r1')
    expect(stdout).not.toContain('read_calendar')
    expect(stderr).toContain(`sudoagent: note: \`${ID}\` is not listed, because its row was changed\nsudoagent: hint: `)
    expect(JSON.parse(run('list', '--json').stdout)).toHaveLength(1)
  })

  it('is an error of the store if its row is damaged', () => {
    change(`metadata_json = '{'`)
    expect(run('show', ID)).toMatchObject({ code: 3, stdout: '' })
  })
})
