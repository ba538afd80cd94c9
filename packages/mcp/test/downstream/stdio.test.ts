// Tests the stdio transport to the client, byte by byte.
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { StdioDownstream } from '../../src/downstream/stdio.js'
import { type Json, Rig } from '../support/rig.js'

async function open() {
  const [input, output] = [new PassThrough(), new PassThrough()]
  const rig = new Rig()
  rig.session = await rig.guard.open(new StdioDownstream(input, output), rig.server)
  const lines: Json[] = []
  output.on('data', (chunk) => {
    for (const line of String(chunk).split('\n').filter(Boolean)) lines.push(JSON.parse(line))
  })
  const ask = async (line: string): Promise<Json> => {
    const next = lines.length
    input.write(line)
    await expect.poll(() => lines.length).toBeGreaterThan(next)
    return lines[next]
  }
  await ask(
    '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}\n',
  )
  return { rig, input, output, ask }
}
const CALL = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read","arguments":{"path":"a"}}}'

describe('the pipe', () => {
  it('carries one message a line, and nothing else', async () => {
    const { ask } = await open()
    expect((await ask(`${CALL}\r\n`)).result.content[0].text).toBe('ran read')
  })

  it.each<[string, string, unknown]>([
    ['a duplicate key', CALL.replace('"path":"a"', '"path":"a","path":"b"'), 1],
    ['half a character', CALL.replace('"path":"a"', '"path":"\\ud83d"'), 1],
    ['a depth of 65', CALL.replace('"a"', '['.repeat(63) + ']'.repeat(63)), 1],
    ['what is not UTF-8', CALL.replace('"a"', '"\\uDC80"'), 1],
    ['a method that is none', '{"jsonrpc":"2.0","id":1,"method":7,"method":8}', 1],
    ['`params` of null', '{"jsonrpc":"2.0","id":31,"method":"tools/list","params":null}', 31],
    ['`params` in a list', '{"jsonrpc":"2.0","id":"x","method":"tools/list","params":[]}', 'x'],
    ['another version', '{"jsonrpc":"1.0","id":2,"method":"ping"}', 2],
    ['an unknown member', '{"jsonrpc":"2.0","id":2,"method":"ping","meta":1}', 2],
    ['a message that breaks off', '{"jsonrpc":"2.0","id":2,"method":"ping"', 2],
    [
      '4 MiB of arguments, the id last',
      `{"method":"tools/call","params":{"t":"${'x'.repeat(4_200_000)}"},"id":"last"}`,
      'last',
    ],
    ['a batch, also of one', `[${CALL}]`, 1],
    ['a batch that hides a call', `[{"jsonrpc":"2.0","method":"notifications/initialized"},${CALL}]`, 1],
    ['two ids', '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', null],
    ['a batch of two', `[${CALL},${CALL.replace('"id":1', '"id":2')}]`, null],
    ['an answer', '{"jsonrpc":"2.0","id":1,"result":{"a":1,"a":2}}', 'nothing'],
    ['no JSON', 'GET / HTTP/1.1', null],
  ])('%s is refused under its id, the server hears nothing, and the session goes on', async (_, line, id) => {
    const { rig, ask, input } = await open()
    // The guard does not answer this message, because it is a response to one of the guard's own requests.
    if (id === 'nothing') input.write(`${line}\n`)
    else expect(await ask(`${line}\n`)).toMatchObject({ id, error: { code: expect.any(Number) } })
    expect(rig.served('tools/call')).toEqual([])
    expect((await ask(`${CALL}\n`)).result.content[0].text).toBe('ran read')
  })

  it('a refused message under the id of an open request is not answered: it would be taken for that one’s answer', async () => {
    const { rig, ask, input } = await open()
    input.write(`${CALL.replace('"read"', '"write"')}\n`)
    await rig.openApproval()
    input.write(`${CALL.replace('"path":"a"', '"path":"a","path":"b"')}\n`)
    await rig.resolve('approved')
    expect((await ask('\n')).result.content[0].text).toBe('ran write')
    expect(rig.notes.join()).toContain('id of an open request')
  })

  it('a refused answer of the client ends what waits for it', async () => {
    const { rig, input, output } = await open()
    const asked = new Promise<Json>((resolve) => {
      output.on('data', (chunk) => String(chunk).includes('roots/list') && resolve(JSON.parse(String(chunk))))
    })
    rig.server.say({ id: 's', method: 'roots/list' })
    const { id } = await asked
    input.write(`{"jsonrpc":"2.0","id":${id},"result":{"roots":[],"roots":[]}}\n`)
    const { error } = await rig.server.heard((message) => message.id === 's')
    expect(error.message).toContain('duplicate key')
  })

  it('a request under an id beyond a double is answered under exactly that, and cancelled by it', async () => {
    const { rig, input, output } = await open()
    let text = ''
    output.on('data', (chunk) => {
      text += String(chunk)
    })
    for (const id of ['9007199254740993', '9007199254740992']) input.write(`${CALL.replace('"id":1', `"id":${id}`)}\n`)
    await expect.poll(() => text).toContain('"id":9007199254740993')
    await expect.poll(() => text).toContain('"id":9007199254740992')
    input.write(`${CALL.replace('"id":1', '"id":9007199254740995').replace('"read"', '"write"')}\n`)
    await rig.openApproval()
    input.write('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9007199254740995}}\n')
    await expect.poll(async () => (await rig.story()).at(-1)).toMatch(/^deny files\/write /)
  })

  it('its end is the end of the session, and so is an output that nobody reads any more', async () => {
    const one = await open()
    one.input.end()
    await one.rig.session.closed
    const two = await open()
    two.output.destroy()
    await once(two.output, 'close')
    await two.rig.session.closed
    expect([one.rig.server.closed, two.rig.server.closed]).toEqual([true, true])
  })
})
