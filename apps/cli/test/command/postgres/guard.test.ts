// Tests `mcp guard` with its ledger, approvals and budgets in a PostgreSQL database, and people who answer approvals in
// that database.
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { generatePrivateKey } from '@sudoagent/crypto'
import { beforeEach, expect, it } from 'vitest'
import { ledgerUrl, newDatabase } from '../../../../../packages/postgres/test/server/shared.js'
import { connect, EVERYTHING, guardArgs, type Json, textOf } from '../../support/mcp.js'
import { type Sandbox, sandbox } from '../../support/sandbox.js'

const POLICY = `export const policy = {
  policyId: 'test',
  version: '1',
  evaluate: ({ action }) => action.endsWith('/echo')
    ? { decision: 'require_approval', reason: 'echoes are looked at' }
    : { decision: 'allow', reason: 'fine' },
}
`

let box: Sandbox
let database: string
beforeEach(async () => {
  box = sandbox()
  database = await newDatabase()
  writeFileSync(box.path('policy.mjs'), POLICY)
})

it('writes to the server, and a call that was approved there runs', async () => {
  const key = generatePrivateKey()
  writeFileSync(box.path('key.pem'), key.pem, { mode: 0o600 })
  writeFileSync(box.path('pub.pem'), key.publicKey.pem)
  const url = ledgerUrl(database, 'guarded')
  const options = ['--ledger', url, '--tools', 'tools.sqlite', '--private-key', 'key.pem', '--hold', '60']
  const { client } = await connect(box, EVERYTHING, { options: [...options, '--budget', 'per-tool=1,window=3600'] })

  expect(textOf(await client.callTool({ name: 'get-sum', arguments: { a: 1, b: 2 } }))).toContain('3')
  expect(textOf(await client.callTool({ name: 'get-sum', arguments: { a: 1, b: 2 } }))).toContain('BUDGET_EXCEEDED')

  const answer = client.callTool({ name: 'echo', arguments: { message: 'hi' } })
  const pending = (): Json[] =>
    JSON.parse(box.run(['approvals', 'list', url, '--state', 'pending', '--json']).stdout) as Json[]
  await expect.poll(pending).toHaveLength(1)
  const id = String(pending()[0].approval_id)
  expect(box.run(['approvals', 'show', url, id]).stdout).toContain('echoes are looked at')
  const yes = box.run(['approvals', 'approve', url, id, '--approver', 'alice', '--yes'])
  expect(yes).toMatchObject({ code: 0, stderr: 'sudoagent: note: a process waits for the answer\n' })
  expect(textOf((await answer) as Json)).toBe('Echo: hi')
  const again = box.run(['approvals', 'deny', url, id, '--approver', 'bob', '--yes'])
  expect(again.code).toBe(1)
  expect(again.stderr).toContain('nothing changed')
  await client.close()

  const report = JSON.parse(box.run(['verify', url, '--public-key', 'pub.pem', '--json']).stdout) as Json
  expect(report).toMatchObject({ verdict: 'signed', decisions: 3, outcomes: 2, open: 0 })
  expect(box.run(['filter', url, '--effect', 'allow', '--json']).stdout).toContain('"approver_id":"alice"')
  // The guard created only the files named in its options, and SQLite's side files.
  expect(readdirSync(box.folder).filter((name) => !/^(?:policy|key|pub|tools)\./.test(name))).toEqual([])
})

it('needs a file for tool definitions, and says so before anything is opened', () => {
  const url = ledgerUrl(database, 'guarded')
  const { code, stderr } = box.run(guardArgs(['--ledger', url], EVERYTHING))
  expect(code).toBe(2)
  expect(stderr).toContain('a ledger in PostgreSQL needs --tools')
  expect(stderr).toContain('--tools tools.sqlite')
  const toServer = box.run(guardArgs(['--ledger', url, '--tools', url], EVERYTHING))
  expect([toServer.code, toServer.stderr]).toEqual([2, expect.stringContaining('--tools must be a file')])
  const mixed = box.run(guardArgs(['--approvals', url], EVERYTHING))
  expect([mixed.code, mixed.stderr]).toEqual([2, expect.stringContaining('--approvals must be a file')])
  expect(existsSync(box.path('ledger.sqlite'))).toBe(false)
  expect(box.run(['ledgers', database]).code).toBe(1)
})

it('approvals of a server that cannot be used: one error, one hint', () => {
  const { code, stderr } = box.run(['approvals', 'list', 'postgres://127.0.0.1:1/x'])
  expect(code).toBe(3)
  expect(stderr.trimEnd().split('\n')).toHaveLength(2)
  expect(stderr).not.toContain('    at ')
})
