// Measures the latency that the guard adds to a tool call over stdio: calls alternate between a proxy that only
// forwards messages and the guard, both in front of the same server. For comparison, also measures one guarded call
// without MCP: policy, durable decision, durable outcome.
//
//   node bench/mcp.mjs [--calls 2000]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SudoEngine } from '../packages/core/dist/index.js'
import { createSigner, generatePrivateKey } from '../packages/crypto/dist/index.js'
import { SqliteLedger } from '../packages/ledger/dist/store/sqlite/ledger.js'
import { Client } from '../packages/mcp/node_modules/@modelcontextprotocol/sdk/dist/esm/client/index.js'
import { StdioClientTransport } from '../packages/mcp/node_modules/@modelcontextprotocol/sdk/dist/esm/client/stdio.js'
import { policy } from './mcp/policy.mjs'
import { readOptions } from './options.mjs'
import { median } from './rounds.mjs'
import { report, row } from './table.mjs'

const { size, json, ...counts } = readOptions({ calls: 2_000 })
const [calls, warmUp] = [size(counts.calls, 10), size(200, 2)]
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
for (let n = 0; n < calls + warmUp; n += 1) {
  for (const [name, call] of Object.entries(ways)) {
    const start = performance.now()
    const result = await call()
    if (n >= warmUp) times[name].push(performance.now() - start)
    if (result?.isError === true) throw new Error(`${name}: ${result.content[0].text}`)
  }
}
for (const client of [direct, bare, guarded]) await client.close()
await ledger.close()
rmSync(folder, { recursive: true })

const microseconds = (name) => median(times[name]) * 1_000
report(
  'mcp',
  [
    row({ work: 'a call without a proxy', unit: 'µs', figure: microseconds('direct') }),
    row({ work: 'through a proxy that only forwards', unit: 'µs', figure: microseconds('bare') }),
    // Floor: one guarded call without MCP.
    row({
      work: 'overhead of the guard, floor one guarded call',
      unit: 'µs',
      floor: microseconds('engine'),
      figure: microseconds('guarded') - microseconds('bare'),
      atMost: 1.5,
    }),
  ],
  json,
)

async function connect([command, ...rest]) {
  const client = new Client({ name: 'bench', version: '1' })
  await client.connect(new StdioClientTransport({ command, args: rest, stderr: 'inherit' }))
  return client
}
