/**
 * One connection to the server.
 *
 * What the rest of the package relies on:
 *
 *     - a commit that was answered is durable: `synchronous_commit` is set in the session and checked (`session-settings.ts`)
 *     - the tables are ours and of our version: the catalogue is asked before any of them is read (`schema-check.ts`)
 *     - no object of another schema replaces one of ours: `search_path` is `pg_catalog` alone
 *     - a lost connection is a `ConnectionLost`, never an ordinary error of a statement: what was sent may have been applied
 *
 * A session connects when it is first used and again after it was lost; hosts of a URL are tried in order, and a writer
 * takes the first that accepts writes. `failure.ts` maps SQLSTATEs to the ledger's codes.
 */
import { withTimeout } from '@sudoagent/ledger/store'
import pg from 'pg'
import { asLedgerError } from './failure.js'
import { prepareSession, type SessionSettings } from './session-settings.js'
import type { Host } from './target.js'

export interface SessionOptions extends SessionSettings {
  /** For an answer, beyond the wait for a lock: a disk that is slow, a standby that has to confirm. */
  readonly commitTimeoutMs?: number
  /** Whether this host is the one: of several, an old primary that came back is passed over. */
  readonly accept?: (session: Session) => Promise<void>
}

/** A statement as pg takes it. The type is not pg's own: our declarations are read where the types of pg are not installed. */
export interface Statement {
  readonly name?: string
  readonly text: string
  readonly values?: readonly unknown[]
}

type Result<R extends object = object> = pg.QueryResultBase & { readonly rows: R[] }

/** For a connection to come about, name look-up and TLS included: beyond this a host counts as gone, and the next is tried. */
const CONNECT_TIMEOUT_MS = 5_000

/** For an answer, beyond the wait for a lock, unless told: far more than a disk takes, and less than a caller has. */
const COMMIT_TIMEOUT_MS = 5_000

/** SQLSTATE classes of warnings that say that a commit may not be what it seems: a wait for a standby that was called off. */
const DOUBTFUL = /^(?:01|57)/

/** The answer that did not come: what was asked may or may not have been done. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}

export class Session {
  readonly host: Host
  readonly #client: pg.Client
  readonly #answerMs: number
  /** What a failure is for whoever asked. A writer has to tell a refusal from a connection that died; a reader only has to say it. */
  readonly #asSaid: (error: unknown) => unknown
  #lost: Error | null = null
  #warned = false
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(
    client: pg.Client,
    host: Host,
    { target, access, lockTimeoutMs, commitTimeoutMs }: SessionOptions,
  ) {
    this.#client = client
    this.host = host
    this.#answerMs = lockTimeoutMs + (commitTimeoutMs ?? COMMIT_TIMEOUT_MS)
    this.#asSaid = (error) => (access === 'read' ? asLedgerError(error, target.shown, 'LEDGER_NOT_READABLE') : error)
    // Without a listener, a connection that dies between two queries would end the process.
    client.on('error', (error) => this.#lose(error))
    client.on('end', () => this.#lose(new Error('the server closed the connection')))
    client.on('notice', ({ code }) => {
      if (code !== undefined && DOUBTFUL.test(code)) this.#warned = true
    })
  }

  /**
   * Connects to the first host that serves.
   *
   * @throws LedgerError LEDGER_NOT_READABLE (a reader), LEDGER_WRITE_FAILED (a writer) when none can be reached, or as its settings ask for
   */
  static async open(options: SessionOptions): Promise<Session> {
    const { target, access } = options
    let failure: unknown
    for (const host of target.hosts) {
      try {
        return await openAt(host, options, (client) => new Session(client, host, options))
      } catch (error) {
        failure = error
      }
    }
    throw asLedgerError(failure, target.shown, access === 'read' ? 'LEDGER_NOT_READABLE' : 'LEDGER_WRITE_FAILED')
  }

  get isLost(): boolean {
    return this.#lost !== null
  }

  /** Asks; statements of one text without values are answered with the last one's rows, and `askAll` gives them all. */
  async ask<R extends object>(query: string | Statement): Promise<R[]> {
    return (await this.askAll<R>(query)).at(-1) ?? []
  }

  /**
   * @throws ConnectionLost when there is no answer; the server's own error when it refuses, after which its transaction is over; a reader's session
   * either as a LedgerError
   */
  async askAll<R extends object>(query: string | Statement): Promise<R[][]> {
    return ((await this.#answer<R>(query))[0] ?? []).map(({ rows }) => rows)
  }

  /**
   * Has a query done that keeps its answer itself, without waiting for what was asked before: the server works at the next while this process takes
   * in the last. For reading alone, since nothing is known of the others when one fails.
   *
   * @throws as `askAll`
   */
  async doAhead<Q extends object>(make: (done: (error: Error | undefined) => void) => Q): Promise<Q> {
    const asked = (): Promise<Q> =>
      new Promise((resolve, reject) => {
        const query = make((error) => (error ? reject(error) : resolve(query)))
        this.#client.query(query as Q & pg.Submittable)
      })
    return this.#withTimeout(asked).catch((error) => {
      throw this.#asSaid(error)
    })
  }

  /** Sends statements at once, and gives the rows of each. @throws as `askAll` */
  async askTogether(...queries: readonly (string | Statement)[]): Promise<readonly (readonly unknown[])[]> {
    return (await this.#answer(...queries)).map((results) => results.at(-1)?.rows ?? [])
  }

  /**
   * Has a statement done that is a transaction by itself.
   *
   * @returns how many rows it wrote
   * @throws ConnectionLost also when the server has doubts about the commit: then nobody knows yet
   */
  async write(query: Statement): Promise<number> {
    const [[result] = []] = await this.#answer(query)
    this.#requireUndoubted()
    return result?.rowCount ?? 0
  }

  /**
   * As `write`, and ends the transaction durably with it: both are sent at once, so that the locks of the transaction are held no longer than need
   * be.
   */
  async writeAndCommit(query: string | Statement): Promise<number> {
    const [[result], [commit]] = (await this.#answer(query, 'COMMIT')) as [Result[], Result[]]
    if (commit?.command !== 'COMMIT') throw new Error(`the server answered COMMIT with ${commit?.command}`)
    this.#requireUndoubted()
    return result?.rowCount ?? 0
  }

  /** Whether the server itself refused what failed: it answers, and nothing of the transaction is left. */
  async isRefusal(): Promise<boolean> {
    if (this.#lost !== null) return false
    try {
      await this.#answer('ROLLBACK')
      return true
    } catch {
      return false
    }
  }

  async close(): Promise<void> {
    if (this.#lost !== null) return
    await Promise.race([this.#client.end(), after(CONNECT_TIMEOUT_MS)]).catch(() => {})
    this.abandon()
  }

  /** Cuts the connection: nothing that it may still say is heard. */
  abandon(): void {
    this.#lose(new Error('given up'))
    socketOf(this.#client).destroy()
  }

  /** One after another: proofs read several nodes at a time. */
  #answer<R extends object>(...queries: readonly (string | Statement)[]): Promise<Result<R>[][]> {
    const answer = this.#turn.then(() => this.#answerNow<R>(queries))
    this.#turn = answer.catch(() => {})
    return answer.catch((error) => {
      throw this.#asSaid(error)
    })
  }

  async #answerNow<R extends object>(queries: readonly (string | Statement)[]): Promise<Result<R>[][]> {
    const ask = (query: string | Statement): Promise<unknown> => this.#client.query(query as pg.QueryConfig)
    const answers = await this.#withTimeout(() => Promise.allSettled(queries.map(ask)))
    return answers.map((answer) => {
      // The first that was refused: what came after it in the same transaction was refused because of it.
      if (answer.status === 'rejected') throw this.#asLost(answer.reason)
      // Several statements in one text have a result each.
      return (Array.isArray(answer.value) ? answer.value : [answer.value]) as Result<R>[]
    })
  }

  async #withTimeout<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#lost !== null) throw new ConnectionLost(this.#lost.message, { cause: this.#lost })
    this.#warned = false
    try {
      return await withTimeout(ask(), this.#answerMs, () => {
        this.abandon()
        return new ConnectionLost(`no answer within ${this.#answerMs} ms`)
      })
    } catch (error) {
      throw this.#asLost(error)
    }
  }

  /** Whatever fails on a connection that is gone fails because of it. */
  #asLost(error: unknown): unknown {
    if (this.#lost === null || error instanceof ConnectionLost) return error
    return new ConnectionLost(messageOf(error), { cause: error })
  }

  /** @throws ConnectionLost when the server warned about a commit */
  #requireUndoubted(): void {
    if (!this.#warned) return
    this.abandon()
    throw new ConnectionLost('the server gave up waiting for a standby')
  }

  #lose(error: Error): void {
    this.#lost ??= error
  }
}

async function openAt(host: Host, options: SessionOptions, make: (client: pg.Client) => Session): Promise<Session> {
  const { target } = options
  const client = new pg.Client({
    host: host.name,
    port: host.port,
    database: target.database,
    user: target.user,
    password: target.password,
    ssl: target.tls(host) || false,
    application_name: 'sudoagent',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    pipeline: true,
  })
  const session = make(client)
  try {
    await client.connect()
    await prepareSession(session, options)
    await options.accept?.(session)
    return session
  } catch (error) {
    session.abandon()
    throw error
  }
}

/** `pg` gives no public way to cut a connection at once. */
function socketOf(client: pg.Client): { destroy(): void } {
  return (client as unknown as { readonly connection: { readonly stream: { destroy(): void } } }).connection.stream
}

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref())

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
