// The processes that work on one ledger, and what happens to them: killed, stopped for a while, with a clock that jumps, locked out. Whatever a worker
// has told its callers is kept; it is what the ledger must answer for in the end.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

// The same worker as in the tests of crashes: it makes guarded calls, and notes in a file of its own which functions ran.
const WORKER = fileURLToPath(new URL('../packages/core/test/fixtures/worker.mjs', import.meta.url))
const Database = createRequire(new URL('../packages/ledger/package.json', import.meta.url))('better-sqlite3')

/** How long a writer waits for the ledger's lock, in milliseconds; some locks are held for longer. */
const BUSY_TIMEOUT_MS = 1_500
const HOUR_MS = 3_600_000

export class Crew {
  answers = []
  counts = { started: 0, killed: 0, stopped: 0, 'locked out': 0, 'clock jumps': 0, 'lock refused': 0 }
  /** What a worker said on stderr before it ended by itself: nothing that should happen. */
  deaths = []
  #task
  #random
  #workers = new Set()
  #next = 0

  constructor(task, random) {
    this.#task = task
    this.#random = random
  }

  /** Keeps so many workers busy, with faults in between, until the time is up; then kills those that are left. */
  async work(processes, untilMs) {
    while (Date.now() < untilMs) {
      while (this.#workers.size < processes) this.#start()
      await delay(100 + this.#random() * 500)
      await this.#fault()
    }
    for (const worker of this.#workers) worker.kill('SIGKILL')
    while (this.#workers.size > 0) await delay(20)
  }

  #start() {
    const from = this.#next
    this.#next += 1_000_000
    // Behind the ledger, or a little before it; never far before it, for then the approvals of all others would be over.
    const jump = this.#random() < 0.25 ? [[from + 20, this.#random() < 0.5 ? -HOUR_MS : 30_000]] : []
    const task = {
      ...this.#task,
      from,
      lanes: 1 + Math.floor(this.#random() * 8),
      clockShifts: jump,
      busyTimeoutMs: BUSY_TIMEOUT_MS,
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
      // A line that was cut off by a kill is one that nobody was told.
      const value = parsed(line)
      if (value !== null && typeof value === 'object') this.answers.push(value)
    })
    worker.on('close', (code) => {
      this.#workers.delete(worker)
      if (code === null) return
      // The next writer of a JSONL file may be there before the system has let go of the lock of the last one; so may one of a locked database.
      if (/LEDGER_LOCKED|LEDGER_BUSY|SQLITE_BUSY/.test(errors)) this.counts['lock refused'] += 1
      else this.deaths.push(errors.split('\n').find((one) => one.includes('Error')) ?? `exit ${code}`)
    })
  }

  async #fault() {
    const [worker] = [...this.#workers].sort(() => this.#random() - 0.5)
    if (worker === undefined) return
    const dice = this.#random()
    if (dice < 0.35) {
      worker.kill('SIGKILL')
      this.counts.killed += 1
    } else if (dice < 0.6) {
      worker.kill('SIGSTOP')
      this.counts.stopped += 1
      await delay(this.#random() * 1_200)
      worker.kill('SIGCONT')
    } else if (dice < 0.8 && this.#task.kind === 'sqlite') await this.#lockOut()
  }

  /** Holds the ledger's write lock, one time in three for longer than anybody waits. */
  async #lockOut() {
    const db = new Database(`${this.#task.folder}/ledger.sqlite`, { fileMustExist: true, timeout: 5_000 })
    try {
      db.exec('BEGIN IMMEDIATE')
      this.counts['locked out'] += 1
      await delay(this.#random() < 0.33 ? BUSY_TIMEOUT_MS + 300 : 200)
    } catch {
      // The workers are quicker, or have not made it yet.
    } finally {
      db.close()
    }
  }
}

function parsed(line) {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}
