// The client's pipe, byte by byte.
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { StdioDownstream } from '../src/stdio-downstream.js'
import { type Json, Rig } from './support/rig.js'

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

  it.each<[string, string]>([
    ['a duplicate key', CALL.replace('"path":"a"', '"path":"a","path":"b"')],
    ['a batch, also of one', `[${CALL}]`],
    ['a batch that hides a call', `[{"jsonrpc":"2.0","method":"notifications/initialized"},${CALL}]`],
    ['no JSON', 'GET / HTTP/1.1'],
  ])('%s is refused under no id, the server hears nothing, and the session goes on', async (_, line) => {
    const { rig, ask } = await open()
    const refused = await ask(`${line}\n`)
    expect(refused).toMatchObject({ id: null, error: { code: expect.any(Number) } })
    expect(rig.served('tools/call')).toEqual([])
    expect((await ask(`${CALL}\n`)).result.content[0].text).toBe('ran read')
  })

  it('a line beyond the bound ends the session: nobody knows where the next one begins', async () => {
    const { rig, input } = await open()
    input.write('x'.repeat(4 * 1024 * 1024 + 1))
    expect(await rig.session.closed).toBe('the client went away')
    expect(rig.server.closed).toBe(true)
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
