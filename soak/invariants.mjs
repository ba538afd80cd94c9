// Checks a ledger and its related files from outside: with the command line, with the Python verifier, and by
// counting.
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const CLI = fileURLToPath(new URL('../apps/cli/bin/sudoagent.cjs', import.meta.url))
const PYTHON = fileURLToPath(new URL('../interop/python/verify_ledger.py', import.meta.url))

/**
 * Number of signatures that the Python verifier checks. Its textbook implementation takes some milliseconds per
 * signature.
 */
const PYTHON_SIGNED_MAX = 1_500

/** Number of open calls that `inspect` lists, the oldest first. */
const OPEN_CALLS_LISTED = 10

/** The exit code of a command that could not complete. */
const COULD_NOT = 3

/** Runs a command to its end and returns its exit code. */
async function ended(command, args) {
  try {
    const { stdout, stderr } = await run(command, args, { maxBuffer: 512 * 1024 * 1024 })
    return { code: 0, stdout, stderr }
  } catch (error) {
    return { code: error.code, stdout: error.stdout ?? '', stderr: error.stderr ?? String(error) }
  }
}

const sudoagent = (...args) => ended(process.execPath, [CLI, ...args])

export class Invariants {
  violations = []
  counts = { 'verified while written': 0 }
  #place
  #ledger
  #keyFile
  #scarce
  #kept = null

  constructor(place, { keyFile, scarce }) {
    this.#place = place
    this.#ledger = place.ledger
    this.#keyFile = keyFile
    this.#scarce = scarce
  }

  #require(condition, what) {
    if (!condition) this.violations.push(`${this.#place.kind}: ${what}`)
  }

  /**
   * Runs while writers are active: verifies the ledger from the last verified entry, and keeps a current checkpoint
   * for later.
   */
  async duringWork() {
    if (!(await this.#place.isThere())) return
    const { folder } = this.#place
    const verified = await sudoagent(
      'verify',
      this.#ledger,
      '--public-key',
      this.#keyFile,
      '--state',
      join(folder, 'state'),
      '--json',
    )
    // If the server is unavailable, `verify` exits with 3 and reports nothing about the ledger.
    if (verified.code === COULD_NOT && verified.stdout === '' && this.#place.refusals.test(verified.stderr)) {
      this.counts['not readable while written'] = (this.counts['not readable while written'] ?? 0) + 1
      return
    }
    const report = reportIn(verified.stdout)
    // A writer may be in the middle of writing a line or its first entry. At the next check, the line is complete or
    // moved aside.
    const harmless = (report?.findings ?? []).every(
      ({ code }) => ['LINE_TORN', 'LEDGER_EMPTY'].includes(code) || report.entries === 0,
    )
    this.#require(
      verified.code === 0 || (report !== null && harmless),
      `verify while written: exit ${verified.code}: ${verified.stderr || verified.stdout.slice(0, 500)}`,
    )
    if (verified.code === 0) this.counts['verified while written'] += 1
    if (this.#kept !== null || (report?.entries ?? 0) < 20) return
    const checkpoint = join(folder, 'kept-checkpoint')
    const { code, stdout } = await sudoagent('checkpoint', this.#ledger)
    if (code !== 0) return
    writeFileSync(checkpoint, stdout)
    this.#kept = checkpoint
  }

  /** Runs after the last process has ended. */
  async atTheEnd(answers) {
    const anchored = this.#kept === null ? [] : ['--checkpoint', this.#kept]
    const verified = await sudoagent('verify', this.#ledger, '--public-key', this.#keyFile, ...anchored, '--json')
    const report = reportIn(verified.stdout)
    this.#require(
      verified.code === 0,
      `verify: exit ${verified.code}: ${verified.stderr}${JSON.stringify(report?.findings)}`,
    )
    if (report === null) return
    this.#require(report.verdict === (this.#kept === null ? 'signed' : 'anchored'), `the verdict is ${report.verdict}`)
    const entries = await this.#entries()
    this.#checkCalls(entries, answers, await this.#place.spent())
    await this.#checkOpen(entries, report)
    await this.#checkReceipts(entries)
    await this.#checkPython(report)
    Object.assign(this.counts, {
      entries: report.entries,
      decisions: report.decisions,
      outcomes: report.outcomes,
      open: report.open,
      ran: this.#ran().length,
    })
  }

  async #entries() {
    const file = join(this.#place.folder, 'export.ndjson')
    const { code, stderr } = await sudoagent('export', this.#ledger, '--format', 'ndjson', '--output', file)
    this.#require(code === 0, `export: ${stderr}`)
    return readFileSync(file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))
      .map((one) => one.entry ?? one)
  }

  #ran() {
    const notes = join(this.#place.folder, 'ran')
    return existsSync(notes) ? readFileSync(notes, 'utf8').split('\n').slice(0, -1) : []
  }

  /**
   * Compares the functions that ran, the recorded entries, the callers' results, the charges and the given approvals.
   */
  #checkCalls(entries, answers, { charged, approved }) {
    const decisions = new Map(
      entries.filter(({ event }) => event === 'decision').map((entry) => [entry.request_id, entry]),
    )
    const finished = new Set(entries.filter(({ event }) => event === 'outcome').map(({ request_id: id }) => id))
    const ran = new Set(this.#ran())
    const allowed = (id) => decisions.get(id)?.decision.effect === 'allow'
    const none = (what, ids) => this.#require(ids.length === 0, `${what}: ${ids.length}, the first ${ids[0]}`)
    this.#require(ran.size === this.#ran().length, 'a call ran twice')
    none(
      'ran without a durable decision',
      [...ran].filter((id) => !allowed(id)),
    )
    none(
      'an outcome of a call that did not run',
      [...finished].filter((id) => !ran.has(id)),
    )
    none(
      'acknowledged but not recorded',
      answers.filter(({ did, id }) => did === 'ran' && !(allowed(id) && ran.has(id))).map(({ id }) => id),
    )
    none(
      'refused but ran',
      answers.filter(({ did, id }) => did !== 'ran' && ran.has(id)).map(({ id }) => id),
    )
    const unrecorded = ({ did, id }) =>
      !['ran', 'AuditLogError'].includes(did) && decisions.get(id)?.decision.effect !== 'deny'
    none(
      'refused but the refusal is not recorded',
      answers.filter(unrecorded).map(({ id }) => id),
    )
    none(
      'ran without being charged',
      [...ran].filter((id) => !charged.has(id)),
    )
    const asked = new Set(
      entries.filter(({ checkpoint }) => checkpoint?.kind === 'asked').map(({ checkpoint: { request_id: id } }) => id),
    )
    // A kill may come before the store learns that the approval is used. The ledger takes no second decision.
    const byApproval = [...ran].filter((id) => decisions.get(id)?.approval)
    none(
      'ran under an approval that nobody gave',
      byApproval.filter((id) => !approved.has(id)),
    )
    none(
      'ran under an approval without a question in the ledger',
      byApproval.filter((id) => !asked.has(id)),
    )
    this.counts['ran under an approval'] = byApproval.length
    const scarce = [...ran].filter((id) => decisions.get(id)?.action === 'scarce').length
    this.#require(scarce <= this.#scarce, `${scarce} calls ran under a budget of ${this.#scarce}`)
  }

  /** The verifier must count the same open calls, and `inspect` must list the oldest of them. */
  async #checkOpen(entries, report) {
    const finished = new Set(entries.filter(({ event }) => event === 'outcome').map(({ request_id: id }) => id))
    const open = entries
      .filter(
        ({ event, decision, request_id: id }) =>
          event === 'decision' && decision.effect === 'allow' && !finished.has(id),
      )
      .map(({ request_id: id }) => id)
    this.#require(open.length === report.open, `${open.length} decisions without an outcome, ${report.open} counted`)
    const { stdout } = await sudoagent('inspect', this.#ledger, '--json')
    const listed = (reportIn(stdout)?.open_calls ?? []).map(({ request_id: id }) => id)
    this.#require(
      listed.length === Math.min(open.length, OPEN_CALLS_LISTED) && listed.every((id, n) => id === open[n]),
      `the open calls are ${open.slice(0, OPEN_CALLS_LISTED)}, but the listed ones are ${listed}`,
    )
  }

  async #checkReceipts(entries) {
    const { folder } = this.#place
    const finished = entries.filter(({ event }) => event === 'outcome').map(({ request_id: id }) => id)
    for (const id of [finished[0], finished[finished.length >> 1], finished.at(-1)].filter(
      (one) => one !== undefined,
    )) {
      const file = join(folder, `receipt-${id}.json`)
      const made = await sudoagent('receipt', this.#ledger, '--request-id', id, '--output', file)
      const checked = await sudoagent('receipt', 'verify', file, '--public-key', this.#keyFile)
      // If a writer was killed between an entry and its head, the entries after the last head have no proof yet.
      this.#require(
        made.code === 0 && checked.code === 0,
        `receipt of ${id}: ${made.stderr}${checked.stdout}${checked.stderr}`,
      )
    }
  }

  /** The ledger as a file: the file itself, or a copy of a ledger on a server. */
  async #file() {
    if (existsSync(this.#ledger)) return this.#ledger
    const file = join(this.#place.folder, 'copy.jsonl')
    const { code, stderr } = await sudoagent('copy', this.#ledger, file)
    this.#require(code === 0, `copy: ${stderr}`)
    return file
  }

  async #checkPython({ entries }) {
    const key = entries <= PYTHON_SIGNED_MAX ? [this.#keyFile] : []
    const file = await this.#file()
    const { code, stdout, stderr } = await ended('python3', [PYTHON, file, ...key])
    if (code === 'ENOENT') this.counts.python = 'not installed'
    else {
      this.#require(code === 0, `verify_ledger.py: ${stdout}${stderr}`)
      this.counts.python = key.length > 0 ? 'signed' : 'intact'
    }
  }
}

function reportIn(text) {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
