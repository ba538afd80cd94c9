// Starts `mcp guard` as an agent's host would, in front of servers from npm, and stops it in several ways.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { SqliteApprovalStore } from '@sudoagent/core/sqlite'
import { generatePrivateKey } from '@sudoagent/crypto'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { connect, EVERYTHING, guardArgs, hostile, type Json, MEMORY, POLICY, textOf } from '../../support/mcp.js'
import { type Sandbox, sandbox } from '../../support/sandbox.js'

let box: Sandbox
beforeEach(() => {
  box = sandbox()
  writeFileSync(box.path('policy.mjs'), POLICY)
})

const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}
const pids = (): number[] =>
  existsSync(box.path('pids'))
    ? readFileSync(box.path('pids'), 'utf8')
        .split('\n')
        .filter((line) => /^\d+$/.test(line))
        .map(Number)
    : []

describe('server-everything', () => {
  it('with a client that can all: everything passes both ways, and every call is on record', async () => {
    const capabilities = { sampling: {}, elicitation: {}, roots: { listChanged: true } }
    const options = ['--pass', 'resources,prompts', '--pass', 'completion']
    const { client } = await connect(box, EVERYTHING, { capabilities, options })
    client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: 'file:///srv/root', name: 'root' }] }))
    client.setRequestHandler(CreateMessageRequestSchema, () => ({
      role: 'assistant',
      model: 'm',
      content: { type: 'text', text: 'sampled' },
    }))
    client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'decline' }))
    const logs: unknown[] = []
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void logs.push(params))
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['echo', 'get-sum', 'trigger-sampling-request']),
    )
    expect(textOf(await client.callTool({ name: 'echo', arguments: { message: 'hi' } }))).toBe('Echo: hi')
    expect(textOf(await client.callTool({ name: 'get-env' }))).toMatch(/^denied: not on the list/)
    const structured = await client.callTool({ name: 'get-structured-content', arguments: { location: 'Chicago' } })
    expect(structured.structuredContent).toMatchObject({ conditions: expect.any(String) })
    expect(
      JSON.stringify(await client.callTool({ name: 'trigger-sampling-request', arguments: { prompt: 'p' } })),
    ).toContain('sampled')
    expect(JSON.stringify(await client.callTool({ name: 'trigger-elicitation-request' }))).toMatch(/declin/i)
    const progress: unknown[] = []
    const run = { name: 'trigger-long-running-operation', arguments: { duration: 0.2, steps: 2 } }
    await client.callTool(run, undefined, { onprogress: (step) => void progress.push(step) })
    expect(progress).toHaveLength(2)
    const { resources } = await client.listResources()
    expect((await client.readResource({ uri: resources[0]?.uri ?? '' })).contents).toHaveLength(1)
    expect((await client.listResourceTemplates()).resourceTemplates.length).toBeGreaterThan(0)
    expect((await client.getPrompt({ name: 'args-prompt', arguments: { city: 'Rome' } })).messages).not.toEqual([])
    const completion = {
      ref: { type: 'ref/prompt', name: 'completable-prompt' },
      argument: { name: 'department', value: 'E' },
    } as const
    expect((await client.complete(completion)).completion.values).toContain('Engineering')
    await client.setLoggingLevel('debug')
    await client.close()
    const report = JSON.parse(box.run(['verify', 'ledger.sqlite', '--json']).stdout) as Json
    expect(report).toMatchObject({ ok: true, decisions: 6, outcomes: 5 })
  })

  it('over HTTP, with a token from the environment, and signed', async () => {
    const key = generatePrivateKey()
    writeFileSync(box.path('key.pem'), key.pem, { mode: 0o600 })
    writeFileSync(box.path('key.pub.pem'), key.publicKey.pem)
    const token = 'a-token-of-some-length'
    const options = ['--http', '127.0.0.1:0', '--private-key', 'key.pem', '--server', 'all']
    const child = box.start(guardArgs(options, EVERYTHING), { SUDOAGENT_MCP_TOKEN: token })
    onTestFinished(() => void child.kill('SIGKILL'))
    const url = await new Promise<string>((resolve) => {
      child.stdout.on('data', (chunk) => resolve(/^url +(\S+)\n/.exec(String(chunk))?.[1] ?? ''))
    })
    expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(401)
    const client = new Client({ name: 'tester', version: '1' })
    const requestInit = { headers: { Authorization: `Bearer ${token}` } }
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }))
    expect(textOf(await client.callTool({ name: 'get-sum', arguments: { a: 2, b: 3 } }))).toContain('5')
    await client.close()
    child.kill('SIGTERM')
    const code = await new Promise((resolve) => child.once('exit', resolve))
    expect(code).toBe(0)
    const ran = box.run(['verify', 'ledger.sqlite', '--public-key', 'key.pub.pem', '--quiet'])
    expect(ran).toMatchObject({ code: 0, stderr: '' })
    expect(box.run(['filter', 'ledger.sqlite', '--event', 'outcome']).stdout).toContain('"action":"all/get-sum"')
  })
})

describe('server-memory', () => {
  it('with a client that cannot be asked: an approval from another terminal, a budget, and what is blocked', async () => {
    writeFileSync(box.path('policy.mjs'), POLICY.replace("'write'", "'create_entities'"))
    const options = [
      '--server',
      'memory',
      // In seconds, longer than an answer takes on a busy machine.
      '--hold',
      '60',
      '--budget',
      'per-agent=2,window=3600',
      '--block',
      'resources',
      '--agent',
      'desk',
    ]
    const { client } = await connect(box, MEMORY, {
      options: [...options, '--env', `MEMORY_FILE_PATH=${box.path('memory.json')}`],
    })
    expect(client.getServerCapabilities()?.resources).toBeUndefined()
    const entities = [{ name: 'Ada', entityType: 'person', observations: ['counts'] }]
    const created = client.callTool({ name: 'create_entities', arguments: { entities } })
    const store = SqliteApprovalStore.open(box.path('ledger.sqlite.approvals'))
    let asked: Json
    await expect.poll(async () => (asked = (await store.list({ state: 'pending' }, new Date()))[0])).toBeDefined()
    expect(asked).toMatchObject({ action: 'memory/create_entities', agentId: 'desk', kwargs: { entities } })
    await store.resolve(asked.approvalId, { state: 'approved', approverId: 'ada', binding: asked.binding }, new Date())
    await store.close()
    expect((await created).isError).toBeFalsy()
    expect(readFileSync(box.path('memory.json'), 'utf8')).toContain('Ada')
    expect((await client.callTool({ name: 'read_graph' })).isError).toBeFalsy()
    expect(textOf(await client.callTool({ name: 'read_graph' }))).toContain('BUDGET_EXCEEDED_AGENT_RATE')
    await client.close()
    const story = box.run(['show', 'ledger.sqlite', asked.approvalId, '--format', 'text'])
    expect(story.stdout).toMatch(/approved by ada/)
    expect(box.run(['verify', 'ledger.sqlite', '--quiet']).code).toBe(0)
  })
})

it('several guards may start at once on one new ledger', async () => {
  const guards = await Promise.all(
    ['one', 'two', 'three'].map((name) => connect(box, hostile('plain', 'pids'), { options: ['--server', name] })),
  )
  const texts = await Promise.all(guards.map(async ({ client }) => textOf(await client.callTool({ name: 'read' }))))
  expect(texts).toEqual(['ran read', 'ran read', 'ran read'])
  await Promise.all(guards.map(({ client }) => client.close()))
  expect(JSON.parse(box.run(['verify', 'ledger.sqlite', '--json']).stdout)).toMatchObject({
    ok: true,
    decisions: 3,
    outcomes: 3,
  })
})

it('standard output carries the protocol and nothing else, whatever the policy says', async () => {
  writeFileSync(
    box.path('policy.mjs'),
    `console.log('loaded')\n${POLICY.replace('({ action }) =>', '({ action }) => console.log(action) ||')}`,
  )
  const { client, said } = await connect(box, hostile('plain', 'pids'))
  const refused: unknown[] = []
  client.onerror = (error) => void refused.push(error)
  expect(textOf(await client.callTool({ name: 'read' }))).toBe('ran read')
  expect(refused).toEqual([])
  expect(said()).toMatch(/^loaded\n[\s\S]*\/read\n/)
})

describe('the end', () => {
  it('of the client: exit 0, and nothing of the server’s tree is left', async () => {
    const { client, pid } = await connect(box, hostile('plain', 'pids'))
    await client.callTool({ name: 'read' })
    expect(pids().filter(lives)).toHaveLength(1)
    await client.close()
    await expect.poll(() => [pid, ...pids()].filter(lives)).toEqual([])
  })

  it.each([
    ['SIGTERM', 'tree', 2],
    ['SIGINT', 'plain', 1],
    ['SIGHUP', 'plain', 1],
  ] as const)('by %s: the same, of a tree that is %s', async (signal, mode, size) => {
    const { client, pid } = await connect(box, hostile(mode, 'pids'))
    await client.callTool({ name: 'read' })
    expect(pids().filter(lives)).toHaveLength(size)
    process.kill(pid, signal)
    await expect.poll(() => [pid, ...pids()].filter(lives)).toEqual([])
    expect(box.run(['verify', 'ledger.sqlite', '--quiet']).code).toBe(0)
  })

  it('by SIGKILL: a server that reads its stdin ends by itself, and what was decided is on record', async () => {
    const { client, pid } = await connect(box, hostile('plain', 'pids'))
    await client.callTool({ name: 'read' })
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => pids().filter(lives)).toEqual([])
    expect(box.run(['verify', 'ledger.sqlite', '--quiet']).code).toBe(0)
  })

  it('of the server in a call: exit 3, said in words, the outcome on record', async () => {
    const { client, said } = await connect(box, hostile('die', 'pids'))
    expect((await client.callTool({ name: 'read' })).isError).toBe(true)
    await expect.poll(said).toContain('sudoagent: error: the server disconnected\n')
    const outcomes = box.run(['filter', 'ledger.sqlite', '--outcome', 'error'])
    expect(outcomes.stdout).toContain('/read"')
  })
})
