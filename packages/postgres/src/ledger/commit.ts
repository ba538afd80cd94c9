// Commits a group of entries. If the connection is lost during a commit, determines whether the commit was applied.
//
//   alone    no other writer since the last commit: one statement, which changes nothing if size or epoch have moved
//   locked   BEGIN, lock and read the head; link and sign; write; COMMIT
//   unknown  no answer to a write: on a new connection, lock the head and raise the epoch, so that a delayed write
//            can no longer be applied; the entry's hash is then found, or the group is written again
//
//   append → write → connection lost → reconnect → entry found     → answered as durable
//                                                → entry not found → new epoch, written again
import { setTimeout as delay } from 'node:timers/promises'
import { LedgerError } from '@sudoagent/ledger'
import type { AppendRequest, CommitPlan, DraftResult, Writer } from '@sudoagent/ledger/store'
import { aheadOf, requireAuthorizedWriter } from '@sudoagent/ledger/store'
import { DatabaseClock } from '../session/database-clock.js'
import { asLedgerError, busy, isTransient, unknownCommit } from '../session/failure.js'
import { ConnectionLost, Session } from '../session/session.js'
import { requireFsync } from '../session/session-settings.js'
import type { Attempt, CommitOptions } from './commit-options.js'
import { addToIndex, controlReader, hashAt, requireEntry, takesQuestions } from './lookup.js'
import { findOrMakeLedger } from './name.js'
import { isAsking, RecordLoader } from './records.js'
import { type Known, knownBehind, lockHead, readState } from './rows.js'
import { writeQuery } from './statement.js'
import { tilesOf } from './tree.js'

/** How long the writer trusts the head and the last entry without reading them under the lock, in milliseconds. */
const ALONE_MS_MAX = 1_000

/** Pause between attempts to reach a server, or after a transient error, in milliseconds. */
const RETRY_PAUSE_MS = 50

export class LedgerCommit {
  readonly #options: CommitOptions
  readonly #clock = new DatabaseClock()
  readonly #writer: Writer
  #session: Session | null = null
  /** Number of the ledger in the connected database. */
  #ledger = 0
  /** The state after the last own commit or the last read under the lock. Its entries must still exist. */
  #known: Known | null = null
  /** Whether no other writer is known. The next write then skips the read under the lock. */
  #isAlone = false
  /** Whether the last read of the head found writes by other writers. */
  #othersWrote = false
  /** Whether the connected database has the table of open questions. */
  #takesQuestions = false
  /** Whether that read built the control index again. */
  #isIndexNew = false
  /** When this connection last read the complete last entry, not only its hash. */
  #wholeAt = Number.NEGATIVE_INFINITY
  /** A read under the lock that `getReady` started. */
  #locking: { readonly session: Session; readonly known: Promise<Known> } | null = null

  constructor(options: CommitOptions) {
    this.#options = options
    this.#writer = options.ownClock ? options.writer : { ...options.writer, clock: () => this.#clock.now() }
  }

  /** Creates the ledger if it does not exist, and checks that this writer can write to it. */
  async open(): Promise<void> {
    const { target } = this.#options
    const session = await this.#connect()
    try {
      const known = await this.#lockAndRead(session)
      // A commit may wait for a standby.
      await session.ask(this.#isIndexNew ? 'COMMIT' : 'ROLLBACK')
      requireAuthorizedWriter(known.state.ring, this.#writer)
      this.#known = known
    } catch (error) {
      throw asLedgerError(error, target.shown, 'LEDGER_WRITE_FAILED')
    }
  }

  /** See `LedgerWriter.aheadMs`. */
  async aheadMs(): Promise<number> {
    const session = await this.#connect()
    const { state } = await this.#lockAndRead(session)
    await session.ask('ROLLBACK')
    return aheadOf(state.head.recordedAt, this.#writer)
  }

  /** If there are other writers, waits for the lock early, so that the group can grow. `run` handles errors. */
  async getReady(): Promise<void> {
    if (this.#mayWriteAlone()) return
    try {
      const session = await this.#connect()
      const locking = this.#lockAndRead(session)
      locking.catch(() => {})
      this.#locking = { session, known: locking }
      await locking
    } catch {
      // `run` will encounter the error again.
    }
  }

  /** Commits a group: all entries or none. @throws LedgerError, or the server error */
  async run(work: AppendRequest): Promise<readonly DraftResult[]> {
    const deadline = performance.now() + this.#options.busyTimeoutMs
    for (;;) {
      const attempt = await this.#attempt(work)
      if (attempt.kind === 'done') return this.#isDone(attempt)
      if (attempt.kind === 'nothing') return attempt.step.results
      if (attempt.kind === 'unknown' && (await this.#isOnRecord(attempt, deadline))) return attempt.step.results
      if (performance.now() >= deadline)
        throw ('error' in attempt ? attempt.error : undefined) ?? busy(this.#options.target.shown)
      if (attempt.kind === 'again') await delay(RETRY_PAUSE_MS)
    }
  }

  async close(): Promise<void> {
    await this.#session?.close()
    this.#session = null
  }

  #isDone({ step, after }: { readonly step: CommitPlan; readonly after: Known }): readonly DraftResult[] {
    this.#known = after
    this.#isAlone = !this.#othersWrote
    return step.results
  }

  /** One attempt. A connection lost before the write was sent is safe to retry. */
  async #attempt(work: AppendRequest): Promise<Attempt> {
    let session: Session
    try {
      session = await this.#connect()
    } catch (error) {
      // The server may be restarting, may be out of connections, or may not be the primary yet after a failover.
      if (error instanceof LedgerError && ['LEDGER_WRITE_FAILED', 'LEDGER_BUSY'].includes(error.code))
        return { kind: 'again', error }
      throw error
    }
    const known = this.#known
    const isAlone = this.#locking === null && this.#mayWriteAlone()
    this.#isAlone = false
    return isAlone && known !== null ? this.#writeAlone(work, session, known) : this.#writeLocked(work, session)
  }

  #mayWriteAlone(): boolean {
    const isThere = this.#session !== null && !this.#session.isLost
    return isThere && this.#isAlone && this.#known !== null && this.#clock.silenceMs < ALONE_MS_MAX
  }

  /** The state under the lock, from `getReady` or from a new read. */
  #lock(session: Session): Promise<Known> {
    const locking = this.#locking
    this.#locking = null
    return locking?.session === session ? locking.known : this.#lockAndRead(session)
  }

  async #writeAlone(work: AppendRequest, session: Session, known: Known): Promise<Attempt> {
    const step = await this.#advance(work, session, known)
    // A refusal needs a look at the ledger, since another writer may have changed what it rests on. The control index
    // is written in a transaction.
    if (step.entries.length === 0 || step.rows.length > 0 || step.results.some((one) => one instanceof LedgerError))
      return { kind: 'moved' }
    const after = knownBehind(known, step, known.epoch)
    const query = this.#queryOf(step, known, known.epoch)
    try {
      const written = await session.write(query)
      return written === step.entries.length ? { kind: 'done', step, after } : { kind: 'moved' }
    } catch (error) {
      return this.#afterFailure(session, error, { step, after })
    }
  }

  async #writeLocked(work: AppendRequest, session: Session): Promise<Attempt> {
    let sent: { readonly step: CommitPlan; readonly after: Known } | null = null
    try {
      const known = await this.#lock(session)
      const step = await this.#advance(work, session, known)
      if (step.entries.length === 0) {
        await session.ask('ROLLBACK')
        this.#known = known
        return { kind: 'nothing', step }
      }
      const epoch = known.epoch + 1
      const query = this.#queryOf(step, known, epoch)
      if (step.rows.length > 0) await addToIndex(session, this.#options.target, this.#ledger, step.rows)
      sent = { step, after: knownBehind(known, step, epoch) }
      if ((await session.writeAndCommit(query)) !== step.entries.length)
        throw new LedgerError('LEDGER_DAMAGED', `\`${this.#options.target.shown}\`: the head moved while it was locked`)
      return { kind: 'done', ...sent }
    } catch (error) {
      return this.#afterFailure(session, error, sent)
    }
  }

  /** Reads entries of calls on the current connection. */
  async records(): Promise<RecordLoader> {
    return new RecordLoader(await this.#connect(), this.#options.target, this.#ledger)
  }

  async #advance(work: AppendRequest, session: Session, known: Known): Promise<CommitPlan> {
    const { target } = this.#options
    // The table may have been added since the connection was made.
    if (!this.#takesQuestions && isAsking(work)) this.#takesQuestions = await takesQuestions(session, target)
    const loader = new RecordLoader(session, target, this.#ledger)
    return await loader.advance(work, known, this.#writer, this.#takesQuestions)
  }

  #queryOf(step: CommitPlan, before: Known, epoch: number) {
    const { target, writerId } = this.#options
    const tiles = tilesOf(step)
    return writeQuery({ schema: target.schema, ledger: this.#ledger, before, step, tiles, epoch, writer: writerId })
  }

  /** Classifies a failure: a write was certainly not applied only if the server refused it and still answers. */
  async #afterFailure(
    session: Session,
    error: unknown,
    sent: { readonly step: CommitPlan; readonly after: Known } | null,
  ): Promise<Attempt> {
    const isRefusal = !(error instanceof ConnectionLost) && (await session.isRefusal())
    if (!isRefusal) session.abandon()
    if (sent !== null && !isRefusal) return { kind: 'unknown', ...sent }
    if (isTransient(error) || error instanceof ConnectionLost || session.isLost) {
      return { kind: 'again', error: asLedgerError(error, this.#options.target.shown, 'LEDGER_WRITE_FAILED') }
    }
    throw error
  }

  /**
   * Determines whether an unanswered write was applied, and prevents a delayed write from being applied later.
   *
   * @returns whether the entry is recorded and durable
   * @throws LedgerError LEDGER_WRITE_FAILED if the result remains unknown: the entry may have been recorded
   */
  async #isOnRecord(
    { step, after }: { readonly step: CommitPlan; readonly after: Known },
    deadline: number,
  ): Promise<boolean> {
    // A separate time limit: a caller that has already waited long still needs the result.
    const until = Math.max(deadline, performance.now() + this.#options.busyTimeoutMs)
    const { target } = this.#options
    for (let last: unknown; ; await delay(RETRY_PAUSE_MS)) {
      try {
        const session = await this.#connect()
        const known = await this.#lockAndRead(session)
        const { size, entryHash } = step.state.head
        const found = (await hashAt(session, target, this.#ledger, size)) === entryHash
        const epoch = known.epoch + 1
        // Once this commit is durable, so are all earlier commits of this writer, including on a standby.
        await session.writeAndCommit(
          `UPDATE ${target.schema}.head SET epoch = ${epoch}, writer = '${this.#options.writerId}' WHERE ledger = ${this.#ledger}`,
        )
        this.#known = { ...(found && known.state.head.size === size ? after : known), epoch }
        this.#isAlone = true
        return found
      } catch (error) {
        last = error
        if (!(await this.#session?.isRefusal())) this.#session?.abandon()
        if (error instanceof LedgerError && error.code === 'LEDGER_DAMAGED') throw error
      }
      if (performance.now() >= until) throw unknownCommit(target.shown, last)
    }
  }

  async #lockAndRead(session: Session): Promise<Known> {
    const { target } = this.#options
    const seenAt = this.#known?.state.head.size ?? 0
    const now = performance.now()
    const isWhole = this.#known === null || now - this.#wholeAt >= ALONE_MS_MAX
    const locked = await lockHead(session, target, this.#ledger, seenAt, isWhole, this.#takesQuestions)
    requireFsync(locked.row.fsync, this.#options.synchronousCommit, target)
    this.#clock.hear(locked.row.now_ms)
    this.#othersWrote = this.#known !== null && Number(locked.row.size) !== seenAt
    const control = controlReader(session, target, this.#ledger)
    const known = await readState(locked, this.#known, control, target.shown)
    this.#isIndexNew = control.isIndexNew
    if (isWhole) this.#wholeAt = now
    return known
  }

  async #connect(): Promise<Session> {
    if (this.#session !== null && !this.#session.isLost) return this.#session
    const { target, busyTimeoutMs, commitTimeoutMs, synchronousCommit, name } = this.#options
    this.#isAlone = false
    this.#wholeAt = Number.NEGATIVE_INFINITY
    const accept = async (session: Session): Promise<void> => {
      const ledger = await findOrMakeLedger(session, target, name)
      if (this.#known !== null) await requireEntry(session, target, ledger, this.#known)
      this.#ledger = ledger
      this.#takesQuestions = await takesQuestions(session, target)
    }
    const session = await Session.open({
      target,
      access: 'write',
      synchronousCommit,
      lockTimeoutMs: busyTimeoutMs,
      commitTimeoutMs,
      requireSchema: true,
      accept,
    })
    this.#session = session
    return session
  }
}
