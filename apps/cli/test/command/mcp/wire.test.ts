// The text of messages through `mcp guard` as a process: any JSON, in both directions.
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'
import { jsonText } from '../../../../../packages/mcp/test/support/json-text.js'
import { guardArgs, POLICY } from '../../support/mcp.js'
import { BIN, sandbox } from '../../support/sandbox.js'

const ECHO = fileURLToPath(new URL('../../../../../packages/mcp/test/fixtures/echo-server.mjs', import.meta.url))

it('numbers of any JSON reach the other side as they were written, over stdio', async () => {
  const box = sandbox()
  writeFileSync(box.path('policy.mjs'), POLICY)
  const args = guardArgs([], [process.execPath, ECHO, box.path('served')])
  const child = spawn(process.execPath, [BIN, ...args], { cwd: box.folder, stdio: ['pipe', 'pipe', 'ignore'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += String(chunk)
  })
  const say = (line: string): void => void child.stdin.write(`${line}\n`)
  const heard = async (part: string): Promise<void> => {
    await expect.poll(() => text, { timeout: 20_000 }).toContain(part)
  }
  say(
    '{"jsonrpc":"2.0","id":"hello","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}',
  )
  await heard('"id":"hello"')
  const texts = [...new Set(fc.sample(jsonText, { numRuns: 60, seed: 14 }).map((json) => json.replace(/\s+/g, '')))]
  for (const [id, json] of texts.entries())
    say(
      `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"echo","arguments":{"reply":${JSON.stringify(json)}},"_meta":{"data":${json}}}}`,
    )
  await heard(`"id":${texts.length - 1},`)
  for (const [id, json] of texts.entries()) {
    await heard(`"id":${id},"result":{"content":[],"structuredContent":{"data":${json}},"_meta":{"data":${json}}}}`)
  }
  const served = readFileSync(box.path('served'), 'utf8')
  for (const json of texts) expect(served).toContain(`"_meta":{"data":${json}}`)
})
