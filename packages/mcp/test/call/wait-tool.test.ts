// Tests `sudoagent_wait`: which calls it finds, how often a result can be fetched, and that it approves nothing.
import { describe, expect, it } from 'vitest'
import { type Json, Rig, type RigOptions, TOOLS, textOf } from '../support/rig.js'

const WAIT = 'sudoagent_wait'
const ran = (rig: Rig): Json[] => rig.served('tools/call')
const idOf = (pending: Json): string => pending._meta['dev.sudoagent/pending'].id
const wait = (rig: Rig, id: string, seconds = 0, rest: object = {}): Promise<Json> =>
  rig.callTool(WAIT, { waiting_id: id, seconds, ...rest })
const open = (options: RigOptions = {}): Promise<Rig> => Rig.open({ holdMs: 1_000, waitTool: true, ...options })

/** Makes a call that becomes pending. @returns its waiting id */
async function pendingCall(rig: Rig, args: object = { path: 'a' }, rest: object = {}): Promise<string> {
  const id = rig.send('tools/call', { name: 'write', arguments: args, ...rest })
  await rig.openApproval()
  rig.session.detach(id)
  return idOf(await rig.answerTo(id))
}

describe('the tool', () => {
  it('is on the first page of the list, and named in the pending answer', async () => {
    const rig = await open({ holdMs: 20 })
    const { tools } = await rig.ask('tools/list')
    expect(tools.slice(0, -1)).toEqual(TOOLS)
    expect(tools.at(-1)).toMatchObject({ name: WAIT, inputSchema: { required: ['waiting_id', 'seconds'] } })
    expect((await rig.ask('tools/list', { cursor: 'two' })).tools).toEqual(TOOLS)
    const pending = await rig.callTool('write')
    expect(textOf(pending)).toContain(`call \`${WAIT}\` with this waiting id, or repeat the call`)
    expect(textOf(pending)).toContain(`Waiting id ${idOf(pending)}.`)
  })

  it('is not offered where an option says so: its call is one of an unknown tool', async () => {
    const rig = await open({ holdMs: 20, waitTool: false })
    expect((await rig.ask('tools/list')).tools).toEqual(TOOLS)
    const pending = await rig.callTool('write')
    expect(textOf(pending)).not.toContain(WAIT)
    expect(textOf(await wait(rig, idOf(pending)))).toContain('TOOL_UNKNOWN')
  })

  it('is not offered where the server has a tool of its name: that one is called, under the policy', async () => {
    const policy = { policyId: 'all', version: '1', evaluate: () => ({ decision: 'allow', reason: 'all' }) as const }
    const rig = await open({ policy })
    rig.tools = [...TOOLS, { name: WAIT, inputSchema: { type: 'object' } }]
    expect((await rig.ask('tools/list')).tools).toEqual(rig.tools)
    expect(textOf(await rig.callTool(WAIT, { a: 1 }))).toBe(`ran ${WAIT}`)
    expect(ran(rig)[0].params).toEqual({ name: WAIT, arguments: { a: 1 } })
  })

  it.each<[string, object]>([
    ['no id', { seconds: 1 }],
    ['an id that is no text', { waiting_id: 7, seconds: 1 }],
    ['no time', { waiting_id: 'x' }],
    ['a longer time than the hold', { waiting_id: 'x', seconds: 2 }],
    ['a time below zero', { waiting_id: 'x', seconds: -1 }],
    ['half a second', { waiting_id: 'x', seconds: 0.5 }],
    ['a time as text', { waiting_id: 'x', seconds: '1' }],
    ['an attempt that is no integer', { waiting_id: 'x', seconds: 1, attempt: 'first' }],
    ['another argument', { waiting_id: 'x', seconds: 1, approve: true }],
  ])('refuses %s, in a result that the model can read', async (_, args) => {
    const rig = await open()
    const result = await rig.callTool(WAIT, args)
    expect(result.isError).toBe(true)
    expect(textOf(result)).toMatch(/^refused: /)
    expect(await rig.story()).toEqual([])
  })
})

describe('waiting', () => {
  it('gives the result as soon as a person approves; the call runs once, however often it is fetched', async () => {
    const rig = await open()
    const id = await pendingCall(rig)
    const first = wait(rig, id, 1)
    await rig.resolve('approved')
    expect(textOf(await first)).toBe('ran write')
    for (const attempt of [1, 2, 3]) expect(textOf(await wait(rig, id, 0, { attempt }))).toBe('ran write')
    expect(ran(rig)).toHaveLength(1)
    expect(ran(rig)[0].params).toEqual({ name: 'write', arguments: { path: 'a' } })
    expect(await rig.story()).toEqual(['allow files/write POLICY_REQUIRE_APPROVAL_HIGH_VALUE', 'success files/write'])
  })

  it('takes null for the attempt: some clients send it for an optional argument that the model left out', async () => {
    const rig = await open()
    const id = await pendingCall(rig)
    await rig.resolve('approved')
    expect(textOf(await wait(rig, id, 0, { attempt: null }))).toBe('ran write')
  })

  it('ends with "pending" after its time, and the question stays open', async () => {
    const rig = await open()
    const id = await pendingCall(rig)
    expect(idOf(await wait(rig, id, 0))).toBe(id)
    expect(idOf(await wait(rig, id, 1))).toBe(id)
    await rig.resolve('approved')
    expect(textOf(await wait(rig, id, 0))).toBe('ran write')
  })

  it('goes on after invalid arguments', async () => {
    const rig = await open()
    const id = await pendingCall(rig)
    await rig.resolve('approved')
    expect(textOf(await wait(rig, id, 60))).toMatch(/^refused: `seconds` must be an integer from 0 to 1\. /)
    expect(ran(rig)).toEqual([])
    expect(textOf(await wait(rig, id, 1))).toBe('ran write')
    expect(ran(rig)).toHaveLength(1)
  })

  it('that the client cancels leaves the question open', async () => {
    const rig = await open()
    const id = await pendingCall(rig)
    const request = rig.send('tools/call', { name: WAIT, arguments: { waiting_id: id, seconds: 1 } })
    await rig.ask('ping')
    rig.client.say({ method: 'notifications/cancelled', params: { requestId: request } })
    await rig.ask('ping')
    await rig.resolve('approved')
    expect(textOf(await wait(rig, id, 1))).toBe('ran write')
    expect(ran(rig)).toHaveLength(1)
  })

  it('twice at once, and beside a repeated call: one run, and its result for each', async () => {
    const rig = await open()
    const id = await pendingCall(rig)
    const all = [wait(rig, id, 1), wait(rig, id, 1), rig.callTool('write', { path: 'a' })]
    await rig.ask('ping')
    await rig.resolve('approved')
    const texts = (await Promise.all(all)).map(textOf)
    expect(texts.slice(0, 2)).toEqual(['ran write', 'ran write'])
    expect(ran(rig).length).toBe(1)
  })

  it('gets the refusal of a person, once', async () => {
    const rig = await open()
    const id = await pendingCall(rig)
    await rig.resolve('denied')
    expect(textOf(await wait(rig, id))).toContain('(APPROVAL_DENIED)')
    expect(textOf(await wait(rig, id))).toMatch(/^not found/)
    expect(await rig.story()).toEqual(['deny files/write APPROVAL_DENIED'])
  })

  it('tells one answer for an id that is unknown, of a refused call, or of a call that another process ran', async () => {
    const rig = await open()
    const [refused, elsewhere] = [await pendingCall(rig, { n: 1 }), await pendingCall(rig, { n: 2 })]
    for (const { approvalId, binding, kwargs } of await rig.store.list({ state: 'pending' }, new Date()))
      await rig.store.resolve(approvalId, { state: kwargs.n === 1 ? 'denied' : 'approved', binding }, new Date())
    await wait(rig, refused)
    const { ledger, store: approvalStore, pins } = rig
    const other = await Rig.open({ ledger, approvalStore, pins })
    expect(textOf(await other.callTool('write', { n: 2 }))).toBe('ran write')
    const answers = await Promise.all(['0123456789abcdef', refused, elsewhere, ''].map((id) => wait(rig, id)))
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(textOf(answers[0])).toMatch(/^not found: .* repeat the call with exactly the same arguments/)
    expect(ran(rig)).toEqual([])
  })

  it('says that the call is running while it runs, and gives a server’s error as it was', async () => {
    const rig = await open()
    let answer = (): void => {}
    const usual = rig.server.answer
    rig.server.answer = (message) => {
      if (message.method !== 'tools/call') return usual(message)
      answer = () => rig.server.say({ id: message.id, error: { code: -32_000, message: 'busy' } })
      return undefined
    }
    const id = await pendingCall(rig)
    await rig.resolve('approved')
    const first = wait(rig, id, 1)
    await rig.server.heard(({ method }) => method === 'tools/call')
    expect(textOf(await wait(rig, id))).toMatch(/^running: the call was approved and has not ended yet/)
    const second = wait(rig, id, 1)
    answer()
    for (const result of [await first, await second, await wait(rig, id)]) expect(result.error.message).toBe('busy')
    expect(ran(rig)).toHaveLength(1)
  })

  it('does not run a call whose tool definition changed meanwhile', async () => {
    const rig = await open()
    const id = await pendingCall(rig)
    await rig.resolve('approved')
    rig.tools = TOOLS.map((tool) => ({ ...tool, description: 'another one' }))
    rig.server.say({ method: 'notifications/tools/list_changed' })
    expect(textOf(await wait(rig, id))).toContain('TOOL_DEFINITION_CHANGED')
    expect(ran(rig)).toEqual([])
  })
})

describe('results', () => {
  it('are kept up to a number and a size: the oldest go first', async () => {
    const rig = await open({ approvalTtlMs: 600_000 })
    const text = 'x'.repeat(1024 * 1024)
    rig.serve = ({ method }) => (method === 'tools/call' ? { content: [{ type: 'text', text }] } : undefined)
    const ids: string[] = []
    for (let n = 0; n < 65; n += 1) {
      ids.push(await pendingCall(rig, { n }))
      await rig.resolve('approved')
      expect(textOf(await wait(rig, ids[n] ?? ''))).toHaveLength(text.length)
    }
    const [first = '', last = ''] = [ids[0], ids.at(-1)]
    expect(textOf(await wait(rig, first))).toMatch(
      /^no result: the call was approved and ran\. Its result is no longer/,
    )
    expect(textOf(await wait(rig, last))).toHaveLength(text.length)
    expect(ran(rig)).toHaveLength(65)
  })
})

describe('a waiting id', () => {
  it('counts in every session of the guard, also for redacted arguments', async () => {
    const rig = await open()
    const id = await pendingCall(rig, { password: 'one' })
    await rig.client.close()
    await rig.session.closed
    await rig.resolve('approved')
    const other = await rig.another()
    expect(textOf(await wait(other, id))).toBe('ran write')
    expect(ran(other)[0].params.arguments).toEqual({ password: 'one' })
  })

  it.each<[string, object, object, boolean]>([
    ['as they were sent', { path: 'a', list: [1, { b: null }] }, {}, true],
    ['redacted', { password: 'one' }, {}, false],
    ['a converted integer', { id: 9_007_199_254_740_993n }, {}, false],
    ['with `_meta`', { path: 'a' }, { _meta: { tenant: 'acme' } }, false],
  ])('counts in another process only where the recorded arguments are complete: %s', async (_, args, rest, isFound) => {
    const rig = await open()
    const id = await pendingCall(rig, args, rest)
    await rig.guard.close()
    await rig.resolve('approved')
    const { ledger, store: approvalStore, pins } = rig
    const next = await open({ ledger, approvalStore, pins })
    expect(textOf(await wait(next, id))).toMatch(isFound ? /^ran write$/ : /^not found/)
    expect(ran(next).map(({ params }) => params.arguments)).toEqual(isFound ? [args] : [])
  })

  it('of another server’s call is not found', async () => {
    const rig = await open()
    const id = await pendingCall(rig)
    await rig.guard.close()
    await rig.resolve('approved')
    const { ledger, store: approvalStore, pins } = rig
    const next = await open({ ledger, approvalStore, pins, server: 'file' })
    expect(textOf(await wait(next, id))).toMatch(/^not found/)
  })
})
