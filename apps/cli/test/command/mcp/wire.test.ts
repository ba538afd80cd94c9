// Tests that the text of any JSON message passes through an `mcp guard` process unchanged, in both directions.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'
import { jsonText } from '../../../../../packages/mcp/test/support/json-text.js'
import { guardArgs, type Json, POLICY } from '../../support/mcp.js'
import { BIN, sandbox } from '../../support/sandbox.js'

const ECHO = fileURLToPath(new URL('../../../../../packages/mcp/test/fixtures/echo-server.mjs', import.meta.url))

/** Starts `mcp guard` in front of a server that records its input. */
function start(options: readonly string[]) {
  const box = sandbox()
  writeFileSync(box.path('policy.mjs'), POLICY)
  const args = guardArgs(options, [process.execPath, ECHO, box.path('served')])
  const child = spawn(process.execPath, [BIN, ...args], { cwd: box.folder, stdio: ['pipe', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let [text, said] = ['', '']
  child.stdout.on('data', (chunk) => {
    text += String(chunk)
  })
  child.stderr.on('data', (chunk) => {
    said += String(chunk)
  })
  const say = (line: string): void => void child.stdin.write(`${line}\n`)
  const heard = async (part: string): Promise<string> => {
    await expect.poll(() => text, { timeout: 60_000 }).toContain(part)
    return text
  }
  say(
    '{"jsonrpc":"2.0","id":"hello","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}',
  )
  return { say, heard, said: () => said, served: () => readFileSync(box.path('served'), 'utf8') }
}

it('numbers of any JSON reach the other side as they were written, over stdio', async () => {
  const { say, heard, served } = start([])
  await heard('"id":"hello"')
  const texts = [...new Set(fc.sample(jsonText, { numRuns: 60, seed: 14 }).map((json) => json.replace(/\s+/g, '')))]
  for (const [id, json] of texts.entries())
    say(
      `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"echo","arguments":{"reply":${JSON.stringify(json)}},"_meta":{"data":${json}}}}`,
    )
  for (const [id, json] of texts.entries())
    await heard(`"id":${id},"result":{"content":[],"structuredContent":{"data":${json}},"_meta":{"data":${json}}}}`)
  const lines = served()
  for (const json of texts) expect(lines).toContain(`"_meta":{"data":${json}}`)
})

it('numbers of any JSON reach the other side as they were written, over HTTP and from a server over HTTP', async () => {
  const served: string[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    if (request.method !== 'POST') return void response.writeHead(405).end()
    const text = Buffer.concat(chunks).toString()
    const { id, method, params } = JSON.parse(text) as Json
    if (id === undefined) return void response.writeHead(202).end()
    served.push(text)
    const reply = params?.arguments?.reply
    const result =
      method === 'initialize'
        ? '{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"echo","version":"1"}}'
        : method === 'tools/list'
          ? '{"tools":[{"name":"echo","inputSchema":{"type":"object"}}]}'
          : `{"content":[],"structuredContent":{"data":${reply}},"_meta":{"data":${reply}}}`
    const message = `{"jsonrpc":"2.0","id":${id},"result":${result}}`
    const isStream = served.length % 2 === 0
    response
      .writeHead(200, { 'Content-Type': isStream ? 'text/event-stream' : 'application/json' })
      .end(isStream ? `event: message\ndata: ${message}\n\n` : message)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  onTestFinished(() => server.closeAllConnections())
  const { port } = server.address() as AddressInfo
  const options = ['--http', '127.0.0.1:0', '--no-token', '--upstream', `http://127.0.0.1:${port}/mcp`]
  const box = sandbox()
  writeFileSync(box.path('policy.mjs'), POLICY)
  const child = box.start(guardArgs(options, []))
  onTestFinished(() => void child.kill('SIGKILL'))
  const url = await new Promise<string>((resolve) => {
    child.stdout.on('data', (chunk) => resolve(/^url +(\S+)\n/.exec(String(chunk))?.[1] ?? ''))
  })
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' }
  const post = (body: string, more: object = {}): Promise<Response> =>
    fetch(url, { method: 'POST', body, headers: { ...headers, ...more } })
  const hello = await post(
    '{"jsonrpc":"2.0","id":"hello","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}',
  )
  const session = { 'mcp-session-id': hello.headers.get('mcp-session-id') ?? '' }
  const texts = [...new Set(fc.sample(jsonText, { numRuns: 40, seed: 41 }).map((json) => json.replace(/\s+/g, '')))]
  for (const [id, json] of texts.entries()) {
    const answer = await post(
      `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"echo","arguments":{"reply":${JSON.stringify(json)}},"_meta":{"data":${json}}}}`,
      session,
    )
    const text = await answer.text()
    for (const part of [`"id":${id}`, `"structuredContent":{"data":${json}}`, `"_meta":{"data":${json}}`])
      expect(text).toContain(part)
    expect(served.at(-1)).toContain(`"_meta":{"data":${json}}`)
  }
})

it('what passes is said at the start, and what is not in NFC is handled as the option says', async () => {
  const call =
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"a":"cafe\u0301","n":1.0}}}'
  const refusing = start([])
  await refusing.heard('"id":"hello"')
  refusing.say(call)
  expect(await refusing.heard('"id":1')).toContain('PARAMETERS_INVALID')
  expect(refusing.said()).toContain('resources, prompts, completion: blocked (use --pass')
  const copying = start(['--unicode', 'normalize', '--pass', 'resources'])
  await copying.heard('"id":"hello"')
  copying.say(call)
  await copying.heard('"id":1')
  expect(copying.served()).toContain('"arguments":{"a":"caf\u00e9"')
  expect(copying.said()).toContain('resources: forwarded without a decision; prompts, completion: blocked')
})
