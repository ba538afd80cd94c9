// A call that outlives its process: an agent asks, is killed, a person approves, and a new process resumes the call. It
// runs once: another process that resumes it is denied.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const bin = join(dirname(createRequire(import.meta.url).resolve('sudoagent/package.json')), 'bin/sudoagent.cjs')
const agent = fileURLToPath(new URL('waiting-agent.js', import.meta.url))

function run(script: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return stdout.trim()
}

run(bin, 'keygen', '--private-key', 'waiting.key.pem', '--public-key', 'waiting.pub.pem')
const asking = spawn(process.execPath, [agent], { stdio: ['ignore', 'pipe', 'inherit'] })
const [line] = await once(createInterface({ input: asking.stdout }), 'line')
const id = String(line).replace('pending ', '')
asking.kill('SIGKILL')
await once(asking, 'exit')
console.log('the agent asked, and was killed')

const approved = run(bin, 'approvals', 'approve', 'approvals.sqlite', id, '--approver', 'alice', '--yes')
assert.equal(approved, 'approved: pay for pay-bot, by alice')
console.log(approved)

const first = run(agent, 'resume', id)
assert.equal(first, 'paid 40 to Ada')
console.log(`a new process: ${first}`)
const second = run(agent, 'resume', id)
assert.match(second, /^APPROVAL_ALREADY_USED: /)
console.log(`another one: ${second}`)

const { ok, verdict, decisions, outcomes } = JSON.parse(
  run(bin, 'verify', 'waiting.sqlite', '--public-key', 'waiting.pub.pem', '--json'),
)
assert.deepEqual({ ok, decisions, outcomes }, { ok: true, decisions: 1, outcomes: 1 })
console.log(`ledger: ${verdict}, ${decisions} decision, ${outcomes} outcome`)
