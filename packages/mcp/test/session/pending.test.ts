// Tests pending calls: the question outlives the request, the session and the guard, and a repeated call picks it up.
import { describe, expect, it } from 'vitest'
import { type Json, Rig, textOf } from '../support/rig.js'

const ran = (rig: Rig): Json[] => rig.served('tools/call')
const codeOf = (result: Json): string => result._meta['dev.sudoagent/denial'].code
const isPending = (result: Json): boolean =>
  result.isError === true && result._meta['dev.sudoagent/pending'] !== undefined

describe('pending', () => {
  it('is an error with an opaque id; the same call again picks the answer up, once', async () => {
    const rig = await Rig.open({ holdMs: 20 })
    const pending = await rig.callTool('write', { path: 'a' })
    expect(isPending(pending)).toBe(true)
    const { approvalId, binding } = await rig.openApproval()
    const said = JSON.stringify(pending)
    for (const secret of [approvalId, binding.decisionHash, binding.policyHash]) expect(said).not.toContain(secret)
    expect(isPending(await rig.callTool('write', { path: 'a' }))).toBe(true)
    await rig.resolve('approved')
    // A call with different arguments is a different call.
    expect(isPending(await rig.callTool('write', { path: 'b' }))).toBe(true)
    expect(ran(rig)).toEqual([])
    expect(textOf(await rig.callTool('write', { path: 'a' }))).toBe('ran write')
    expect(isPending(await rig.callTool('write', { path: 'a' }))).toBe(true)
    expect(ran(rig)).toHaveLength(1)
    expect(await rig.story()).toEqual(['allow files/write POLICY_REQUIRE_APPROVAL_HIGH_VALUE', 'success files/write'])
    const entry = await rig.first('decision')
    expect(entry.request_id).toBe(approvalId)
    expect(entry.approval).toMatchObject({ approval_id: approvalId, approver_id: 'ada' })
  })

  it('a person at the client may answer after that, too: it runs when the call is repeated', async () => {
    const rig = await Rig.open({ holdMs: 10, capabilities: { elicitation: {} } })
    expect(isPending(await rig.callTool('write'))).toBe(true)
    const { id } = await rig.client.heard(({ method }) => method === 'elicitation/create')
    rig.client.say({ id, result: { action: 'accept', content: { decision: 'approve' } } })
    await rig.ask('ping')
    expect(ran(rig)).toEqual([])
    expect(textOf(await rig.callTool('write'))).toBe('ran write')
    expect((await rig.first('decision')).approval.approver_id).toBe('mcp-client:tester')
  })

  it('an approval that comes while nobody waits runs nothing until the call is repeated', async () => {
    const rig = await Rig.open({ holdMs: 10 })
    expect(isPending(await rig.callTool('write'))).toBe(true)
    await rig.resolve('approved')
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect(ran(rig)).toEqual([])
    expect(await rig.story()).toEqual([])
    expect(textOf(await rig.callTool('write'))).toBe('ran write')
  })

  it('an approval that nobody comes back for in time is used for nothing: the call is asked about again', async () => {
    const rig = await Rig.open({ holdMs: 10, approvalTtlMs: 700 })
    expect(isPending(await rig.callTool('write'))).toBe(true)
    await rig.resolve('approved')
    await new Promise((resolve) => setTimeout(resolve, 800))
    expect(isPending(await rig.callTool('write'))).toBe(true)
    expect(await rig.store.list({ state: 'pending' }, new Date())).toHaveLength(1)
    expect(await rig.story()).toEqual([])
    expect(ran(rig)).toEqual([])
  })

  it('a refusal that comes while nobody waits is what the repeated call learns, once', async () => {
    const rig = await Rig.open({ holdMs: 10 })
    expect(isPending(await rig.callTool('write'))).toBe(true)
    await rig.resolve('denied')
    expect(codeOf(await rig.callTool('write'))).toBe('APPROVAL_DENIED')
    expect(await rig.story()).toEqual(['deny files/write APPROVAL_DENIED'])
    expect(isPending(await rig.callTool('write'))).toBe(true)
  })

  it('two equal calls at once are two calls, with an approval each', async () => {
    const rig = await Rig.open()
    const both = [rig.callTool('write', { a: 1 }), rig.callTool('write', { a: 1 })]
    await expect.poll(async () => (await rig.store.list({ state: 'pending' }, new Date())).length).toBe(2)
    await rig.resolve('approved')
    await rig.resolve('denied')
    const texts = (await Promise.all(both)).map(textOf)
    expect(texts.filter((text) => text === 'ran write')).toHaveLength(1)
    expect(ran(rig)).toHaveLength(1)
  })

  it('equal after redaction is not equal', async () => {
    const rig = await Rig.open({ holdMs: 10 })
    expect(isPending(await rig.callTool('write', { password: 'one' }))).toBe(true)
    await rig.resolve('approved')
    expect(isPending(await rig.callTool('write', { password: 'two' }))).toBe(true)
    expect(ran(rig)).toEqual([])
  })

  it('a connection that is lost leaves the call pending; it runs for whoever repeats it', async () => {
    const rig = await Rig.open()
    const id = rig.send('tools/call', { name: 'write', arguments: {} })
    await rig.openApproval()
    rig.session.detach(id)
    await rig.resolve('approved')
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(ran(rig)).toEqual([])
    expect(textOf(await rig.callTool('write'))).toBe('ran write')
  })

  it('outlives its session: the same call of another session of the guard uses the approval, redacted or not', async () => {
    const rig = await Rig.open({ holdMs: 10 })
    const args = { path: 'a', password: 'one' }
    const _meta = { tenant: 'acme' }
    expect(isPending(await rig.callTool('write', args, { _meta }))).toBe(true)
    await rig.client.close()
    await rig.session.closed
    await rig.resolve('approved')
    const other = await rig.another()
    expect(isPending(await other.callTool('write', { ...args, password: 'two' }, { _meta }))).toBe(true)
    expect(isPending(await other.callTool('write', args, { _meta: { tenant: 'victim' } }))).toBe(true)
    expect(textOf(await other.callTool('write', args, { _meta }))).toBe('ran write')
    expect([ran(rig).length, ran(other).length]).toEqual([0, 1])
  })

  it.each<[string, object, object, boolean]>([
    ['the recorded arguments are those that were sent', { path: 'a' }, {}, true],
    ['an argument is redacted', { path: 'a', password: 'one' }, {}, false],
    ['the client sends the redacted text itself', { path: '[redacted]' }, {}, false],
    ['an integer is recorded as text', { id: 9_007_199_254_740_993n }, {}, false],
    ['there is `_meta`, which is not recorded', { path: 'a' }, { _meta: { tenant: 'acme' } }, false],
    ['there is `_meta` of the attempt alone', { path: 'a' }, { _meta: { progressToken: 1 } }, true],
  ])('outlives its guard, where %s: %#', async (_, args, rest, isPickedUp) => {
    const rig = await Rig.open({ holdMs: 10 })
    expect(isPending(await rig.callTool('write', args, rest))).toBe(true)
    await rig.guard.close()
    await rig.resolve('approved')
    const { ledger, store: approvalStore, pins } = rig
    const next = await Rig.open({ holdMs: 10, ledger, approvalStore, pins })
    const result = await next.callTool('write', args, rest)
    expect(isPickedUp ? textOf(result) : isPending(result)).toBe(isPickedUp ? 'ran write' : true)
    expect(ran(next)).toHaveLength(isPickedUp ? 1 : 0)
  })

  it.each([
    ['the same', 7, true],
    ['another', 8, false],
  ])('outlives its guard with redacted arguments, with %s commitment key: %s', async (_, byte, isPickedUp) => {
    const args = { path: 'a', password: 'one' }
    const rig = await Rig.open({ holdMs: 10, commitmentKey: new Uint8Array(32).fill(7) })
    expect(isPending(await rig.callTool('write', args))).toBe(true)
    await rig.guard.close()
    await rig.resolve('approved')
    const { ledger, store: approvalStore, pins } = rig
    const commitmentKey = new Uint8Array(32).fill(byte)
    const next = await Rig.open({ holdMs: 10, ledger, approvalStore, pins, commitmentKey })
    expect(isPending(await next.callTool('write', { ...args, password: 'two' }))).toBe(true)
    expect(isPending(await next.callTool('write', args))).toBe(!isPickedUp)
    expect(ran(next)).toHaveLength(isPickedUp ? 1 : 0)
  })

  it('runs once for a client that repeats the call after each time-out, if the hold is shorter', async () => {
    const rig = await Rig.open({ holdMs: 20 })
    for (let attempt = 0; attempt < 3; attempt += 1) {
      // The client has stopped to wait when the answer comes.
      void rig.callTool('write', { iban: 'DE02' })
      await new Promise((resolve) => setTimeout(resolve, 60))
    }
    expect(await rig.store.list({ state: 'pending' }, new Date())).toHaveLength(1)
    await rig.resolve('approved')
    expect(textOf(await rig.callTool('write', { iban: 'DE02' }))).toBe('ran write')
    expect(ran(rig)).toHaveLength(1)
  })

  it('with a longer hold, asks for each attempt, and shows the person that an equal call ran', async () => {
    const rig = await Rig.open({ capabilities: { elicitation: {} } })
    const forms = (): Json[] => rig.client.got.filter(({ method }) => method === 'elicitation/create')
    const approve = (at: number): void =>
      rig.client.say({ id: forms()[at].id, result: { action: 'accept', content: { decision: 'approve' } } })
    void rig.callTool('write', { iban: 'DE02' })
    await expect.poll(() => forms().length).toBe(1)
    approve(0)
    await expect.poll(() => ran(rig).length).toBe(1)
    await expect.poll(async () => (await rig.store.list({}, new Date()))[0]?.consumedAt).not.toBeNull()
    void rig.callTool('write', { iban: 'DE02' })
    await expect.poll(() => forms().length).toBe(2)
    expect(forms()[0].params.message).not.toContain('an equal call')
    expect(forms()[1].params.message).toMatch(/^NOTE: an equal call of this agent ran \d+ s ago/m)
    expect(ran(rig)).toHaveLength(1)
  })

  it('sixteen of them can be repeated at once, and none is denied for their number', async () => {
    const rig = await Rig.open({ holdMs: 20 })
    const all = (): Promise<Json[]> => Promise.all(Array.from({ length: 16 }, (_, n) => rig.callTool('write', { n })))
    for (let turn = 0; turn < 3; turn += 1) expect((await all()).filter(isPending)).toHaveLength(16)
    expect(await rig.store.list({ state: 'pending' }, new Date())).toHaveLength(16)
    expect(textOf(await rig.callTool('write', { n: 16 }))).toContain('too many approvals are pending')
    expect(await rig.story()).toEqual(['deny files/write APPROVAL_DENIED'])
  })

  it('is not that of another agent', async () => {
    const rig = await Rig.open({ holdMs: 10 })
    const pending = await rig.callTool('write')
    await rig.guard.close()
    await rig.resolve('approved')
    const { ledger, store: approvalStore, pins } = rig
    const next = await Rig.open({ holdMs: 10, ledger, approvalStore, pins, agentId: 'other', waitTool: true })
    expect(isPending(await next.callTool('write'))).toBe(true)
    const { id } = pending._meta['dev.sudoagent/pending']
    expect(textOf(await next.callTool('sudoagent_wait', { waiting_id: id, seconds: 0 }))).toMatch(/^not found/)
    expect(ran(next)).toEqual([])
  })
})
