// Tests that numbers pass through the guard unchanged. Compares the numbers that the client, the policy, the approver,
// the ledger and the server receive.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { StdioDownstream } from '../../src/downstream/stdio.js'
import { ChildUpstream } from '../../src/upstream/child.js'
import { fixture } from '../support/reference.js'
import { type Json, Rig, type RigOptions } from '../support/rig.js'

const POLICY = {
  policyId: 'numbers',
  evaluate: ({ action }: { action: string }) =>
    ({ decision: action.endsWith('write') ? 'require_approval' : 'allow', reason: 'so' }) as const,
}

/** Starts a guard between a client and a server that exchange raw JSON texts. */
async function open(options: RigOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'sudoagent-mcp-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'served')
  const upstream = new ChildUpstream({ command: process.execPath, args: [fixture('echo-server.mjs'), file] })
  onTestFinished(() => upstream.killNow())
  const [input, output] = [new PassThrough(), new PassThrough()]
  const rig = new Rig({ policy: POLICY, holdMs: 1_000, ...options })
  rig.session = await rig.guard.open(new StdioDownstream(input, output), upstream)
  onTestFinished(() => rig.guard.close())
  let text = ''
  output.on('data', (chunk) => {
    text += String(chunk)
  })
  const heard = async (part: string): Promise<string> => {
    await expect.poll(() => text, { timeout: 10_000 }).toContain(part)
    return text
  }
  const say = (line: string): void => void input.write(`${line}\n`)
  say(
    '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"roots":{}}}}',
  )
  await heard('"id":0')
  const served = (): string[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.includes('"tools/call"'))
  return { rig, say, heard, served }
}

const call = (id: number, args: string, rest = '', name = 'echo'): string =>
  `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"${name}","arguments":${args}${rest}}}`

describe('arguments', () => {
  it('reach the server with their numbers as they were written, and are on record with all digits', async () => {
    const { rig, say, heard, served } = await open()
    const args = '{"memory_id":725653563933458432,"deep":[{"f":1.0,"e":1e2,"z":-0,"tweet":2047948614742839297}]}'
    say(call(1, args, ',"_meta":{"trace":9007199254740993,"ratio":2.50}'))
    await heard('"id":1')
    expect(served()[0]).toContain(`"arguments":${args}`)
    expect(served()[0]).toContain('"trace":9007199254740993,"ratio":2.50')
    const { parameters } = (await rig.entry(2)) as Json
    expect(parameters.kwargs).toEqual({
      memory_id: '725653563933458432',
      deep: [{ f: 1, e: 100, z: 0, tweet: '2047948614742839297' }],
    })
  })

  it.each([
    ['{"n":1e400}', 'n'],
    ['{"deep":[{"n":0.1000000000000000055}]}', 'n'],
    ['{"n":9007199254740993.0}', 'n'],
    ['{"path":"/srv/data/a","Path":"/etc/passwd"}', 'Path'],
    ['{"a":{"\u212aey":1,"key":2}}', 'key'],
  ])('%s are refused on record, and the server hears nothing', async (args, name) => {
    const { rig, say, heard, served } = await open()
    say(call(1, args))
    expect(await heard('"id":1')).toContain('PARAMETERS_INVALID')
    say(call(2, '{}'))
    await heard('"id":2')
    expect(served()).toHaveLength(1)
    const entry = (await rig.entry(2)) as Json
    expect(entry.decision).toMatchObject({ effect: 'deny', reason_code: 'PARAMETERS_INVALID' })
    expect(entry.decision.reason).toContain(name)
    expect(entry.parameters).toEqual({ args: ['<unrecordable>'], kwargs: {} })
  })

  it.each(['{"account":"\u212a-1"}', '{"file":"cafe\u0301.txt"}', '{"deep":[{"\u1112\u1161\u11ab":1}]}'])(
    '%s, which is not in NFC, is refused on record, or everybody gets the NFC copy',
    async (args) => {
      const refusing = await open()
      refusing.say(call(1, args))
      expect(await refusing.heard('"id":1')).toContain('PARAMETERS_INVALID')
      expect(await refusing.rig.story()).toEqual(['deny files/echo PARAMETERS_INVALID'])
      const copying = await open({ unicode: 'normalize' })
      copying.say(call(1, args))
      await copying.heard('"id":1')
      expect(copying.served()[0]).toContain(`"arguments":${args.normalize('NFC')}`)
      expect(((await copying.rig.entry(2)) as Json).parameters.kwargs).toEqual(JSON.parse(args.normalize('NFC')))
    },
  )

  it('another number with the same double is another call: it does not take the approval', async () => {
    const { rig, say, heard, served } = await open()
    say(call(1, '{"id":9007199254740992}', '', 'write'))
    await heard('"id":1')
    expect(((await rig.openApproval()) as Json).kwargs).toEqual({ id: '9007199254740992' })
    await rig.resolve('approved')
    say(call(2, '{"id":9007199254740993}', '', 'write'))
    expect(await heard('"id":2')).toMatch(/"id":2,.*pending: /)
    expect(served()).toEqual([])
    say(call(3, '{"id":9007199254740992}', '', 'write'))
    await heard('"id":3')
    expect(served()).toHaveLength(1)
    expect(served()[0]).toContain('"arguments":{"id":9007199254740992}')
  })

  it('of a call that is repeated are those that were approved, in their order', async () => {
    const { rig, say, heard, served } = await open()
    say(call(1, '{"a":1.0,"b":9007199254740993}', '', 'write'))
    await heard('"id":1')
    await rig.resolve('approved')
    say(call(2, '{"b":9007199254740993,"a":1.0}', '', 'write'))
    await heard('"id":2')
    expect(served()[0]).toContain('"arguments":{"a":1.0,"b":9007199254740993}')
  })
})

it('what the server says reaches the client with its numbers as they were written', async () => {
  const { say, heard } = await open()
  const reply = '{"id":725653563933458432,"f":1.0,"big":1e400,"z":-0,"list":[0.10,{"n":1E5}]}'
  say(call(1, JSON.stringify({ reply }), ',"_meta":{"progressToken":9007199254740993}'))
  const text = await heard('"id":1')
  expect(text).toContain(`"structuredContent":{"data":${reply}}`)
  expect(text).toContain(`"_meta":{"data":${reply}}`)
  expect(text).toContain(`{"progressToken":9007199254740993,"progress":1.0,"data":${reply}}`)
  expect(text).toContain(`"params":{"level":"info","data":${reply}}`)
  expect(text).toContain(`"method":"roots/list","params":{"data":${reply}}`)
})
