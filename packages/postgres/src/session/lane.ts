// Manages the connection of one store in a process. Groups of calls run one after another, and a lost connection is
// replaced for the next group. Calls that wait at the same time share one transaction.
import { LedgerError } from '@sudoagent/ledger'
import { isTransient } from './failure.js'
import { ConnectionLost, Session } from './session.js'
import type { SynchronousCommit } from './session-settings.js'
import type { Target } from './target.js'

export interface LaneOptions {
  readonly target: Target
  readonly lockTimeoutMs: number
  readonly synchronousCommit: SynchronousCommit
}

/** Maximum number of calls in one transaction, which limits how long it holds its locks. */
const GROUP_MAX = 256

/** Maximum number of attempts at a transaction that failed transiently or whose connection was lost before use. */
const TRIES_MAX = 3

/** A waiting call and its promise. */
interface Waiting<In, Out> {
  readonly call: In
  readonly resolve: (value: Out) => void
  readonly reject: (error: unknown) => void
}

/** Runs one transaction for a group of calls. The results are delivered after the commit. */
type Serve<In, Out> = (session: Session, calls: readonly In[]) => Promise<readonly (() => Out)[]>

/** Runs calls in groups, on one connection. */
export class Batcher<In, Out> {
  readonly #options: LaneOptions
  readonly #serve: Serve<In, Out>
  #session: Session | null = null
  #waiting: Waiting<In, Out>[] = []
  #running: Promise<void> | null = null
  #closed = false

  constructor(options: LaneOptions, serve: Serve<In, Out>) {
    this.#options = options
    this.#serve = serve
  }

  /** @throws LedgerError if the server cannot be used */
  async open(): Promise<void> {
    await this.#connect()
  }

  do(call: In): Promise<Out> {
    if (this.#closed) return Promise.reject(new LedgerError('LEDGER_CLOSED', 'the store is closed'))
    const done = new Promise<Out>((resolve, reject) => this.#waiting.push({ call, resolve, reject }))
    this.#running ??= this.#run()
    return done
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#running
    await this.#session?.close()
    this.#session = null
  }

  async #run(): Promise<void> {
    await null
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, GROUP_MAX)
      try {
        const answers = await this.#try(group.map(({ call }) => call))
        for (const [index, { resolve, reject }] of group.entries()) settle(answers[index], resolve, reject)
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    this.#running = null
  }

  async #try(calls: readonly In[]): Promise<readonly (() => Out)[]> {
    for (let tries = 1; ; tries += 1) {
      const isFresh = this.#session === null || this.#session.isLost
      const session = await this.#connect()
      try {
        return await this.#serve(session, calls)
      } catch (error) {
        const isRefusal = !(error instanceof ConnectionLost) && (await session.isRefusal())
        if (!isRefusal) session.abandon()
        // A connection lost before its use is replaced. A transaction whose connection was lost in progress is also
        // repeated: reserve, commit, release, create, resolve and lease give the same answer again. A repeated
        // `consume` answers "used already", which denies the call.
        const again = isRefusal ? isTransient(error) : !isFresh
        if (!again || tries >= TRIES_MAX) throw error
      }
    }
  }

  async #connect(): Promise<Session> {
    if (this.#session !== null && !this.#session.isLost) return this.#session
    this.#session = await Session.open({ ...this.#options, access: 'write', requireSchema: true })
    return this.#session
  }
}

function settle<Out>(
  answer: (() => Out) | undefined,
  resolve: (value: Out) => void,
  reject: (error: unknown) => void,
): void {
  try {
    if (answer === undefined) throw new Error('the batch returned no result for one of its requests')
    resolve(answer())
  } catch (error) {
    reject(error)
  }
}
