// What the guard adds to a tool call over stdio: the same server through a proxy that only hands messages on, and through the guard, calls
// taken in turn in one run. Beside it what one guarded call costs without any MCP: policy, a durable decision, a durable outcome.
//
//   node bench/mcp.mjs [--calls 2000]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { SudoEngine } from '../packages/core/dist/index.js'
import { createSigner, generatePrivateKey } from '../packages/crypto/dist/index.js'
import { SqliteLedger } from '../packages/ledger/dist/store/sqlite.js'
import { Client } from '../packages/mcp/node_modules/@modelcontextprotocol/sdk/dist/esm/client/index.js'
import { StdioClientTransport } from '../packages/mcp/node_modules/@modelcontextprotocol/sdk/dist/esm/client/stdio.js'
import { policy } from './mcp/policy.mjs'

/** At most this many times the cost of one guarded call may the guard add. */
const TARGET = 1.5
const WARM_UP = 200

const { values } = parseArgs({ options: { calls: { type: 'string', default: '2000' } } })
const calls = Number(values.calls)
const folder = mkdtempSync(join(tmpdir(), 'sudoagent-bench-'))
const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const key = generatePrivateKey()
writeFileSync(join(folder, 'key.pem'), key.pem, { mode: 0o600 })

const server = [process.execPath, here('mcp/echo-server.mjs')]
const guard = [
  'mcp',
  'guard',
  '--policy',
  here('mcp/policy.mjs'),
  '--ledger',
  join(folder, 'guard.sqlite'),
  '--server',
  'echo',
]
const direct = await connect(server)
const bare = await connect([process.execPath, here('mcp/pass-through.mjs'), ...server])
const guarded = await connect([
  ...[
    process.execPath,
    here('../apps/cli/bin/sudoagent.cjs'),
    ...guard,
    '--private-key',
    join(folder, 'key.pem'),
    '--',
    ...server,
  ],
])
const ledger = SqliteLedger.open(join(folder, 'engine.sqlite'), { signer: createSigner(key) })
const engine = new SudoEngine({ policy, agentId: 'mcp', ledger })

const args = { text: 'the quick brown fox jumps over the lazy dog', to: 'somewhere/else.txt', limit: 25 }
const ways = {
  direct: () => direct.callTool({ name: 'echo', arguments: args }),
  bare: () => bare.callTool({ name: 'echo', arguments: args }),
  guarded: () => guarded.callTool({ name: 'echo', arguments: args }),
  engine: () => engine.execute(async ({ text }) => text, [args], { action: 'echo/echo' }),
}
const times = Object.fromEntries(Object.keys(ways).map((name) => [name, []]))
for (let n = 0; n < calls + WARM_UP; n += 1) {
  for (const [name, call] of Object.entries(ways)) {
    const start = performance.now()
    const result = await call()
    if (n >= WARM_UP) times[name].push(performance.now() - start)
    if (result?.isError === true) throw new Error(`${name}: ${result.content[0].text}`)
  }
}
for (const client of [direct, bare, guarded]) await client.close()
await ledger.close()
rmSync(folder, { recursive: true })

const median = (name) => times[name].sort((a, b) => a - b)[Math.floor(calls / 2)] * 1000
const us = (value) => `${value.toFixed(0).padStart(7)} µs`
const added = median('guarded') - median('bare')
const ratio = added / median('engine')
process.stdout.write(`medians of ${calls} calls, taken in turn
no proxy                  ${us(median('direct'))}
proxy that hands on       ${us(median('bare'))}
guard                     ${us(median('guarded'))}
the guard adds            ${us(added)}
one guarded call, no MCP  ${us(median('engine'))}
ratio                     ${ratio.toFixed(2).padStart(7)}  (target: at most ${TARGET})
`)
process.exitCode = ratio <= TARGET ? 0 : 1

async function connect([command, ...rest]) {
  const client = new Client({ name: 'bench', version: '1' })
  await client.connect(new StdioClientTransport({ command, args: rest, stderr: 'inherit' }))
  return client
}
