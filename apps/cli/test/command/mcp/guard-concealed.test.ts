// Tests `--on-concealed`, which handles arguments with hidden parts, from the client's call to the question that a
// person reads.
import { writeFileSync } from 'node:fs'
import { SqliteApprovalStore } from '@sudoagent/core/sqlite'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { connect, EVERYTHING, guardArgs, type Json, POLICY, textOf } from '../../support/mcp.js'
import { type Sandbox, sandbox } from '../../support/sandbox.js'

let box: Sandbox
beforeEach(() => {
  box = sandbox()
  writeFileSync(box.path('policy.mjs'), POLICY)
})

const CALL = { name: 'echo', arguments: { message: 'API_KEY="rm and more"; echo hi' } }

describe('--on-concealed', () => {
  it('denies by default, and `show` says how much is not shown', async () => {
    const { client } = await connect(box, EVERYTHING)
    expect(textOf(await client.callTool(CALL))).toMatch(/^denied: .*11 characters are NOT SHOWN \(message\)/)
    await client.close()
    const [decision] = box.run(['filter', 'ledger.sqlite', '--reason-code', 'ARGUMENTS_CONCEALED']).stdout.split('\n')
    const { request_id: requestId } = JSON.parse(decision ?? '') as Json
    const shown = box.run(['show', 'ledger.sqlite', requestId, '--format', 'text']).stdout
    expect(shown).toContain('arguments    11 characters are NOT SHOWN (message)')
    expect(shown).not.toContain('rm and more')
  })

  it('allow: the call runs with all of it', async () => {
    const { client } = await connect(box, EVERYTHING, { options: ['--on-concealed', 'allow'] })
    expect(textOf(await client.callTool(CALL))).toBe(`Echo: ${CALL.arguments.message}`)
  })

  it('ask: a person at another terminal is told how much is not shown', async () => {
    const { client } = await connect(box, EVERYTHING, { options: ['--on-concealed', 'ask'] })
    const called = client.callTool(CALL)
    const store = SqliteApprovalStore.open(box.path('ledger.sqlite.approvals'))
    onTestFinished(() => store.close())
    const pending = async () => (await store.list({ state: 'pending' }, new Date()))[0]
    await expect.poll(pending, { timeout: 10_000 }).toBeDefined()
    const id = (await pending())?.approvalId ?? ''
    const approvals = ['approvals', 'show', 'ledger.sqlite.approvals', id]
    const shown = box.run(approvals).stdout
    expect(shown).toContain('11 characters are NOT SHOWN (message)')
    const definition = /\[Tool definition \(not covered by your signature\): ([0-9a-f]{64})\]/.exec(shown)?.[1]
    await store.resolve(id, { state: 'approved', approverId: 'ada' }, new Date())
    expect(textOf(await called)).toBe(`Echo: ${CALL.arguments.message}`)
    const [decision] = box
      .run(['filter', 'ledger.sqlite', '--event', 'decision', '--request-id', id])
      .stdout.split('\n')
    expect((JSON.parse(decision ?? '') as Json).metadata.mcp.tool_definition).toBe(definition)
  })

  it('knows three words', () => {
    const { code, stderr } = box.run(guardArgs(['--on-concealed', 'hide'], EVERYTHING))
    expect(code).toBe(2)
    expect(stderr).toContain('one of deny, ask, allow')
  })
})
