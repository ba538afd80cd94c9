/**
 * Implements one connection to the server. The rest of the package relies on these properties:
 *
 *   - an acknowledged commit is durable: `synchronous_commit` is set in the session and checked (`session-settings.ts`)
 *   - the tables are the expected ones: the catalogue is checked before any table is read (`schema-check.ts`)
 *   - no object in a different schema can replace an expected object: `search_path` is only `pg_catalog`
 *   - a lost connection is a `ConnectionLost`, never an ordinary error: the statement may have been applied
 *
 * A session connects on first use, and reconnects after the connection was lost. It tries the hosts in the URL in
 * order; a writer uses the first host that accepts writes. `failure.ts` maps SQLSTATEs to ledger error codes.
 *
 *   const session = await Session.open({ target: parseTarget(url), … })
 *   await session.ask('SELECT …')          rows, or an error of the server
 *   await session.write(statement)         number of rows; ConnectionLost if the result is unknown
 */
import { withTimeout } from '@sudoagent/ledger/store'
import pg from 'pg'
import { asLedgerError } from './failure.js'
import { prepareSession, type SessionSettings } from './session-settings.js'
import type { Host } from './target.js'

export interface SessionOptions extends SessionSettings {
  /** Additional time limit for an answer after the wait for a lock, in milliseconds: for a slow disk or a standby. */
  readonly commitTimeoutMs?: number
  /** Rejects a host that must not be used, such as an old primary that came back. */
  readonly accept?: (session: Session) => Promise<void>
}

/**
 * A statement for `pg`. The package does not use the type from `pg`, so that its declarations do not depend on the
 * types of `pg`.
 */
export interface Statement {
  readonly name?: string
  readonly text: string
  readonly values?: readonly unknown[]
}

type Result<R extends object = object> = pg.QueryResultBase & { readonly rows: R[] }

/**
 * Time limit for connecting, including name resolution and TLS, in milliseconds. After a timeout, the session tries
 * the next host.
 */
const CONNECT_TIMEOUT_MS = 5_000

/**
 * Default for the additional time limit for an answer, in milliseconds: more than a disk needs, and less than a
 * caller waits.
 */
const COMMIT_TIMEOUT_MS = 5_000

/** SQLSTATE classes of warnings that put a commit in doubt, such as a cancelled wait for a standby. */
const DOUBTFUL = /^(?:01|57)/

/** The server did not answer. The statement may or may not have been applied. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}

export class Session {
  readonly host: Host
  readonly #client: pg.Client
  readonly #answerMs: number
  /**
   * Converts an error for the caller. A writer must distinguish a server error from a lost connection; a reader
   * only reports the error.
   */
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
    // Without this listener, a connection that is lost between queries would end the process.
    client.on('error', (error) => this.#lose(error))
    client.on('end', () => this.#lose(new Error('the server closed the connection')))
    client.on('notice', ({ code }) => {
      if (code !== undefined && DOUBTFUL.test(code)) this.#warned = true
    })
  }

  /**
   * Connects to the first usable host.
   *
   * @throws LedgerError LEDGER_NOT_READABLE (reader) or LEDGER_WRITE_FAILED (writer) if no host can be reached or
   *   has the required settings
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

  /**
   * Executes a query. For several statements in one text, returns the rows of the last statement; `askAll` returns
   * all rows.
   */
  async ask<R extends object>(query: string | Statement): Promise<R[]> {
    return (await this.askAll<R>(query)).at(-1) ?? []
  }

  /**
   * @throws ConnectionLost if the server did not answer; otherwise the server error, after which the transaction has
   *   ended. A reader's session throws a LedgerError in both cases
   */
  async askAll<R extends object>(query: string | Statement): Promise<R[][]> {
    return ((await this.#answer<R>(query))[0] ?? []).map(({ rows }) => rows)
  }

  /**
   * Executes a query that stores its own result, without waiting for earlier queries. The server processes the next
   * query while this process reads the previous result. Use it only for reading, because a failure affects the
   * other queries.
   *
   * @throws like `askAll`
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

  /** Sends statements together. @returns the rows of each statement @throws like `askAll` */
  async askTogether(...queries: readonly (string | Statement)[]): Promise<readonly (readonly unknown[])[]> {
    return (await this.#answer(...queries)).map((results) => results.at(-1)?.rows ?? [])
  }

  /**
   * Executes a statement as a transaction of its own.
   *
   * @returns the number of rows written
   * @throws ConnectionLost even if the server only warns about the commit, because the result is then unknown
   */
  async write(query: Statement): Promise<number> {
    const [[result] = []] = await this.#answer(query)
    this.#requireUndoubted()
    return result?.rowCount ?? 0
  }

  /**
   * Like `write`, and also commits the transaction. Statement and COMMIT are sent together, so that the locks are
   * held as briefly as possible.
   */
  async writeAndCommit(query: string | Statement): Promise<number> {
    const [[result], [commit]] = (await this.#answer(query, 'COMMIT')) as [Result[], Result[]]
    if (commit?.command !== 'COMMIT') throw new Error(`the server answered COMMIT with ${commit?.command}`)
    this.#requireUndoubted()
    return result?.rowCount ?? 0
  }

  /** Whether the server itself rejected the statement: the server still answers, and the transaction is rolled back. */
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

  /** Closes the connection immediately; further answers are ignored. */
  abandon(): void {
    this.#lose(new Error('connection abandoned'))
    socketOf(this.#client).destroy()
  }

  /** Runs queries one after another, because a proof requests several tree nodes at the same time. */
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
      // Only the first failure is reported, because it made the later statements in the transaction fail.
      if (answer.status === 'rejected') throw this.#asLost(answer.reason)
      // For several statements in one text, each statement returns a result.
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

  /** Every error on a lost connection becomes ConnectionLost. */
  #asLost(error: unknown): unknown {
    if (this.#lost === null || error instanceof ConnectionLost) return error
    return new ConnectionLost(messageOf(error), { cause: error })
  }

  /** @throws ConnectionLost if the server warned about the commit */
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

/** `pg` has no public method to close a connection immediately. */
function socketOf(client: pg.Client): { destroy(): void } {
  return (client as unknown as { readonly connection: { readonly stream: { destroy(): void } } }).connection.stream
}

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref())

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
