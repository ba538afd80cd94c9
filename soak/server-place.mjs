// A ledger, a budget and approvals on a separate PostgreSQL server, for the processes of a soak test. Faults:
// the server dies, sessions end, statements time out, locks block, and the connection breaks during a commit.

import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { serverHelpers, startServer } from '../bench/postgres-server.mjs'
import { PostgresLedger } from '../packages/postgres/dist/index.js'
import { schemaSql } from '../packages/postgres/dist/schema.js'

const STORES = fileURLToPath(new URL('../packages/postgres/test/fixtures/stores.mjs', import.meta.url))

/**
 * How long a writer waits for other writers, and then for the server's disk, in milliseconds. Some locks and outages
 * last longer.
 */
const [BUSY_TIMEOUT_MS, COMMIT_TIMEOUT_MS] = [1_500, 1_000]

/** Statement timeout in milliseconds: shorter than a wait for a lock, and sometimes shorter than a commit. */
const STATEMENT_TIMEOUT_MS = 15

/**
 * Messages that are lost, or whose answers are lost: a single writer's statement, the end of a transaction, a budget
 * charge.
 */
const MARKERS = ['sudoagent_write', 'COMMIT\0', 'sudoagent_budget']

const SESSIONS = "FROM pg_stat_activity WHERE application_name = 'sudoagent'"

export class ServerPlace {
  kind = 'postgres'
  processes = 4
  counts = {}
  /** Errors with which a worker may exit if it started while the server was down and could not connect in time. */
  refusals = /cannot be reached|LEDGER_BUSY|locked by another writer|within the statement timeout/
  maxStopMs = 4_000
  #server
  #way
  #ask
  #opened = false
  /** Faults that have not occurred yet in this round. */
  #round = []

  static async start(folder) {
    const { asSuperuser, BrokenWay } = await serverHelpers()
    const server = await startServer()
    await asSuperuser(server.url, schemaSql({ schema: 'sudoagent', roles: false }))
    // The test's own statements have no timeout.
    const patient = `${server.url}?options=${encodeURIComponent('-c statement_timeout=0')}`
    return new ServerPlace(folder, server, await BrokenWay.start(server.url), (sql) => asSuperuser(patient, sql))
  }

  constructor(folder, server, way, ask) {
    this.folder = folder
    this.ledger = `${server.url}?ledger=soak`
    this.#server = server
    this.#way = way
    this.#ask = ask
  }

  /** About half of the workers connect through the proxy that causes connection faults. */
  task(random) {
    const database = random() < 0.5 ? this.#server.url : this.#way.url(this.#server.url)
    const times = { busyTimeoutMs: BUSY_TIMEOUT_MS, commitTimeoutMs: COMMIT_TIMEOUT_MS }
    return { kind: 'postgres', folder: this.folder, stores: STORES, database, ledger: 'soak', ...times }
  }

  /**
   * Whether a writer has opened the ledger yet; the first writer may fail to connect. False while the server is down.
   */
  async isThere() {
    this.#opened ||= await this.#ask("SELECT name FROM sudoagent.ledger WHERE name = 'soak'").then(
      (rows) => rows.length > 0,
      () => false,
    )
    return this.#opened
  }

  /** Each kind of fault occurs once per round, in random order, so that even a short run has all of them. */
  async fault(random) {
    const faults = {
      'server killed': () => this.#die(() => this.#server.crash(), random),
      'server quit': () => this.#die(() => this.#server.quit(), random),
      'sessions ended': () => this.#endSessions(random() < 0.5 ? '' : 'ORDER BY random() LIMIT 1'),
      'statement timeouts': () => this.#hurry(random),
      'head locked': () => this.#lockHead(random),
      'way broken': () => this.#breakWay(random),
    }
    if (this.#round.length === 0) this.#round = Object.keys(faults)
    const [name] = this.#round.splice(Math.floor(random() * this.#round.length), 1)
    await delay(200 + random() * 800)
    await faults[name]()
    this.counts[name] = (this.counts[name] ?? 0) + 1
  }

  openWriter(signer) {
    return PostgresLedger.open(this.ledger, { signer })
  }

  /** The charged requests and the questions that a person approved. */
  async spent() {
    const charged = await this.#ask("SELECT request_id AS id FROM sudoagent.budget_charge WHERE state <> 'released'")
    const approved = await this.#ask("SELECT approval_id AS id FROM sudoagent.question WHERE state = 'approved'")
    const ids = (rows) => new Set(rows.map(({ id }) => id))
    return { charged: ids(charged), approved: ids(approved) }
  }

  /** @param keep - whether to keep the server's folder for inspection */
  async close(keep) {
    this.counts['messages lost'] = this.#way.struck
    await this.#way.close()
    if (keep) {
      await this.#server.quit()
      console.error(`the server's folder: ${this.#server.folder}`)
    } else await this.#server.stop()
  }

  /** Stops the server briefly, or for longer than a writer waits. */
  async #die(end, random) {
    await end()
    await delay(random() < 0.33 ? BUSY_TIMEOUT_MS + 500 : random() * 500)
    await this.#server.restart()
  }

  async #endSessions(which) {
    await this.#ask(`SELECT pg_terminate_backend(pid) FROM (SELECT pid ${SESSIONS} ${which}) AS chosen`)
  }

  /** Restarts every session. For a while, the new sessions have a timeout that is too short for some statements. */
  async #hurry(random) {
    const setting = 'ALTER DATABASE postgres'
    await this.#ask(`${setting} SET statement_timeout TO ${STATEMENT_TIMEOUT_MS}`)
    await this.#endSessions('')
    for (const untilMs = Date.now() + 300 + random() * 1_000; Date.now() < untilMs; await delay(20))
      await this.#holdHead(30)
    await this.#ask(`${setting} RESET statement_timeout`)
    await this.#endSessions('')
  }

  /** Holds the lock, one time in three for longer than a writer waits. */
  #lockHead(random) {
    return this.#holdHead(random() < 0.33 ? BUSY_TIMEOUT_MS + 300 : 200)
  }

  #holdHead(ms) {
    const hold = `SELECT FROM sudoagent.head FOR UPDATE; SELECT pg_sleep(${ms / 1_000})`
    return this.#ask(`BEGIN; ${hold}; COMMIT`)
  }

  /**
   * A message of each kind is dropped, delayed or delivered without its answer, or stalls the connection. Sometimes the
   * proxy also refuses connections for a while.
   */
  async #breakWay(random) {
    for (const marker of MARKERS) {
      const fault = ['drop', 'late', 'lose', 'stall'][Math.floor(random() * 4)]
      const away = random() < 0.3
      this.#way.arm(fault, marker, { lateMs: random() * 600, away })
      await delay(away ? BUSY_TIMEOUT_MS * random() * 2 : 300)
      this.#way.refuse(false)
    }
  }
}
