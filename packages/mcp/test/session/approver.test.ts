// Tests the order of approvers. The guard first asks the person at the client, and then uses the approval store: the
// call gets the answer "pending", and the client repeats the call. Nothing else can approve a call.
import { describe, expect, it } from 'vitest'
import { type Json, Rig, textOf } from '../support/rig.js'

const ran = (rig: Rig): Json[] => rig.served('tools/call')
const codeOf = (result: Json): string => result._meta['dev.sudoagent/denial'].code
const isPending = (result: Json): boolean =>
  result.isError === true && result._meta['dev.sudoagent/pending'] !== undefined
/** Returns a function that starts a session with a client that shows forms and answers them with `answer`. */
const answering =
  (answer: object) =>
  async (options: object = {}) => {
    const rig = await Rig.open({ capabilities: { elicitation: {} }, ...options })
    rig.client.answer = ({ method }) => (method === 'elicitation/create' ? answer : undefined)
    return rig
  }

describe('the person at the client', () => {
  it('approves: the call runs, once, and the record says whose word it was', async () => {
    const rig = await answering({ action: 'accept', content: { decision: 'approve' } })()
    expect(textOf(await rig.callTool('write', { path: 'a' }))).toBe('ran write')
    expect(ran(rig)).toHaveLength(1)
    const question = rig.client.got.find(({ method }) => method === 'elicitation/create')
    expect(question.params.message).toMatch(/^SudoAgent: may the agent \S+ call files\/write\?$/m)
    expect(question.params.message).toContain('{"path":"a"}')
    expect(question.params.message).toMatch(/^Redacted: 0 values/)
    expect((await rig.first('decision')).approval).toMatchObject({
      state: 'approved',
      approver_id: 'mcp-client:tester',
    })
  })

  it('is shown what could hide or turn a part of the question, and what the tool was defined as', async () => {
    const rig = await answering({ action: 'decline' })()
    await rig.callTool('write', { path: 'a\u202etxt.exe\u200b' })
    const { message } = rig.client.got.find(({ method }) => method === 'elicitation/create').params
    expect(message).toContain('a\\u{202e}txt.exe\\u{200b}')
    const digest = (await rig.first('decision')).metadata.mcp.tool_definition
    expect(message).toContain(
      `\nReason (not part of what you sign): writes are looked at [Tool definition (not covered by your signature): ${digest}]`,
    )
  })

  it.each<[string, object]>([
    ['declines', { action: 'decline' }],
    ['sends the form off with no', { action: 'accept', content: { decision: 'deny' } }],
    ['sends off an empty form', { action: 'accept', content: {} }],
    ['sends off no form', { action: 'accept' }],
    ['says yes in another way', { action: 'accept', content: { decision: true, approve: 'approve', approved: true } }],
  ])('%s: denied', async (_, answer) => {
    const rig = await answering(answer)()
    expect(codeOf(await rig.callTool('write'))).toBe('APPROVAL_DENIED')
    expect(ran(rig)).toEqual([])
    expect((await rig.first('decision')).approval).toMatchObject({ state: 'denied', approver_id: 'mcp-client:tester' })
  })

  it.each<[string, object]>([
    ['closes the question', { action: 'cancel' }],
    ['says nonsense', { action: 'approve', content: { decision: 'approve' } }],
    ['cannot after all', { error: { code: -32601, message: 'no' } }],
  ])('%s: then the store counts', async (_, answer) => {
    const rig = await answering(answer)()
    const result = rig.callTool('write')
    await rig.resolve('approved')
    expect(textOf(await result)).toBe('ran write')
    expect((await rig.first('decision')).approval.approver_id).toBe('ada')
  })

  it('is not asked where an option forbids it, where the policy does, or where the client cannot', async () => {
    const yes = answering({ action: 'accept', content: { decision: 'approve' } })
    const throwing = (): never => {
      throw new Error('x')
    }
    const rigs = [
      await yes({ elicitation: false }),
      ...(await Promise.all(
        [() => false, throwing, () => 1 as never].map((clientMayApprove) => yes({ clientMayApprove })),
      )),
      await yes({ capabilities: {} }),
      await yes({ capabilities: { elicitation: { url: {} } } }),
    ]
    for (const rig of rigs) {
      const result = rig.callTool('write')
      await rig.resolve('denied')
      expect(codeOf(await result)).toBe('APPROVAL_DENIED')
      expect(rig.client.got.filter(({ method }) => method === 'elicitation/create')).toEqual([])
    }
  })

  it('is overtaken by the store: the question is taken back', async () => {
    const rig = await Rig.open({ capabilities: { elicitation: { form: {} } } })
    const result = rig.callTool('write')
    const { id } = await rig.client.heard(({ method }) => method === 'elicitation/create')
    await rig.resolve('denied')
    expect(codeOf(await result)).toBe('APPROVAL_DENIED')
    const back = await rig.client.heard(({ method }) => method === 'notifications/cancelled')
    expect(back.params.requestId).toBe(id)
    // This answer arrives after the guard withdrew the question, so the guard ignores it.
    rig.client.say({ id, result: { action: 'accept', content: { decision: 'approve' } } })
    await rig.ask('ping')
    expect(ran(rig)).toEqual([])
  })

  it('is not the server: what a server asks in the same words is answered to the server', async () => {
    const rig = await answering({ action: 'accept', content: { decision: 'approve' } })({ elicitation: false })
    const result = rig.callTool('write')
    await rig.openApproval()
    rig.server.say({
      id: 1,
      method: 'elicitation/create',
      params: { message: 'SudoAgent: may the agent agent call files/write?' },
    })
    expect((await rig.server.heard(({ id, result: is }) => id === 1 && is)).result.action).toBe('accept')
    for (const id of [1, 2, 3, 4])
      rig.server.say({ id, result: { action: 'accept', content: { decision: 'approve' } } })
    await rig.resolve('denied')
    await result
    expect(ran(rig)).toEqual([])
  })
})

describe('the approval store', () => {
  it('keeps the client informed while it waits', async () => {
    const rig = await Rig.open()
    const result = rig.callTool('write', {}, { _meta: { progressToken: 'p' } })
    const told = await rig.client.heard(({ method }) => method === 'notifications/progress')
    expect(told.params).toMatchObject({ progressToken: 'p', message: 'waiting for approval' })
    await rig.resolve('approved')
    expect(textOf(await result)).toBe('ran write')
  })

  it('expired: denied', async () => {
    const rig = await Rig.open({ approvalTtlMs: 60 })
    expect(codeOf(await rig.callTool('write'))).toBe('APPROVAL_EXPIRED')
    expect((await rig.first('decision')).approval.state).toBe('expired')
  })

  it('cancelled by the client: denied on record, nothing is left open', async () => {
    const rig = await Rig.open()
    const id = rig.send('tools/call', { name: 'write', arguments: {} })
    await rig.openApproval()
    rig.client.say({ method: 'notifications/cancelled', params: { requestId: id } })
    await expect.poll(() => rig.story()).toEqual(['deny files/write CALL_CANCELLED'])
    expect(await rig.store.list({ state: 'pending' }, new Date())).toEqual([])
  })

  it('has room for sixteen open questions of one session', async () => {
    const rig = await Rig.open()
    for (let n = 0; n < 16; n += 1) rig.send('tools/call', { name: 'write', arguments: { n } })
    await expect.poll(async () => (await rig.store.list({ state: 'pending' }, new Date())).length).toBe(16)
    expect(textOf(await rig.callTool('write', { n: 16 }))).toContain('too many approvals are pending')
  })
})

describe('no approval through the agent’s channel', () => {
  it('whatever a client says, with everything that it can know', async () => {
    const rig = await Rig.open({ holdMs: 10, elicitation: false, capabilities: { elicitation: {} } })
    const pending = await rig.callTool('write', { path: 'a' })
    const { approvalId, binding } = await rig.openApproval()
    const { id: waitingId } = pending._meta['dev.sudoagent/pending']
    const yes = {
      approved: true,
      decision: 'approve',
      state: 'approved',
      action: 'accept',
      content: { decision: 'approve' },
    }
    for (const id of [waitingId, approvalId]) {
      const params = { id, approvalId: id, requestId: id, binding, ...yes }
      for (const method of [
        'sudoagent/approve',
        'approvals/resolve',
        'approval/resolve',
        'tools/approve',
        'elicitation/create',
        'sampling/createMessage',
      ])
        expect((await rig.ask(method, params)).error.code).toBe(-32601)
      for (const name of ['approve', 'sudoagent_approve', 'resolve_approval', 'files/write'])
        expect((await rig.callTool(name, params)).isError).toBe(true)
      for (const method of ['notifications/approved', 'notifications/elicitation/complete', 'notifications/progress'])
        rig.client.say({ method, params: { ...params, progressToken: id } })
      for (const answered of [id, 0, 1, 2, 3, 4, 5]) rig.client.say({ id: answered, result: yes })
      expect(isPending(await rig.callTool('write', { path: 'a' }, { _meta: params, ...params }))).toBe(true)
      await rig.callTool('write', { path: 'a', ...params })
    }
    expect(ran(rig)).toEqual([])
    expect((await rig.store.list({ state: 'approved' }, new Date())).length).toBe(0)
    expect((await rig.store.get(approvalId, new Date()))?.state).toBe('pending')
  })
})
