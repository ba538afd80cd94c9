// How a group of entries becomes durable, and how its writer finds out when the connection dies on the way.
//
//   alone    nobody else wrote since our last commit: one statement, which changes nothing if that is no longer so (size and epoch have moved)
//   locked   BEGIN, lock and read the head · link and sign · write · COMMIT
//   unknown  no answer to a write: on a new connection, behind the head's lock, look whether the entry is there, by its hash, and take the ledger
//            over (a new epoch), so that what is still under way can no longer be applied. Only then is the caller answered, or the group tried anew
import { setTimeout as delay } from 'node:timers/promises'
import { LedgerError } from '@sudoagent/ledger'
import type { AppendRequest, CommitPlan, LinkedEntry, Writer } from '@sudoagent/ledger/store'
import { advance, aheadOf, refuseWriter } from '@sudoagent/ledger/store'
import { DatabaseClock } from '../session/database-clock.js'
import { asLedgerError, isTransient } from '../session/failure.js'
import { ConnectionLost, Session } from '../session/session.js'
import { requireFsync, type SynchronousCommit } from '../session/session-settings.js'
import type { Target } from '../session/target.js'
import { controlLines, hashAt, requireEntry } from './lookup.js'
import { findOrMakeLedger } from './name.js'
import { type Known, knownBehind, lockHead, readState } from './rows.js'
import { writeQuery } from './statement.js'
import { tilesOf } from './tree.js'

export interface CommitOptions {
  readonly target: Target
  readonly name: string
  readonly writer: Writer
  /** Whether the writer's clock was given, and is not the database's. */
  readonly ownClock: boolean
  /** Tells this writer from others; it stands in the head. */
  readonly writerId: string
  readonly busyTimeoutMs: number
  readonly commitTimeoutMs: number
  readonly synchronousCommit: SynchronousCommit
}

/** So long after the head was read under its lock, it is read again, and with it the database's clock; so long after the last entry was, it is, too. */
const ALONE_MS_MAX = 1_000

/** Between two tries to reach a server that is away, or to repeat what it refused as transient, in milliseconds. */
const RETRY_PAUSE_MS = 50

/** What came of one try. `unknown`: the step may have been applied. */
type Attempt =
  | { readonly kind: 'done' | 'unknown'; readonly step: CommitPlan; readonly after: Known }
  | { readonly kind: 'moved' | 'again'; readonly error?: unknown }

export class LedgerCommit {
  readonly #options: CommitOptions
  readonly #clock = new DatabaseClock()
  readonly #writer: Writer
  #session: Session | null = null
  /** Its number in the database that we are connected to. */
  #ledger = 0
  /** As of the last commit of this writer, or the last look under the lock. What it says must never be gone. */
  #known: Known | null = null
  /** Whether nobody else has written since, as far as we know: then the next write needs no look before. */
  #isAlone = false
  /** Whether others had written when the head was last looked at: they are likely to do so again. */
  #othersWrote = false
  /** When the last entry was read as a whole on this connection, and not its hash alone. */
  #wholeAt = Number.NEGATIVE_INFINITY
  /** A look under the lock that `getReady` began. */
  #locking: { readonly session: Session; readonly known: Promise<Known> } | null = null

  constructor(options: CommitOptions) {
    this.#options = options
    this.#writer = options.ownClock ? options.writer : { ...options.writer, clock: () => this.#clock.now() }
  }

  /** Makes the ledger where it is missing, and looks whether this writer may write here at all. */
  async open(): Promise<void> {
    const { target } = this.#options
    const session = await this.#connect()
    try {
      const known = await this.#lockAndRead(session)
      await session.ask('ROLLBACK')
      refuseWriter(known.state.ring, this.#writer)
      this.#known = known
    } catch (error) {
      throw asLedgerError(error, target.shown, 'LEDGER_WRITE_FAILED')
    }
  }

  /** As `LedgerWriter.aheadMs`. */
  async aheadMs(): Promise<number> {
    const session = await this.#connect()
    const { state } = await this.#lockAndRead(session)
    await session.ask('ROLLBACK')
    return aheadOf(state.head.recordedAt, this.#writer)
  }

  /**
   * Before a group is taken: where others write too, the lock is waited for first, so that what arrives meanwhile goes with the group. What goes
   * wrong is for `run` to find.
   */
  async getReady(): Promise<void> {
    if (this.#mayWriteAlone()) return
    try {
      const session = await this.#connect()
      const locking = this.#lockAndRead(session)
      locking.catch(() => {})
      this.#locking = { session, known: locking }
      await locking
    } catch {
      // `run` meets it again.
    }
  }

  /** Makes a group durable, all of it or nothing. @throws LedgerError, or what the server said */
  async run(work: AppendRequest): Promise<readonly LinkedEntry[]> {
    const deadline = performance.now() + this.#options.busyTimeoutMs
    for (;;) {
      const attempt = await this.#attempt(work)
      if (attempt.kind === 'done') return this.#isDone(attempt)
      if (attempt.kind === 'unknown' && (await this.#isOnRecord(attempt, deadline))) return attempt.step.asked
      if (performance.now() >= deadline) throw this.#gaveUp(attempt)
      if (attempt.kind === 'again') await delay(RETRY_PAUSE_MS)
    }
  }

  async close(): Promise<void> {
    await this.#session?.close()
    this.#session = null
  }

  #isDone({ step, after }: { readonly step: CommitPlan; readonly after: Known }): readonly LinkedEntry[] {
    this.#known = after
    this.#isAlone = !this.#othersWrote
    return step.asked
  }

  #gaveUp(attempt: Attempt): unknown {
    if ('error' in attempt && attempt.error !== undefined) return attempt.error
    return new LedgerError('LEDGER_BUSY', `\`${this.#options.target.shown}\` is written by others without a pause`, {
      hint: 'try again',
    })
  }

  /** One try. Before the write is sent, a connection that dies is no more than a reason to try again. */
  async #attempt(work: AppendRequest): Promise<Attempt> {
    let session: Session
    try {
      session = await this.#connect()
    } catch (error) {
      // Away for now, full for now, or not the primary yet: a server that takes over needs its time.
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

  /** The state under the lock: from the look that `getReady` began, or a new one. */
  #lock(session: Session): Promise<Known> {
    const locking = this.#locking
    this.#locking = null
    return locking?.session === session ? locking.known : this.#lockAndRead(session)
  }

  async #writeAlone(work: AppendRequest, session: Session, known: Known): Promise<Attempt> {
    const step = await advance(work, known.state, this.#writer)
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
      const step = await advance(work, known.state, this.#writer)
      const epoch = known.epoch + 1
      const query = this.#queryOf(step, known, epoch)
      sent = { step, after: knownBehind(known, step, epoch) }
      if ((await session.writeAndCommit(query)) !== step.entries.length)
        throw new LedgerError('LEDGER_DAMAGED', `\`${this.#options.target.shown}\`: the head moved while it was locked`)
      return { kind: 'done', ...sent }
    } catch (error) {
      return this.#afterFailure(session, error, sent)
    }
  }

  #queryOf(step: CommitPlan, before: Known, epoch: number) {
    const { target, writerId } = this.#options
    const tiles = tilesOf(step)
    return writeQuery({ schema: target.schema, ledger: this.#ledger, before, step, tiles, epoch, writer: writerId })
  }

  /** Whether what failed has certainly not been applied. The server's own word counts, and only while it goes on answering. */
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
   * Finds out what became of a write that was not answered, and makes sure that nothing more becomes of it.
   *
   * @returns whether it is on record, and durable
   * @throws LedgerError LEDGER_WRITE_FAILED when it cannot be found out in time: the entry may be on record
   */
  async #isOnRecord(
    { step, after }: { readonly step: CommitPlan; readonly after: Known },
    deadline: number,
  ): Promise<boolean> {
    // Time of its own: a caller that waited long is owed an answer all the more.
    const until = Math.max(deadline, performance.now() + this.#options.busyTimeoutMs)
    const { target } = this.#options
    for (let last: unknown; ; await delay(RETRY_PAUSE_MS)) {
      try {
        const session = await this.#connect()
        const known = await this.#lockAndRead(session)
        const { size, entryHash } = step.state.head
        const found = (await hashAt(session, target, this.#ledger, size)) === entryHash
        const epoch = known.epoch + 1
        // A commit of our own behind it: when that is durable, on the standby too, then so is everything before.
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
      if (performance.now() >= until) {
        throw new LedgerError(
          'LEDGER_WRITE_FAILED',
          `\`${target.shown}\` went away over a commit, and it is not known whether the entry is on record`,
          {
            hint: 'look for the request with `sudoagent search` when the server is back',
            cause: last,
          },
        )
      }
    }
  }

  async #lockAndRead(session: Session): Promise<Known> {
    const { target } = this.#options
    const ledger = this.#ledger
    const seenAt = this.#known?.state.head.size ?? 0
    const now = performance.now()
    const isWhole = this.#known === null || now - this.#wholeAt >= ALONE_MS_MAX
    const locked = await lockHead(session, target, ledger, seenAt, isWhole)
    requireFsync(locked.row.fsync, this.#options.synchronousCommit, target)
    this.#clock.hear(locked.row.now_ms)
    this.#othersWrote = this.#known !== null && Number(locked.row.size) !== seenAt
    const lines = (positions: readonly number[]) => controlLines(session, target, ledger, positions)
    const known = await readState(locked, this.#known, lines, target.shown)
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
