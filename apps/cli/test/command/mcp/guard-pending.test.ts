// Tests pending calls of `mcp guard` across guards: a call that one guard asked about is picked up by the next one.
import { writeFileSync } from 'node:fs'
import { beforeEach, expect, it } from 'vitest'
import { connect, type Guarded, hostile, type Json, POLICY, textOf } from '../../support/mcp.js'
import { type Sandbox, sandbox } from '../../support/sandbox.js'

let box: Sandbox
beforeEach(() => {
  box = sandbox()
  writeFileSync(box.path('policy.mjs'), POLICY)
})

const SERVER = ['--server', 'files']
const open = (...options: string[]): Promise<Guarded> =>
  connect(box, hostile('plain', 'pids'), { options: [...SERVER, '--hold', '1', ...options] })
const call = { name: 'write', arguments: { path: 'a' } }
const idOf = (result: Json): string => result._meta['dev.sudoagent/pending'].id
const wait = (waiting_id: string, seconds = 1) => ({ name: 'sudoagent_wait', arguments: { waiting_id, seconds } })

/** Answers the one open question, as a person would in another terminal. */
function answer(verb: 'approve' | 'deny'): string {
  const store = 'ledger.sqlite.approvals'
  const [{ approval_id: id }] = JSON.parse(box.run(['approvals', 'list', store, '--state', 'pending', '--json']).stdout)
  const { code, stderr } = box.run(['approvals', verb, store, id, '--approver', 'ada', '--yes'])
  expect(code).toBe(0)
  return stderr
}
const entries = (): Json[] =>
  box
    .run(['export', 'ledger.sqlite', '--format', 'ndjson'])
    .stdout.split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
    .map((row) => row.entry ?? row)
const decisions = (): string[] =>
  entries()
    .filter(({ event }) => event === 'decision')
    .map(({ decision }) => `${decision.effect} ${decision.reason_code}`)

it('a call that became pending is run by the next guard, where the client repeats it', async () => {
  const first = await open()
  expect(textOf(await first.client.callTool(call))).toMatch(/^pending: /)
  await first.client.close()
  expect(answer('approve')).toContain('no process waits for the answer')
  const second = await open()
  expect(textOf(await second.client.callTool(call))).toBe('ran write')
  await second.client.close()
  expect(decisions()).toEqual(['allow POLICY_REQUIRE_APPROVAL_HIGH_VALUE'])
  expect(box.run(['verify', 'ledger.sqlite']).code).toBe(0)
})

it('and where the client waits with the waiting id', async () => {
  const first = await open()
  const id = idOf(await first.client.callTool(call))
  await first.client.close()
  const second = await open()
  expect((await second.client.listTools()).tools.map(({ name }) => name)).toContain('sudoagent_wait')
  expect(textOf(await second.client.callTool(wait(id)))).toMatch(/^pending: /)
  answer('approve')
  expect(textOf(await second.client.callTool(wait(id)))).toBe('ran write')
  expect(textOf(await second.client.callTool(wait(id, 0)))).toBe('ran write')
  expect(decisions()).toEqual(['allow POLICY_REQUIRE_APPROVAL_HIGH_VALUE'])
})

it('with --no-wait-tool, and with rules that never ask a person, there is no tool to wait with', async () => {
  const { client } = await open('--no-wait-tool')
  expect((await client.listTools()).tools.map(({ name }) => name)).not.toContain('sudoagent_wait')
  expect(textOf(await client.callTool(wait('0'.repeat(16))))).toContain('TOOL_UNKNOWN')
  const rule = { id: 'all', server: 'files', effect: 'allow', reason: 'fine' }
  const rules = { sudoagent_policy: 1, id: 'rules', version: '1', rules: [rule] }
  writeFileSync(box.path('rules.json'), JSON.stringify(rules))
  const other = await open('--policy', 'rules.json')
  expect((await other.client.listTools()).tools.map(({ name }) => name)).not.toContain('sudoagent_wait')
})

it('the person is told that an equal call ran', async () => {
  const { client } = await open()
  const id = idOf(await client.callTool(call))
  expect(answer('approve')).not.toContain('an equal call')
  expect(textOf(await client.callTool(wait(id)))).toBe('ran write')
  await client.callTool(call)
  const store = 'ledger.sqlite.approvals'
  const [{ approval_id: asked }] = JSON.parse(
    box.run(['approvals', 'list', store, '--state', 'pending', '--json']).stdout,
  )
  expect(box.run(['approvals', 'show', store, asked]).stdout).toMatch(
    /not part of what you sign:\nnote {6}an equal call of this agent ran \d+ s ago, at 20\S+Z\n/,
  )
  expect(JSON.parse(box.run(['approvals', 'show', store, asked, '--json']).stdout).equal_call_used_at).toMatch(/^20/)
  expect(answer('approve')).toMatch(/note: an equal call of this agent ran \d+ s ago, at 20\S+Z/)
})
