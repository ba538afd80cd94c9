// Drives `sudoagent mcp guard` with MCP frameworks for Python, which have their default time limits and a fake model.
// A payment needs an approval: the client receives "pending", a person approves later through the command line, and
// the client picks the payment up. The server writes each payment to a file, so that the runs are counted there.
//
//   node interop/python/check_clients.mjs VENVS [--show] [CLIENT…]
//
// VENVS is a folder with a Python environment for each client, for example `VENVS/crewai`, into which
// `clients/<client>.txt` was installed. A client without an environment is skipped. `--show` prints each tool result.
import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'

const CLI = join(import.meta.dirname, '../../apps/cli/dist/bin.cjs')
const CLIENTS = join(import.meta.dirname, 'clients')
const TOKEN = 'a-token-for-python-clients'
/** Clients that run at the same time. More would delay each other until their time limits. */
const PARALLEL = 2
/** Far longer than a client needs on a busy machine. */
const CLIENT_TIMEOUT_MS = 120_000
/** The time from a pending result to the approval, and from there to the next call of a patient client. */
const PERSON_MS = 500
/** The time from the question of an impatient client to the approval. The client waits 5 s for a result. */
const SLOW_PERSON_MS = 5_500
/** Lines of a failed client's standard error that are printed. */
const ERROR_LINES = 15

const POLICY = `sudoagent_policy: 1
id: bank
version: '1'
rules:
  - { id: pay, server: bank, tool: pay, effect: require_approval, reason: a payment }
`

/** Keeps the frameworks from sending reports about their use, and Python from writing files into this folder. */
const QUIET = {
  PYTHONDONTWRITEBYTECODE: '1',
  OTEL_SDK_DISABLED: 'true',
  CREWAI_DISABLE_TELEMETRY: 'true',
  CREWAI_TRACING_ENABLED: 'false',
}

/**
 * A patient client makes its next call after the approval, so that no call waits while the person approves. An
 * impatient client makes its next call at once.
 */
const RUNS = [
  { client: 'crewai', transport: 'stdio' },
  { client: 'openai_agents', transport: 'stdio' },
  { client: 'openai_agents', transport: 'http' },
  { client: 'openai_agents', transport: 'stdio', isImpatient: true },
  { client: 'autogen', transport: 'stdio' },
  { client: 'langchain', transport: 'stdio' },
  { client: 'langchain', transport: 'http' },
  { client: 'mcp', transport: 'stdio' },
  { client: 'mcp', transport: 'http' },
]
/** The ways to pick up a payment. The first one pays 1, the second one pays 2. */
const WAYS = ['repeat', 'wait']

const [, , venvs, ...rest] = process.argv
const isShown = rest.includes('--show')
const wanted = rest.filter((name) => name !== '--show')
let passed = 0
let failed = 0

/** Prints the line of a scenario, with the first fault. */
function report(name, faults) {
  if (faults.length === 0) passed += 1
  else failed += 1
  console.log(faults.length === 0 ? `ok   ${name}` : `FAIL ${name}: ${faults[0]}`)
}

/** Runs the command line. */
const sudoagent = (...args) =>
  new Promise((done) => {
    execFile(process.execPath, [CLI, ...args], (error, stdout, stderr) =>
      done({ status: error?.code ?? 0, stdout, stderr }),
    )
  })

const pythonOf = (client) => join(resolve(venvs), client, 'bin/python')

/** One client, with a guard, a ledger and a server of its own. */
class Run {
  #folder = mkdtempSync(join(tmpdir(), 'mcp-client-'))
  #given
  #name
  /** The tool results of each way, in order. */
  #steps = { repeat: [], wait: [] }
  #faults = { repeat: [], wait: [] }
  #approved = { repeat: 0, wait: 0 }

  constructor(given) {
    this.#given = given
    this.#name = `${given.client} ${given.transport}${given.isImpatient ? ' impatient' : ''}`
    writeFileSync(this.#path('policy.yaml'), POLICY)
    writeFileSync(this.#path('paid.log'), '')
  }

  async check() {
    const guard = this.#given.transport === 'http' ? await this.#startGuard() : null
    const ended = await this.#runClient(guard).finally(() => guard?.stop())
    for (const way of WAYS) report(`${this.#name} ${way}`, this.#faultsOf(way))
    const exit =
      ended.code === 0 ? [] : [`exit ${ended.code}\n${ended.stderr.split('\n').slice(-ERROR_LINES).join('\n')}`]
    report(`${this.#name} ends`, exit)
    const { status, stdout } = await sudoagent('verify', this.#path('ledger.sqlite'), '--require-outcomes')
    report(`${this.#name} verify`, status === 0 ? [] : [`exit ${status}\n${stdout}`])
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #path(name) {
    return join(this.#folder, name)
  }

  #guardArguments(...options) {
    const files = ['--policy', this.#path('policy.yaml'), '--ledger', this.#path('ledger.sqlite')]
    const server = ['--', process.execPath, join(CLIENTS, 'pay_server.mjs'), this.#path('paid.log')]
    return [CLI, 'mcp', 'guard', ...files, '--server', 'bank', ...options, ...server]
  }

  async #startGuard() {
    const child = spawn(process.execPath, this.#guardArguments('--http', '127.0.0.1:0'), {
      env: { ...process.env, SUDOAGENT_MCP_TOKEN: TOKEN },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const exited = new Promise((done) => child.once('exit', done))
    const { value: line = '' } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next()
    const stop = async () => {
      child.kill('SIGTERM')
      await exited
    }
    return { url: line.replace(/^url +/, ''), stop }
  }

  async #runClient(guard) {
    const { client } = this.#given
    const target = guard === null ? ['stdio', process.execPath, ...this.#guardArguments()] : ['http', guard.url]
    const child = spawn(pythonOf(client), [join(CLIENTS, `${client}_client.py`), WAYS.join(','), ...target], {
      cwd: this.#folder,
      // Frameworks write files below the home folder.
      env: { ...process.env, ...QUIET, HOME: this.#folder, SUDOAGENT_MCP_TOKEN: TOKEN },
      timeout: CLIENT_TIMEOUT_MS,
    })
    // A client that has ended does not read.
    child.stdin.on('error', () => {})
    let stderr = ''
    child.stderr.on('data', (data) => {
      stderr += data
    })
    const exited = new Promise((done) => child.once('close', done))
    for await (const line of createInterface({ input: child.stdout })) {
      // Frameworks print lines of their own.
      if (!line.startsWith('{"way": ')) continue
      const step = JSON.parse(line)
      if (isShown || step.way === 'versions') console.log(`     ${this.#name}: ${isShown ? line : step.text}`)
      this.#steps[step.way]?.push(step)
      if (step.step === 'pending') await this.#answer(step, child)
    }
    return { code: await exited, stderr }
  }

  /** Lets the person approve, and the client go on. */
  async #answer({ way, seconds }, child) {
    if (this.#given.isImpatient) {
      const approved = delay(SLOW_PERSON_MS - seconds * 1_000).then(() => this.#approve(way))
      approved.catch((error) => this.#faults[way].push(error.message))
    } else {
      await delay(PERSON_MS)
      await this.#approve(way)
      await delay(PERSON_MS)
      if (this.#runsOf(way) > 0) this.#faults[way].push('the tool ran while no call waited')
    }
    child.stdin.write('go on\n')
  }

  /** Approves all pending calls, as a person does. */
  async #approve(way) {
    const store = this.#path('ledger.sqlite.approvals')
    const { stdout } = await sudoagent('approvals', 'list', store, '--state', 'pending', '--json')
    for (const { approval_id: id } of JSON.parse(stdout)) {
      const { status, stderr } = await sudoagent('approvals', 'approve', store, id, '--approver', 'alice', '--yes')
      if (status !== 0) this.#faults[way].push(`the approval failed: ${stderr}`)
      this.#approved[way] += 1
    }
  }

  /** Number of calls with the amount of this way that the server received. */
  #runsOf(way) {
    const lines = readFileSync(this.#path('paid.log'), 'utf8').split('\n').filter(Boolean)
    return lines.filter((line) => JSON.parse(line).params.arguments.amount === amountOf(way)).length
  }

  #faultsOf(way) {
    const steps = this.#steps[way]
    const [first, last] = [steps[0], steps.at(-1)]
    const ran = this.#runsOf(way)
    const faults = [...this.#faults[way]]
    if (ran !== 1) faults.push(`the tool ran ${ran} times`)
    if (first?.step !== 'pending') faults.push(`the first result is not "pending": ${first?.text}`)
    const other = steps.find(({ step }) => step === 'other')
    if (other !== undefined) faults.push(`the model was told: ${other.text}`)
    if (!last?.text.includes(`paid ${amountOf(way)}`)) faults.push(`the last result is not the payment: ${last?.text}`)
    if (this.#approved[way] !== 1) faults.push(`the person was asked ${this.#approved[way]} times`)
    return faults
  }
}

const amountOf = (way) => WAYS.indexOf(way) + 1

const isWanted = ({ client }) => wanted.length === 0 || wanted.includes(client)
const skipped = new Set(
  RUNS.filter(isWanted)
    .map(({ client }) => client)
    .filter((client) => !existsSync(pythonOf(client))),
)
for (const client of skipped) console.log(`SKIPPED: ${client} (not installed in ${join(venvs, client)})`)

const runs = RUNS.filter((each) => isWanted(each) && !skipped.has(each.client))
async function checkRuns() {
  for (let next = runs.shift(); next !== undefined; next = runs.shift()) await new Run(next).check()
}
await Promise.all(Array.from({ length: PARALLEL }, checkRuns))

console.log(`${passed} ok, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
