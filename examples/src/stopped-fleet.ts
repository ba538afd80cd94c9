// Two agents write one ledger. A third process, the command line, stops one of them: its next call is denied, and the
// other agent goes on. The call that was in flight ends, because a stop ends decisions and not functions.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const bin = join(dirname(createRequire(import.meta.url).resolve('sudoagent/package.json')), 'bin/sudoagent.cjs')

function sudoagent(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return stdout
}

/** Starts an agent in a process of its own. */
function startAgent(agentId: string) {
  const script = fileURLToPath(new URL('fleet-agent.js', import.meta.url))
  const child = spawn(process.execPath, [script, agentId], { stdio: ['pipe', 'pipe', 'inherit'] })
  const answers = new Map<number, (answer: string) => void>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [, number = '', answer = ''] = /^(\d+) (.*)$/.exec(line) ?? []
    answers.get(Number(number))?.(answer)
  })
  return {
    call(number: number): Promise<string> {
      const answer = new Promise<string>((resolve) => answers.set(number, resolve))
      child.stdin.write(`${number}\n`)
      return answer
    },
    deliver: () => child.stdin.write('deliver\n'),
    async end(): Promise<void> {
      child.stdin.end()
      await once(child, 'exit')
    },
  }
}

sudoagent('keygen', '--private-key', 'fleet.key.pem', '--public-key', 'fleet.pub.pem')
const verify = ['verify', 'fleet.sqlite', '--public-key', 'fleet.pub.pem']
const [billing, support] = [startAgent('billing-1'), startAgent('support-1')]
assert.equal(await billing.call(1), 'invoice 1 sent')
const slow = billing.call(2)
assert.equal(await support.call(3), 'invoice 3 sent')
// The slow call is decided before the stop.
while (!sudoagent(...verify).includes('1 call was allowed')) await new Promise((resolve) => setTimeout(resolve, 50))

const by = ['--by', 'alice', '--private-key', 'fleet.key.pem']
console.log(sudoagent('stop', 'fleet.sqlite', '--agent', 'billing-*', '--reason', 'wrong prices', ...by).split('\n')[0])
console.log(`billing-1: ${await billing.call(4)}`)
console.log(`support-1: ${await support.call(5)}`)
billing.deliver()
console.log(`billing-1, in flight: ${await slow}`)

const report = JSON.parse(sudoagent(...verify, '--json'))
const [{ stop_id: id, in_flight: inFlight }] = report.stops
console.log(`ledger: ${report.verdict}, 1 stop, ${inFlight} call in flight when it began`)

sudoagent('resume', 'fleet.sqlite', id, '--reason', 'prices corrected', ...by)
assert.equal(await billing.call(6), 'invoice 6 sent')
await Promise.all([billing.end(), support.end()])
const { ok, stops, resumes } = JSON.parse(sudoagent(...verify, '--json'))
assert.deepEqual({ ok, stops, resumes }, { ok: true, stops: [], resumes: { signed: 0, operator: 1 } })
console.log('resumed: invoice 6 sent')
