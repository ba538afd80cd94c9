// Runs the processes that work on one ledger, and causes faults: kills, pauses, clock jumps, and the faults of the
// ledger's place. Keeps the results that workers reported to their callers, for comparison with the ledger at the
// end.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

// The worker of the crash tests, which makes guarded calls and records in a separate file which functions ran.
const WORKER = fileURLToPath(new URL('../packages/core/test/fixtures/worker.mjs', import.meta.url))

const HOUR_MS = 3_600_000

export class Crew {
  answers = []
  counts = { started: 0, killed: 0, stopped: 0, 'clock jumps': 0, 'could not open': 0 }
  /** The stderr of workers that exited without being killed, which must not happen. */
  deaths = []
  #place
  #task
  #random
  #workers = new Set()
  #next = 0

  constructor(place, task, random) {
    this.#place = place
    this.#task = task
    this.#random = random
  }

  /** Keeps workers busy, with faults in between, until the time is up, then kills the remaining workers. */
  async work(untilMs) {
    try {
      await Promise.all([this.#faultsOfWorkers(untilMs), this.#faultsOfPlace(untilMs)])
    } finally {
      for (const worker of this.#workers) worker.kill('SIGKILL')
      while (this.#workers.size > 0) await delay(20)
    }
  }

  #start() {
    const from = this.#next
    this.#next += 1_000_000
    // The clock jumps back, or slightly ahead. A large jump ahead would expire all other approvals.
    const jump = this.#random() < 0.25 ? [[from + 20, this.#random() < 0.5 ? -HOUR_MS : 30_000]] : []
    const task = {
      ...this.#task,
      ...this.#place.task(this.#random),
      from,
      lanes: 1 + Math.floor(this.#random() * 8),
      clockShifts: jump,
    }
    const worker = spawn(process.execPath, [WORKER, JSON.stringify(task)], { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#workers.add(worker)
    this.counts.started += 1
    if (jump.length > 0) this.counts['clock jumps'] += 1
    let errors = ''
    worker.stderr.on('data', (chunk) => (errors += chunk))
    worker.stdin.on('error', () => {})
    worker.stdin.write('go\n')
    createInterface({ input: worker.stdout }).on('line', (line) => {
      // A line that a kill cut off was not reported to a caller.
      const value = parsed(line)
      if (value !== null && typeof value === 'object') this.answers.push(value)
    })
    worker.on('close', (code) => {
      this.#workers.delete(worker)
      if (code === null) return
      if (this.#place.refusals.test(errors)) this.counts['could not open'] += 1
      else this.deaths.push(errors.split('\n').find((one) => /^\w*Error\b/.test(one)) ?? `exit ${code}`)
    })
  }

  async #faultsOfWorkers(untilMs) {
    while (Date.now() < untilMs) {
      while (this.#workers.size < this.#place.processes) this.#start()
      await delay(100 + this.#random() * 500)
      await this.#fault()
    }
  }

  async #fault() {
    const [worker] = [...this.#workers].sort(() => this.#random() - 0.5)
    if (worker === undefined) return
    const dice = this.#random()
    if (dice < 0.4) {
      worker.kill('SIGKILL')
      this.counts.killed += 1
    } else if (dice < 0.7) {
      worker.kill('SIGSTOP')
      this.counts.stopped += 1
      await delay(this.#random() * this.#place.maxStopMs)
      worker.kill('SIGCONT')
    }
  }

  /** Causes the faults of the place one after another, while the workers run. */
  async #faultsOfPlace(untilMs) {
    while (Date.now() < untilMs) await this.#place.fault(this.#random)
  }
}

function parsed(line) {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}
