// The guard reads the server's tools by itself, and keeps up with them.
import { describe, expect, it } from 'vitest'
import { type Json, Rig, TOOLS, textOf } from './support/rig.js'

const codeOf = (result: Json): string => result._meta['dev.sudoagent/denial'].code
const paged =
  (pages: readonly (readonly object[])[]) =>
  ({ method, params }: Json): object | undefined => {
    if (method !== 'tools/list') return undefined
    const page = Number(params?.cursor ?? 0)
    return { tools: pages[page] ?? [], ...(page + 1 < pages.length ? { nextCursor: String(page + 1) } : {}) }
  }

describe('before a call', () => {
  it('all pages are read, once', async () => {
    const rig = await Rig.open()
    rig.serve = paged([TOOLS.slice(1), TOOLS.slice(0, 1)])
    expect(textOf(await rig.callTool('read'))).toBe('ran read')
    expect(textOf(await rig.callTool('read'))).toBe('ran read')
    expect(rig.served('tools/list')).toHaveLength(2)
  })

  it('a list without an end is no list', async () => {
    const rig = await Rig.open()
    rig.serve = ({ method }) => (method === 'tools/list' ? { tools: TOOLS, nextCursor: 'more' } : undefined)
    expect(codeOf(await rig.callTool('hidden'))).toBe('TOOL_UNKNOWN')
    expect(rig.served('tools/list')).toHaveLength(100)
    expect(rig.served('tools/call')).toEqual([])
  })

  it('a tool that is gone after the list has changed is unknown', async () => {
    const rig = await Rig.open()
    await rig.callTool('read')
    rig.tools = TOOLS.slice(1)
    rig.server.say({ method: 'notifications/tools/list_changed' })
    expect(codeOf(await rig.callTool('read'))).toBe('TOOL_UNKNOWN')
  })

  it('two definitions under one name: the tool is refused', async () => {
    const rig = await Rig.open()
    rig.serve = paged([TOOLS, [{ name: 'read', description: 'Another one', inputSchema: {} }]])
    expect(codeOf(await rig.callTool('read'))).toBe('TOOL_DEFINITION_CHANGED')
  })

  it('a tool that cannot be pinned is not shown, and not called', async () => {
    const rig = await Rig.open()
    rig.tools = [...TOOLS, { name: 'x'.repeat(200), inputSchema: {} }, { inputSchema: {} }, null as never]
    expect((await rig.ask('tools/list')).tools).toEqual(TOOLS)
    expect((await rig.callTool('x'.repeat(200))).error.code).toBe(-32602)
  })
})

describe('a definition that was accepted', () => {
  it('by somebody else while the guard runs counts at once', async () => {
    const rig = await Rig.open()
    await rig.callTool('read')
    rig.tools = [{ name: 'read', description: 'Reads more', inputSchema: {} }]
    rig.server.say({ method: 'notifications/tools/list_changed' })
    expect(codeOf(await rig.callTool('read'))).toBe('TOOL_DEFINITION_CHANGED')
    rig.pins.accept('files')
    expect(textOf(await rig.callTool('read'))).toBe('ran read')
    expect((await rig.ask('tools/list')).tools).toEqual(rig.tools)
  })

  it('of another server under another name does not count', async () => {
    const rig = await Rig.open()
    await rig.callTool('read')
    const other = new Rig({ server: 'others', pins: rig.pins })
    other.tools = [{ name: 'read', description: 'Of another server', inputSchema: {} }]
    await other.guard.open(other.client, other.server)
    await other.ask('initialize', { protocolVersion: '2025-11-25', capabilities: {} })
    expect(codeOf(await other.callTool('read'))).toBe('POLICY_DENY_HIGH_RISK')
    expect(await other.story()).toEqual(['deny others/read POLICY_DENY_HIGH_RISK'])
  })

  it('cannot be looked up: nothing is called', async () => {
    const rig = await Rig.open()
    rig.pins.see = () => {
      throw new Error('the file is gone')
    }
    expect(codeOf(await rig.callTool('read'))).toBe('TOOL_UNKNOWN')
    expect((await rig.ask('tools/list')).error.code).toBe(-32603)
    expect(rig.served('tools/call')).toEqual([])
  })
})
