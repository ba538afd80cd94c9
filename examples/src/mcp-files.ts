// An agent works on files through MCP, and every call is authorized before it runs. Reads in one folder are allowed, a
// write needs an approval from another terminal, and a move is denied, as is every path outside the folder. A tool
// whose definition has changed since it was accepted is refused. Finally, the ledger is verified and the calls are
// listed.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { SqliteApprovalStore } from '@sudoagent/core/sqlite'
import { sha256Hex } from '@sudoagent/crypto'
import { openLedgerReader, select, verify } from '@sudoagent/ledger'
import { SqliteToolPins } from '@sudoagent/mcp/sqlite'

const require = createRequire(import.meta.url)
const bin = join(dirname(require.resolve('sudoagent/package.json')), 'bin/sudoagent.cjs')
const filesystem = require.resolve('@modelcontextprotocol/server-filesystem/dist/index.js')

mkdirSync('notes')
const notes = realpathSync('notes')
writeFileSync('notes/today.txt', 'water the plants\n')
writeFileSync('secret.txt', 'the combination is 1234\n')
symlinkSync(realpathSync('secret.txt'), 'notes/link.txt')

// The pinned definition of one tool differs from the server's current definition.
const pins = SqliteToolPins.open('ledger.sqlite.tools')
pins.see('files', { name: 'list_directory', digest: sha256Hex('{}'), text: '{}' })
pins.close()

// The command that an MCP client runs: the guard, and after `--` the server.
const guard = [
  'mcp',
  'guard',
  '--policy',
  fileURLToPath(new URL('mcp-files-policy.js', import.meta.url)),
  '--ledger',
  'ledger.sqlite',
]
const client = new Client({ name: 'an agent', version: '1' })
await client.connect(
  new StdioClientTransport({
    command: process.execPath,
    args: [bin, ...guard, '--server', 'files', '--hold', '20', '--', process.execPath, filesystem, notes],
    env: { NOTES: notes },
    stderr: 'ignore',
  }),
)

/** Calls a tool. @returns whether it ran, and the text for the model */
async function call(name: string, args: Record<string, unknown>): Promise<{ ran: boolean; text: string }> {
  const { isError, content } = await client.callTool({ name, arguments: args })
  const [first] = content as { text: string }[]
  const text = first?.text ?? ''
  console.log(
    `${name} ${JSON.stringify(args).replaceAll(notes, 'notes')}\n  ${text.split('. ')[0]?.trim().replaceAll(notes, 'notes')}`,
  )
  return { ran: isError !== true, text }
}

/** Simulates a person at another terminal, who inspects the call and answers, as with `sudoagent approvals`. */
async function answer(state: 'approved' | 'denied'): Promise<void> {
  const store = SqliteApprovalStore.open('ledger.sqlite.approvals')
  for (;;) {
    const [asked] = await store.list({ state: 'pending' }, new Date())
    if (asked !== undefined) {
      await store.resolve(asked.approvalId, { state, approverId: 'ada', binding: asked.binding }, new Date())
      return store.close()
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const path = (name: string): string => join(notes, name)
assert.equal((await call('read_text_file', { path: path('today.txt') })).text, 'water the plants\n')

const written = call('write_file', { path: path('tomorrow.txt'), content: 'buy milk\n' })
await answer('approved')
assert.ok((await written).ran)
assert.equal(readFileSync('notes/tomorrow.txt', 'utf8'), 'buy milk\n')

const refused = call('write_file', { path: path('today.txt'), content: 'nothing\n' })
await answer('denied')
assert.ok(!(await refused).ran)
assert.equal(readFileSync('notes/today.txt', 'utf8'), 'water the plants\n')

assert.ok(!(await call('move_file', { source: path('today.txt'), destination: path('gone.txt') })).ran)
for (const way of [`${notes}/../secret.txt`, path('link.txt'), `${notes}/%2e%2e/secret.txt`, '../secret.txt']) {
  const { ran, text } = await call('read_text_file', { path: way })
  assert.ok(!ran && text.startsWith('denied: outside the notes folder'))
}

const { tools } = await client.listTools()
assert.ok(!tools.some(({ name }) => name === 'list_directory'))
assert.match((await call('list_directory', { path: notes })).text, /TOOL_DEFINITION_CHANGED/)
await client.close()

const reader = await openLedgerReader('ledger.sqlite')
const report = await verify(reader)
assert.ok(report.ok)
const decided = new Map<string, string>()
for await (const { entry } of select(reader, { event: 'decision' })) {
  if (entry.event === 'decision') decided.set(entry.request_id, `${entry.action} ${entry.decision.effect}`)
}
await reader.close()
assert.deepEqual(
  [...decided.values()].map((line) => line.replace('files/', '')),
  [
    'read_text_file allow',
    'write_file allow',
    'write_file deny',
    'move_file deny',
    ...Array.from({ length: 4 }, () => 'read_text_file deny'),
    'list_directory deny',
  ],
)
const [, approved = ''] = [...decided.keys()]
const story = spawnSync(process.execPath, [bin, 'show', 'ledger.sqlite', approved, '--format', 'text'], {
  encoding: 'utf8',
})
assert.match(story.stdout, /approval +approved by ada/)
console.log(`ledger: ${report.verdict}, ${report.decisions} decisions, ${report.outcomes} outcomes`)
