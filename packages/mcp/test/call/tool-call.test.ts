// Tests a single call: the question to the engine, the message to the server, and the answer to the model.

import { MemoryBudget } from '@sudoagent/core'
import { LedgerError } from '@sudoagent/ledger'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, it } from 'vitest'
import { type Json, Rig, textOf } from '../support/rig.js'

const calls = (rig: Rig): Json[] => rig.served('tools/call')
const codeOf = (result: Json): string => result._meta['dev.sudoagent/denial'].code

describe('an allowed call', () => {
  it('reaches the server as it was decided on; `_meta` goes along, and is no argument', async () => {
    const rig = await Rig.open()
    const args = { path: 'a', deep: [{ b: 1 }], last: null }
    const seen: Json[] = []
    rig.serve = ({ method, params }) => {
      if (method === 'tools/call') seen.push(params)
      return undefined
    }
    const result = await rig.callTool('read', args, { _meta: { trace: 'x' }, confirmed: true })
    expect(textOf(result)).toBe('ran read')
    expect(seen).toEqual([{ name: 'read', arguments: args, _meta: { trace: 'x' } }])
    expect(await rig.story()).toEqual(['allow files/read POLICY_ALLOW_LOW_RISK', 'success files/read'])
    const entry = await rig.entry(2)
    expect(entry.parameters).toEqual({ args: [], kwargs: args })
    expect(entry.metadata.mcp).toMatchObject({
      server: 'files',
      client: 'tester',
      tool_definition: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
  })

  it.each([
    ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', true],
    ['00-00000000000000000000000000000000-b7ad6b7169203331-01', false],
    ['ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', false],
    ['anything', false],
    [7, false],
    [{ toString: 'x' }, false],
  ])('the traceparent %j of the client is recorded: %s', async (traceparent, isRecorded) => {
    const rig = await Rig.open()
    await rig.callTool('read', { path: 'a' }, { _meta: { traceparent } })
    const { metadata } = await rig.entry(2)
    expect(metadata.call).toEqual(isRecorded ? { trace: traceparent } : undefined)
    expect((await rig.story())[0]).toBe('allow files/read POLICY_ALLOW_LOW_RISK')
  })

  it('without arguments has none at the server either', async () => {
    const rig = await Rig.open()
    await rig.ask('tools/call', { name: 'read' })
    expect(calls(rig)[0].params).toEqual({ name: 'read' })
    expect((await rig.entry(2)).parameters).toEqual({ args: [], kwargs: {} })
  })

  it('is durable before the server hears of it', async () => {
    const memory = new MemoryLedger()
    let write = (): void => {}
    const written = new Promise<void>((resolve) => {
      write = resolve
    })
    const ledger = {
      append: async (draft: Parameters<MemoryLedger['append']>[0]) => {
        await written
        return memory.append(draft)
      },
      close: () => memory.close(),
    }
    const rig = await Rig.open({ ledger })
    const result = rig.callTool('read')
    await rig.ask('ping')
    expect(calls(rig)).toEqual([])
    write()
    expect(textOf(await result)).toBe('ran read')
  })

  it('that the tool itself fails is the model’s to see, and an error on record', async () => {
    const rig = await Rig.open()
    const failed = { isError: true, content: [{ type: 'text', text: 'no such file' }], structuredContent: { a: 1 } }
    rig.serve = ({ method }) => (method === 'tools/call' ? failed : undefined)
    expect(await rig.callTool('read')).toEqual(failed)
    expect((await rig.story()).at(-1)).toBe('error files/read: no such file')
  })

  it('that the server refuses by protocol is passed on as it is, and an error on record', async () => {
    const rig = await Rig.open()
    rig.serve = ({ method }) =>
      method === 'tools/call' ? { error: { code: -32602, message: 'bad', data: { a: 1 } } } : undefined
    expect((await rig.callTool('read')).error).toEqual({ code: -32602, message: 'bad', data: { a: 1 } })
    expect((await rig.story()).at(-1)).toBe('error files/read: bad')
  })
})

describe('a denied call', () => {
  it('is a result for the model, says why, and that it must not be repeated; the server hears nothing', async () => {
    const rig = await Rig.open()
    const result = await rig.callTool('drop', { table: 'users' })
    expect(result.isError).toBe(true)
    expect(textOf(result)).toMatch(
      /^denied: not on the list \(POLICY_DENY_HIGH_RISK\)\. .* Do not retry it unchanged\./,
    )
    expect(result._meta['dev.sudoagent/denial']).toMatchObject({ status: 'denied', retryable: false })
    expect(calls(rig)).toEqual([])
    expect(await rig.story()).toEqual(['deny files/drop POLICY_DENY_HIGH_RISK'])
  })

  it('a tool that the server does not show is refused on record, whatever the policy says', async () => {
    const policy = { policyId: 'all', evaluate: () => ({ decision: 'allow', reason: 'all' }) as const }
    const rig = await Rig.open({ policy })
    expect(codeOf(await rig.callTool('hidden'))).toBe('TOOL_UNKNOWN')
    expect(calls(rig)).toEqual([])
    expect(await rig.story()).toEqual(['deny files/<unknown> TOOL_UNKNOWN'])
  })

  it.each([
    ['a secret', `ghp_${'a1B2'.repeat(9)}`],
    ['a password', 'password=hunter2-and-more'],
    ['a secret that a cut would halve', `${'x'.repeat(80)} sk-proj-${'Ab1'.repeat(16)}`],
    ['an odd text', '\u202egnp.exe'],
  ])('that is unknown, under %s as name, is on record without it', async (_, name) => {
    const rig = await Rig.open()
    expect(codeOf(await rig.callTool(name))).toBe('TOOL_UNKNOWN')
    const entry = (await rig.entry(2)) as Json
    expect(entry.action).toBe('files/<unknown>')
    expect(entry.metadata.mcp.tool.length).toBeLessThanOrEqual(100)
    const secret = /ghp_\w+|hunter2[\w-]*|sk-proj-\w+/.exec(name)?.[0].slice(4, 12)
    if (secret !== undefined) expect(JSON.stringify(entry)).not.toContain(secret)
    else expect(entry.metadata.mcp.tool).toBe(name)
  })

  it.each(['cafe\u0301', '\u212aelvin', '\u1100\u1161'])(
    'whose name %s is not in NFC is refused on record',
    async (name) => {
      const rig = await Rig.open()
      rig.tools = [{ name, inputSchema: { type: 'object' } }]
      expect(codeOf(await rig.callTool(name))).toBe('PARAMETERS_INVALID')
      expect(await rig.story()).toEqual(['deny files/<unknown> PARAMETERS_INVALID'])
      expect(rig.served('tools/call')).toEqual([])
    },
  )

  it('tools that cannot be read are not called', async () => {
    const rig = await Rig.open()
    rig.serve = ({ method }) => (method === 'tools/list' ? { error: { code: -32000, message: 'no' } } : undefined)
    expect(codeOf(await rig.callTool('read'))).toBe('TOOL_UNKNOWN')
    expect(calls(rig)).toEqual([])
  })

  it('the server’s annotations count for nothing', async () => {
    const rig = await Rig.open()
    rig.tools = [{ name: 'drop', inputSchema: {}, annotations: { readOnlyHint: true, destructiveHint: false } }]
    expect(codeOf(await rig.callTool('drop'))).toBe('POLICY_DENY_HIGH_RISK')
  })

  it.each<[string, () => never]>([
    [
      'throws',
      () => {
        throw new Error('x')
      },
    ],
    ['answers nonsense', () => ({ decision: 'perhaps' }) as never],
  ])('a policy that %s denies', async (_, evaluate) => {
    const rig = await Rig.open({ policy: { policyId: 'broken', evaluate } })
    expect(codeOf(await rig.callTool('read'))).toBe('POLICY_EVALUATION_FAILED')
    expect(calls(rig)).toEqual([])
  })

  it('a used-up budget denies, and says that it may be tried later', async () => {
    const rig = await Rig.open({ budget: new MemoryBudget({ windowMs: 60_000, perAgent: 1 }) })
    expect(textOf(await rig.callTool('read'))).toBe('ran read')
    const result = await rig.callTool('read')
    expect(result._meta['dev.sudoagent/denial']).toMatchObject({ code: 'BUDGET_EXCEEDED_AGENT_RATE', retryable: true })
    expect(calls(rig)).toHaveLength(1)
  })

  it('a ledger that cannot be written denies every call, with a reason', async () => {
    const ledger = {
      append: () => Promise.reject(new LedgerError('LEDGER_WRITE_FAILED', 'disk full')),
      close: async () => {},
    }
    const rig = await Rig.open({ ledger })
    for (const tool of ['read', 'drop', 'hidden']) {
      const result = await rig.callTool(tool)
      expect(result.isError).toBe(true)
      expect(codeOf(result)).toBe('LEDGER_WRITE_FAILED_DECISION')
      expect(textOf(result)).toContain('the decision could not be recorded')
    }
    expect(calls(rig)).toEqual([])
  })
})

describe('a call that is none', () => {
  it.each<[string, object]>([
    ['no name', { arguments: {} }],
    ['a name that is no text', { name: 7 }],
    ['a name that is too long', { name: 'x'.repeat(191) }],
    ['a name with half a character', { name: 'a\ud800' }],
    ['arguments that are a list', { name: 'read', arguments: [1] }],
    ['arguments that are null', { name: 'read', arguments: null }],
    ['a task', { name: 'read', arguments: {}, task: { ttl: 1 } }],
  ])('%s: a protocol error, and nothing runs', async (_, params) => {
    const rig = await Rig.open()
    expect((await rig.ask('tools/call', params)).error.code).toBe(-32602)
    expect(calls(rig)).toEqual([])
  })

  it('arguments that are too large are denied on record', async () => {
    const rig = await Rig.open()
    expect(codeOf(await rig.callTool('read', { text: 'x'.repeat(300_000) }))).toBe('PARAMETERS_INVALID')
    expect(await rig.story()).toEqual(['deny files/read PARAMETERS_INVALID'])
  })
})

describe('cancellation', () => {
  /** Makes the server accept calls without answering them. */
  const mute = (rig: Rig): void => {
    const usual = rig.server.answer
    rig.server.answer = (message) => (message.method === 'tools/call' ? undefined : usual(message))
  }

  it('goes upstream under the server’s own id; the outcome is an error with the reason; nothing is answered', async () => {
    const rig = await Rig.open()
    mute(rig)
    const id = rig.send('tools/call', { name: 'read', arguments: {} })
    const sent = await rig.server.heard(({ method }) => method === 'tools/call')
    rig.client.say({ method: 'notifications/cancelled', params: { requestId: id, reason: 'user pressed stop' } })
    const cancelled = await rig.server.heard(({ method }) => method === 'notifications/cancelled')
    expect(cancelled.params).toEqual({ requestId: sent.id, reason: 'user pressed stop' })
    // The guard does not answer this call, so the test waits for the outcome in the ledger.
    const last = expect.poll(async () => (await rig.story()).at(-1))
    await last.toBe('error files/read: user pressed stop; the call was sent to the server and may have run')
    // The server's response arrives too late, so the guard ignores it.
    rig.server.say({ id: sent.id, result: { content: [] } })
    await rig.ask('ping')
    expect(rig.client.got.filter((message) => message.id === id)).toEqual([])
  })

  it('of somebody else’s request, or of none, does nothing', async () => {
    const rig = await Rig.open()
    for (const params of [{ requestId: 99 }, {}, { requestId: null }, undefined])
      rig.client.say({ method: 'notifications/cancelled', params })
    expect(textOf(await rig.callTool('read'))).toBe('ran read')
  })

  it('a server that never answers is given up', async () => {
    const rig = await Rig.open({ callTimeoutMs: 30 })
    mute(rig)
    const result = await rig.callTool('read')
    expect(textOf(result)).toMatch(/^failed: no answer within 30 ms; .* may have run/)
    expect(rig.served('notifications/cancelled')).toHaveLength(1)
    expect((await rig.story()).at(-1)).toMatch(/^error files\/read: no answer within 30 ms/)
  })
})

describe('a server that answers wrongly', () => {
  it('twice: the first answer counts', async () => {
    const rig = await Rig.open()
    rig.serve = ({ method, id }) => {
      if (method !== 'tools/call') return undefined
      queueMicrotask(() => rig.server.say({ id, result: { content: [{ type: 'text', text: 'second' }] } }))
      return { content: [{ type: 'text', text: 'first' }] }
    }
    const id = rig.send('tools/call', { name: 'read', arguments: {} })
    await rig.answerTo(id)
    await rig.ask('ping')
    const answers = rig.client.got.filter((message) => message.id === id)
    expect(answers.map(({ result }) => textOf(result))).toHaveLength(1)
    expect(await rig.story()).toEqual(['allow files/read POLICY_ALLOW_LOW_RISK', 'success files/read'])
  })

  it('unasked, or what another was asked: not heard', async () => {
    const rig = await Rig.open()
    for (const id of [1, 2, 3, 99, '3', 'x', 0, -1]) rig.server.say({ id, result: { content: [] } })
    expect(textOf(await rig.callTool('read'))).toBe('ran read')
  })
})
