// A ledger file with its budget and approvals, for the processes of a soak test, and the faults of such files.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { JsonlLedger } from '../packages/ledger/dist/store/jsonl/ledger.js'
import { SqliteLedger } from '../packages/ledger/dist/store/sqlite/ledger.js'

const Database = createRequire(new URL('../packages/ledger/package.json', import.meta.url))('better-sqlite3')

/** How long a writer waits for the ledger's lock, in milliseconds. Some locks are held longer. */
const BUSY_TIMEOUT_MS = 1_500

export class FilePlace {
  counts = {}
  /**
   * Errors with which a worker may exit: the system may not have released the last writer's lock on a JSONL file yet.
   */
  refusals = /LEDGER_LOCKED|LEDGER_BUSY|SQLITE_BUSY/
  maxStopMs = 1_200

  /** @param kind - `sqlite` or `jsonl` */
  constructor(kind, folder) {
    this.kind = kind
    this.folder = folder
    this.ledger = join(folder, `ledger.${kind}`)
    /** SQLite allows several writers, JSONL one. */
    this.processes = kind === 'sqlite' ? 3 : 1
    if (kind === 'sqlite') this.counts['locked out'] = 0
  }

  task() {
    return { kind: this.kind, folder: this.folder, busyTimeoutMs: BUSY_TIMEOUT_MS }
  }

  isThere() {
    return existsSync(this.ledger)
  }

  /** Holds the ledger's write lock, one time in three for longer than a writer waits. */
  async fault(random) {
    await delay(500 + random() * 2_000)
    if (this.kind !== 'sqlite' || !this.isThere()) return
    const db = new Database(this.ledger, { fileMustExist: true, timeout: 5_000 })
    try {
      db.exec('BEGIN IMMEDIATE')
      this.counts['locked out'] += 1
      await delay(random() < 0.33 ? BUSY_TIMEOUT_MS + 300 : 200)
    } catch {
      // The workers hold the lock, or have not created the file yet.
    } finally {
      db.close()
    }
  }

  openWriter(signer) {
    const open = this.kind === 'sqlite' ? SqliteLedger.open : JsonlLedger.open
    return open(this.ledger, { signer })
  }

  /** The charged requests and the questions that a person approved. */
  async spent() {
    return {
      charged: this.#column(
        'budget.sqlite',
        "SELECT request_id FROM sudoagent_budget_charge WHERE state <> 'released'",
      ),
      approved: this.#column('approvals.sqlite', "SELECT approval_id FROM sudoagent_question WHERE state = 'approved'"),
    }
  }

  async close() {}

  #column(name, sql) {
    const db = new Database(join(this.folder, name), { readonly: true })
    try {
      return new Set(db.prepare(sql).pluck().all())
    } finally {
      db.close()
    }
  }
}
