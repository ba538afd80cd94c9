// Tests approvals across processes: an engine waits for approvals, and people answer in other terminals.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Ran, type Sandbox, sandbox } from '../../support/sandbox.js'

const ENGINE = fileURLToPath(new URL('../../support/waiting-engine.mjs', import.meta.url))
const POLICY = `sudoagent_policy: 1
id: pay
rules:
  - { id: ask, tool: pay, effect: require_approval, reason: somebody looks at it }
`

/** Approval time limit in milliseconds, longer than any test here. The engine stops waiting when the answer arrives. */
const TTL_MS = 60_000

/** Starts an engine that requests an approval for each amount. */
function startEngine(box: Sandbox, amounts: readonly number[], ttlMs = TTL_MS) {
  writeFileSync(box.path('policy.yaml'), POLICY)
  const child = spawn(process.execPath, [ENGINE, String(ttlMs), ...amounts.map(String)], {
    cwd: box.folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  child.stdout.on('data', (chunk) => {
    said += chunk
  })
  const ended = once(child, 'close')
  const end = async (): Promise<string> => {
    await ended
    return said
  }
  return { said: () => said, end }
}

interface Listed {
  readonly approval_id: string
  readonly kwargs: { readonly amount: number }
}

/** Waits until `count` approvals are pending. */
async function pendingIn(box: Sandbox, count: number): Promise<ReadonlyMap<number, string>> {
  for (;;) {
    const { code, stdout } = box.run(['approvals', 'list', 'approvals.sqlite', '--state', 'pending', '--json'])
    const listed = code === 0 ? (JSON.parse(stdout) as Listed[]) : []
    if (listed.length === count) return new Map(listed.map(({ approval_id: id, kwargs }) => [kwargs.amount, id]))
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function decisions(box: Sandbox): Record<string, unknown>[] {
  expect(box.run(['verify', 'ledger.sqlite', '--quiet']).code).toBe(0)
  const { stdout } = box.run(['filter', 'ledger.sqlite', '--event', 'decision', '--format', 'json'])
  return JSON.parse(stdout) as Record<string, unknown>[]
}

const answer = (box: Sandbox, verb: string, id: string, ...more: string[]): Ran =>
  box.run(['approvals', verb, 'approvals.sqlite', id, ...more])

describe('an engine that waits', () => {
  it('is answered from another terminal: the call runs once, and the ledger says who, and which rule', async () => {
    const box = sandbox()
    const engine = startEngine(box, [5])
    const id = (await pendingIn(box, 1)).get(5) ?? ''

    const list = box.run(['approvals', 'list', 'approvals.sqlite'])
    expect(list.stdout).toMatch(
      /^ACTION +ARGUMENTS +AGENT +STATE +ID\npay +\{"amount":5,\S+ {2}pay-bot {2}pending {2}\d+ s left {2}\S+\n$/,
    )
    const shown = box.run(['approvals', 'show', 'approvals.sqlite', id])
    expect(shown.stdout).toContain('"amount": 5')
    expect(shown.stdout).toContain('"apiKey": "[redacted]"')
    expect(shown.stdout).toMatch(
      /^action {4}pay\nagent {5}pay-bot\nrule {6}ask\n(?:.*\n)*not part of what you sign:\nreason {4}7 characters are NOT SHOWN \(apiKey\)\. somebody looks at it \(rule ask\)\npolicy {4}pay\nmetadata {2}.*\n$/m,
    )
    expect(shown.stdout).toMatch(/^redacted {2}1 value is not shown/)
    expect(answer(box, 'show', id, '--ledger', 'ledger.sqlite')).toMatchObject({ code: 0, stderr: '' })
    expect(shown.stdout).toMatch(/^decision {2}[0-9a-f]{64}$/m)
    expect(shown.stdout).not.toMatch(/\u001b|hunter2/)
    expect(engine.said()).toBe('')

    const approved = answer(box, 'approve', id, '--approver', 'alice', '--yes')
    const next = 'sudoagent: note: a process waits for the answer\n'
    expect(approved).toEqual({ code: 0, stdout: 'approved: pay for pay-bot, by alice\n', stderr: next })
    expect(await engine.end()).toBe('ran 5\n')
    expect(decisions(box)).toMatchObject([
      {
        decision: { effect: 'allow', reason_code: 'POLICY_RULE:ask' },
        approval: { approval_id: id, state: 'approved', approver_id: 'alice' },
      },
    ])

    // The approval was answered and used, so any further answer is an error.
    for (const verb of ['approve', 'deny']) {
      const again = answer(box, verb, id, '--approver', 'alice', '--yes')
      expect({ code: again.code, stdout: again.stdout }).toEqual({ code: 1, stdout: '' })
      expect(again.stderr).toMatch(/nothing changed: the approval is approved by alice at .*, used at /)
    }
    expect(box.run(['approvals', 'list', 'approvals.sqlite']).stdout).toMatch(/ {2}used {2}/)
  })

  it('is answered, and the command waits until the ledger has the decision', async () => {
    const box = sandbox()
    const engine = startEngine(box, [5, 7])
    const ids = await pendingIn(box, 2)
    const toLedger = ['--approver', 'alice', '--yes', '--ledger', 'ledger.sqlite']
    expect(answer(box, 'approve', ids.get(5) ?? '', ...toLedger)).toEqual({
      code: 0,
      stdout: 'approved: pay for pay-bot, by alice\nrecorded as entry 4\n',
      stderr: 'sudoagent: note: a process waits for the answer\n',
    })
    const denied = answer(box, 'deny', ids.get(7) ?? '', ...toLedger, '--receipt', 'receipt.json')
    expect(denied).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^denied: pay for pay-bot, by alice\nrecorded as entry \d\n$/),
      stderr: 'sudoagent: note: the receipt has no proof: the ledger has no signed checkpoint\n',
    })
    await engine.end()
    const same = box.run(['receipt', 'ledger.sqlite', '--request-id', ids.get(7) ?? ''])
    expect(readFileSync(box.path('receipt.json'), 'utf8')).toBe(same.stdout)
  })

  it('is answered, and the command waits until the approval was used', async () => {
    const box = sandbox()
    const engine = startEngine(box, [5])
    const id = (await pendingIn(box, 1)).get(5) ?? ''
    expect(answer(box, 'approve', id, '--approver', 'alice', '--yes', '--wait')).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^approved: pay for pay-bot, by alice\nused at \d{4}-\S+Z\n$/),
      stderr: 'sudoagent: note: a process waits for the answer\n',
    })
    await engine.end()
  })

  it('is told no, with the reason; the rule that asked stays on record', async () => {
    const box = sandbox()
    const engine = startEngine(box, [5])
    const id = (await pendingIn(box, 1)).get(5) ?? ''
    const denied = box.run(['approvals', 'deny', 'approvals.sqlite', id, '--reason', 'not this month', '--yes'], {
      env: { SUDOAGENT_APPROVER: 'bob' },
    })
    expect(denied).toEqual({ code: 0, stdout: 'denied: pay for pay-bot, by bob\n', stderr: '' })
    expect(await engine.end()).toBe('5 ApprovalDenied: not this month\n')
    expect(decisions(box)).toMatchObject([
      {
        decision: { effect: 'deny', reason: 'not this month', reason_code: 'APPROVAL_DENIED' },
        approval: { state: 'denied', approver_id: 'bob' },
        metadata: { policy_result: { decision: 'require_approval', reason_code: 'POLICY_RULE:ask' } },
      },
    ])
  })

  it('is not answered in time: the answer that comes too late changes nothing', async () => {
    const box = sandbox()
    const engine = startEngine(box, [5], 5_000)
    const [id = ''] = (await pendingIn(box, 1)).values()
    expect(await engine.end()).toMatch(/^5 ApprovalDenied: /)
    const late = answer(box, 'approve', id, '--approver', 'alice', '--yes')
    expect(late.code).toBe(1)
    expect(late.stderr).toMatch(/^sudoagent: error: nothing changed: the approval is expired/)
    expect(decisions(box)).toMatchObject([{ decision: { effect: 'deny' }, approval: { state: 'expired' } }])
  })

  it('asks about two calls: an approval of one is none of the other', async () => {
    const box = sandbox()
    const engine = startEngine(box, [5, 7])
    const ids = await pendingIn(box, 2)
    expect(answer(box, 'approve', ids.get(7) ?? '', '--approver', 'alice', '--yes').code).toBe(0)
    expect((await pendingIn(box, 1)).get(5)).toBe(ids.get(5))
    expect(answer(box, 'deny', ids.get(5) ?? '', '--approver', 'alice', '--yes').code).toBe(0)
    const said = await engine.end()
    expect(said.split('\n').sort()).toEqual(['', '5 ApprovalDenied: the approver denied the call', 'ran 7'])
  })

  it('hears one of several people who answer at once', async () => {
    const box = sandbox()
    const engine = startEngine(box, [5])
    const [id = ''] = (await pendingIn(box, 1)).values()
    const people = ['alice', 'bob', 'carol', 'dave']
    const ran = await Promise.all(
      people.map(async (name, i) => {
        const verb = i % 2 === 0 ? 'approve' : 'deny'
        const child = box.start(['approvals', verb, 'approvals.sqlite', id, '--approver', name, '--yes'])
        const [code] = (await once(child, 'close')) as [number]
        return { code, name, verb }
      }),
    )
    expect(ran.map(({ code }) => code).sort()).toEqual([0, 1, 1, 1])
    const winner = ran.find(({ code }) => code === 0)
    expect(await engine.end()).toMatch(winner?.verb === 'approve' ? /^ran 5\n$/ : /^5 ApprovalDenied/)
    expect(decisions(box)).toMatchObject([{ approval: { approver_id: winner?.name } }])
  })
})
