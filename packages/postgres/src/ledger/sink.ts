// Writes a copy of a ledger from another store. The head of an unfinished copy has no checkpoint, so that no writer
// continues the copy. A missing ledger is created in the transaction that writes the first entries, so that a copy
// that fails earlier leaves no ledger behind.
import { parseCheckpoint, parseNote } from '@sudoagent/crypto/note'
import { encodeFrontier } from '@sudoagent/crypto/tree'
import { LedgerError } from '@sudoagent/ledger'
import type { CopiedBatch, CopiedHead, LedgerSink } from '@sudoagent/ledger/copy'
import { encodeControls } from '@sudoagent/ledger/store'
import { asLedgerError } from '../session/failure.js'
import { Session } from '../session/session.js'
import { parseTarget, type Target } from '../session/target.js'
import { indexQuery, withoutTable } from './lookup.js'
import { findLedger, makeQuery } from './name.js'
import { openPostgresLedger } from './reader.js'
import { putQuery } from './statement.js'
import { tilesOf } from './tree.js'

const LOCK_TIMEOUT_MS = 10_000

/**
 * Opens the destination of a copy. A missing ledger is created with its first entries.
 *
 * @param url - `postgres://user@host/database?ledger=name`
 * @throws LedgerError like `PostgresLedger.open`
 */
export async function openPostgresSink(url: string): Promise<LedgerSink> {
  const target = parseTarget(url)
  if (target.ledger === null)
    throw new LedgerError('LEDGER_NOT_FOUND', `\`${target.shown}\` does not name a ledger`, {
      hint: 'add `?ledger=payments`',
    })
  const session = await openWriteSession(target)
  try {
    const there = await findLedger(session, target, target.ledger)
    return new PostgresSink(url, target, session, { name: target.ledger, there })
  } catch (error) {
    await session.close()
    throw asLedgerError(error, target.shown, 'LEDGER_WRITE_FAILED')
  }
}

/** Opens a connection that writes data other than entries. */
export function openWriteSession(target: Target, requireSchema = true): Promise<Session> {
  return Session.open({
    target,
    access: 'write',
    synchronousCommit: 'on',
    lockTimeoutMs: LOCK_TIMEOUT_MS,
    requireSchema,
  })
}

/**
 * Stores a cosigned checkpoint, unless a later checkpoint is already stored.
 *
 * @returns whether the checkpoint was stored
 */
export async function keepPostgresCosigned(url: string, note: string): Promise<boolean> {
  const target = parseTarget(url)
  const { size } = parseCheckpoint(parseNote(note).text)
  const session = await openWriteSession(target)
  try {
    const rows = await session.ask({
      text: `INSERT INTO ${target.schema}.cosigned (ledger, size, checkpoint) SELECT id, $2, $3 FROM ${target.schema}.ledger WHERE name = $1
        ON CONFLICT (ledger) DO UPDATE SET size = excluded.size, checkpoint = excluded.checkpoint WHERE cosigned.size <= excluded.size RETURNING 1`,
      values: [target.ledger ?? '', size, note],
    })
    return rows.length === 1
  } catch (error) {
    throw asLedgerError(error, target.shown, 'LEDGER_WRITE_FAILED')
  } finally {
    await session.close()
  }
}

interface LockedHead {
  readonly ledger: number
  readonly size: string
  readonly epoch: string
}

class PostgresSink implements LedgerSink {
  readonly name: string
  readonly needsHead = true
  readonly #url: string
  readonly #target: Target
  readonly #session: Session
  readonly #ledgerName: string
  /** Null until the ledger is created. */
  #ledger: number | null

  constructor(
    url: string,
    target: Target,
    session: Session,
    ledger: { readonly name: string; readonly there: number | null },
  ) {
    this.name = target.shown
    this.#url = url
    this.#target = target
    this.#session = session
    this.#ledgerName = ledger.name
    this.#ledger = ledger.there
  }

  async *lines(): AsyncGenerator<Uint8Array> {
    if (this.#ledger === null) return
    const reader = await openPostgresLedger(this.#url)
    try {
      for await (const batch of reader.batches()) for (const { bytes } of batch) yield bytes
    } finally {
      await reader.close()
    }
  }

  async write({ entries, nodes, before, after, controls, rows, questions }: CopiedBatch): Promise<void> {
    await this.#whole(async () => {
      const head = await this.#lockHead()
      if (head === undefined || Number(head.size) !== before.head.size) {
        throw new LedgerError('LEDGER_LOCKED', `\`${this.name}\` is being written by another process`, {
          hint: 'only one process can write a copy',
        })
      }
      const { ledger } = head
      const epoch = Number(head.epoch)
      const query = putQuery({
        schema: this.#target.schema,
        ledger,
        before: { size: before.head.size, entryHash: before.head.entryHash, controls: null, epoch },
        after: {
          size: after.head.size,
          entryHash: after.head.entryHash,
          recordedAt: after.head.recordedAt,
          frontier: encodeFrontier(after.frontier),
          controls: encodeControls(controls),
          checkpoint: null,
          epoch: epoch + 1,
        },
        writer: 'copy',
        entries: entries.map((entry) => ({ ...entry, line: Buffer.from(entry.line).toString() })),
        tiles: tilesOf({ entries, nodes }),
        questions,
      })
      if (rows.length > 0) await this.#session.ask(indexQuery(this.#target.schema, ledger, rows))
      if ((await this.#session.writeAndCommit(query)) !== entries.length)
        throw new Error('the head moved while it was locked')
      this.#ledger = ledger
    })
  }

  /** Begins the transaction of a batch, and creates a missing ledger in it. */
  async #lockHead(): Promise<LockedHead | undefined> {
    const { schema } = this.#target
    const text = `SELECT ledger, size, epoch FROM ${schema}.head WHERE ledger = (SELECT id FROM ${schema}.ledger WHERE name = $1) FOR UPDATE`
    const answers = await this.#session.askTogether(
      'BEGIN ISOLATION LEVEL READ COMMITTED',
      ...(this.#ledger === null ? [makeQuery(this.#target, this.#ledgerName)] : []),
      { text, values: [this.#ledgerName] },
    )
    return answers.at(-1)?.[0] as LockedHead | undefined
  }

  async seen(): Promise<void> {}

  async finish(head: CopiedHead | null, cosigned: string | null): Promise<void> {
    if (head === null) throw new TypeError('a copy in PostgreSQL needs a head')
    await this.#whole(async () => {
      const rows = await this.#session.ask({
        text: `UPDATE ${this.#target.schema}.head SET checkpoint = $2, epoch = epoch + 1, moved_at = clock_timestamp() WHERE ledger = $1 AND size = $3 RETURNING 1`,
        values: [this.#ledger, head.text, head.state.head.size],
      })
      if (rows.length === 1) return
      throw new LedgerError('LEDGER_DAMAGED', 'the head of the ledger is older than its entries', {
        hint: 'append one more entry with this release to update the head',
      })
    })
    if (cosigned !== null) await keepPostgresCosigned(this.#url, cosigned)
  }

  async close(): Promise<void> {
    await this.#session.close()
  }

  async #whole(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      await this.#session.isRefusal()
      throw withoutTable(error, this.#target) ?? asLedgerError(error, this.name, 'LEDGER_WRITE_FAILED')
    }
  }
}
