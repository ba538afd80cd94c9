// Tests servers in real processes that misbehave.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ChildUpstream } from '../../src/upstream/child.js'
import { fixture } from '../support/reference.js'
import { Rig, textOf } from '../support/rig.js'

/** Starts a session with a hostile server. `pids` contains the process IDs of the server's process tree. */
async function open(mode: string, env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'sudoagent-mcp-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'pids')
  const upstream = new ChildUpstream({
    command: process.execPath,
    args: [fixture('hostile-server.mjs'), mode, file],
    env,
    graceMs: 200,
  })
  onTestFinished(() => upstream.killNow())
  const rig = new Rig({ holdMs: 100 })
  rig.session = await rig.guard.open(rig.client, upstream)
  onTestFinished(() => rig.guard.close())
  await rig.ask('initialize', { protocolVersion: '2025-11-25', capabilities: {} })
  const pids = (): number[] =>
    existsSync(file)
      ? readFileSync(file, 'utf8')
          .split('\n')
          .filter((line) => /^\d+$/.test(line))
          .map(Number)
      : []
  return { rig, upstream, pids }
}

const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    // A zombie process counts as exited: it no longer runs, and only waits for its parent to reap it.
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

describe('a server that', () => {
  it('dies in a call: the client is told, the outcome is on record, the session is over', async () => {
    const { rig } = await open('die')
    expect((await rig.callTool('read')).isError).toBe(true)
    expect(await rig.session.closed).toBe('the server disconnected')
    expect((await rig.story()).at(-1)).toMatch(/^error files\/read: /)
  })

  it('sends 100 MB in one message: the call fails, nothing of it is kept, and the session goes on', async () => {
    const { rig } = await open('huge')
    const result = await rig.callTool('read')
    expect(result.isError).toBe(true)
    expect(textOf(result)).toMatch(/longer than 16777216 bytes.*may have run/)
    expect((await rig.story()).at(-1)).toMatch(/^error files\/read: .*longer than/)
    expect((await rig.ask('tools/list')).tools).toHaveLength(3)
    expect(textOf(await rig.callTool('read'))).toContain('longer than')
  })

  it('floods: everything arrives in order, and then the answer', async () => {
    const { rig } = await open('flood')
    expect(textOf(await rig.callTool('read'))).toBe('flooded')
    const flood = rig.client.got.filter(({ method }) => method === 'notifications/message')
    expect(flood).toHaveLength(20_000)
    expect(flood.at(-1).params.data).toBe('flood 19999')
  })

  it('answers twice, and writes lines that are no messages: one answer, and the session goes on', async () => {
    const twice = (await open('twice')).rig
    expect(textOf(await twice.callTool('read'))).toBe('first')
    await twice.ask('ping')
    expect(twice.client.got.filter(({ result }) => result?.content !== undefined)).toHaveLength(1)
    const junk = (await open('junk')).rig
    expect(textOf(await junk.callTool('read'))).toBe('after the junk')
    expect(junk.notes.filter((note) => note.includes('a line that is not a message'))).toHaveLength(6)
  })

  it('never answers, and the client cancels: the outcome is on record', async () => {
    const { rig } = await open('silent')
    const id = rig.send('tools/call', { name: 'read', arguments: {} })
    await expect.poll(() => rig.story()).toHaveLength(1)
    rig.client.say({ method: 'notifications/cancelled', params: { requestId: id, reason: 'enough' } })
    await expect.poll(async () => (await rig.story()).at(-1)).toMatch(/^error files\/read: enough; /)
  })
})

describe('the tree of the server', () => {
  it('gets a small environment, and what it was given', async () => {
    process.env.SUDOAGENT_TEST_SECRET = 'x'
    onTestFinished(() => void delete process.env.SUDOAGENT_TEST_SECRET)
    const { rig } = await open('env', { GIVEN: 'yes' })
    const env = JSON.parse(textOf(await rig.callTool('read'))) as Record<string, string>
    expect(env.GIVEN).toBe('yes')
    const known = ['GIVEN', 'HOME', 'LOGNAME', 'PATH', 'SHELL', 'TERM', 'USER']
    expect(Object.keys(env).filter((name) => !known.includes(name))).toEqual([])
  })

  it.each(['tree', 'stubborn'])(
    'ends with the session, grandchildren that ignore SIGTERM included: %s',
    async (mode) => {
      const { rig, pids } = await open(mode)
      expect(textOf(await rig.callTool('read'))).toBe('ran read')
      expect(pids().filter(lives)).toHaveLength(2)
      await rig.client.close()
      await rig.session.closed
      expect(pids().filter(lives)).toEqual([])
    },
  )

  it('is killed at once where there is no time', async () => {
    const { upstream, pids } = await open('stubborn')
    expect(pids().filter(lives)).toHaveLength(2)
    upstream.killNow()
    await expect.poll(() => pids().filter(lives)).toEqual([])
  })

  it('cannot be started: says so', async () => {
    const rig = new Rig()
    const nothing = new ChildUpstream({ command: '/nowhere/at/all', args: [] })
    await expect(rig.guard.open(rig.client, nothing)).rejects.toThrow(/^`.+`: command not found$/)
  })
})
