// File destinations for `copyLedger`: SQLite, or JSONL with its head and tree files.
import { closeSync, fdatasyncSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { parseCheckpoint, parseNote } from '@sudoagent/crypto/note'
import { encodeFrontier } from '@sudoagent/crypto/tree'
import Database from 'better-sqlite3'
import type { StoredLine } from '../entry/stored-line.js'
import { LedgerError } from '../error.js'
import { asLedgerError, isRegularFile, syncFolderOf } from '../file.js'
import type { CopiedBatch, CopiedHead, LedgerSink } from '../write/copy-ledger.js'
import { encodeControls } from '../write/head-controls.js'
import { inspectJsonl } from './jsonl/file.js'
import { lockFile } from './jsonl/lock.js'
import { openJsonlReader } from './jsonl/reader.js'
import { beside, writeSideFile } from './jsonl/side-file.js'
import { TreeFile } from './jsonl/tree-file.js'
import { recognise } from './open.js'
import { CallWriter } from './sqlite/call-index.js'
import { ControlIndex } from './sqlite/control-index.js'
import { claimFile, createTables, requireSoundLedgerFile, setDurable } from './sqlite/open.js'
import { OpenQuestions } from './sqlite/open-questions.js'
import { openSqliteReader } from './sqlite/reader.js'
import { TileWriter, tilesCompleted } from './sqlite/tiles.js'

const BUSY_TIMEOUT_MS = 10_000

/**
 * Opens the destination file, or creates it with mode 0600.
 *
 * @param kind - format of a new file
 * @throws LedgerError LEDGER_NOT_A_LEDGER (the existing file has a different format and is left unchanged),
 * LEDGER_LOCKED; file system errors
 */
export function openFileSink(path: string, kind: 'sqlite' | 'jsonl'): LedgerSink {
  try {
    const found = isRegularFile(path) ? recognise(path) : kind
    return found === 'sqlite' ? new SqliteSink(path) : new JsonlSink(path)
  } catch (error) {
    throw asLedgerError(error, path)
  }
}

class SqliteSink implements LedgerSink {
  readonly needsHead = false
  readonly name: string
  readonly #db: Database.Database
  readonly #tiles: TileWriter
  readonly #calls: CallWriter
  readonly #index: ControlIndex
  readonly #questions: OpenQuestions

  constructor(path: string) {
    this.name = path
    claimFile(path)
    requireSoundLedgerFile(path)
    this.#db = new Database(path, { timeout: BUSY_TIMEOUT_MS })
    try {
      this.#db.pragma('trusted_schema = OFF')
      setDurable(this.#db, path)
      createTables(this.#db, path)
      this.#tiles = new TileWriter(this.#db)
      this.#calls = new CallWriter(this.#db)
      this.#index = new ControlIndex(this.#db)
      this.#questions = new OpenQuestions(this.#db)
    } catch (error) {
      this.#db.close()
      throw error
    }
  }

  async *lines(): AsyncGenerator<Uint8Array> {
    yield* linesOf(openSqliteReader(this.name))
  }

  async write({ entries, nodes, rows, questions }: CopiedBatch): Promise<void> {
    this.#whole(() => {
      const put = this.#db.prepare(
        'INSERT INTO ledger (id, entry_json, entry_hash, prev_entry_hash) VALUES (?, ?, ?, ?)',
      )
      requireSize(
        this.name,
        Number(this.#db.prepare('SELECT coalesce(max(id), 0) FROM ledger NOT INDEXED').pluck().get()),
        entries,
      )
      for (const { position, line, entryHash, prevEntryHash } of entries)
        put.run(position, Buffer.from(line).toString(), entryHash, prevEntryHash)
      this.#tiles.write(nodes)
      for (const tile of tilesCompleted(nodes)) this.#calls.write(tile)
      this.#index.add(rows)
      this.#questions.apply(questions)
    })
  }

  async seen(): Promise<void> {}

  async finish(head: CopiedHead | null, cosigned: string | null): Promise<void> {
    this.#whole(() => {
      if (head !== null) {
        const { state, controls, text } = head
        this.#db
          .prepare(
            'INSERT OR REPLACE INTO sudoagent_head (id, size, entry_hash, frontier, controls, checkpoint) VALUES (1, ?, ?, ?, ?, ?)',
          )
          .run(state.head.size, state.head.entryHash, encodeFrontier(state.frontier), encodeControls(controls), text)
      }
      if (cosigned !== null)
        this.#db
          .prepare('INSERT OR REPLACE INTO sudoagent_cosigned (id, size, checkpoint) VALUES (1, ?, ?)')
          .run(parseCheckpoint(parseNote(cosigned).text).size, cosigned)
    })
  }

  async close(): Promise<void> {
    this.#db.close()
  }

  #whole(work: () => void): void {
    try {
      this.#db.transaction(work).immediate()
    } catch (error) {
      throw asLedgerError(error, this.name)
    }
  }
}

class JsonlSink implements LedgerSink {
  readonly needsHead = false
  readonly name: string
  readonly #fd: number
  readonly #unlock: () => void
  readonly #tree: TreeFile
  #size: number
  #lines: number

  constructor(path: string) {
    this.name = path
    const isNew = !isRegularFile(path)
    this.#fd = openSync(path, isNew ? 'wx+' : 'r+', 0o600)
    if (isNew) syncFolderOf(path)
    let unlock = (): void => {}
    try {
      unlock = lockFile(path)
      const { lines, end } = inspectJsonl(this.#fd, path)
      this.#lines = lines
      this.#size = end
      this.#tree = TreeFile.openOrCreate(beside(path, 'tree'))
      this.#unlock = unlock
    } catch (error) {
      unlock()
      closeSync(this.#fd)
      throw error
    }
  }

  async *lines(): AsyncGenerator<Uint8Array> {
    if (this.#lines > 0) yield* linesOf(await openJsonlReader(this.name))
  }

  async write({ entries, nodes, before }: CopiedBatch): Promise<void> {
    try {
      requireSize(this.name, this.#lines, entries)
      const bytes = Buffer.concat(entries.flatMap(({ line }) => [line, LF]))
      // Removes an incomplete line that an interrupted copy left.
      ftruncateSync(this.#fd, this.#size)
      for (let done = 0; done < bytes.length; )
        done += writeSync(this.#fd, bytes, done, bytes.length - done, this.#size + done)
      fdatasyncSync(this.#fd)
      this.#tree.write(before.head.size, nodes)
      this.#size += bytes.length
      this.#lines += entries.length
    } catch (error) {
      throw asLedgerError(error, this.name)
    }
  }

  async seen({ before, nodes }: CopiedBatch): Promise<void> {
    this.#tree.write(before.head.size, nodes)
  }

  async finish(head: CopiedHead | null, cosigned: string | null): Promise<void> {
    if (head !== null) writeSideFile(beside(this.name, 'head'), head.text)
    if (cosigned !== null) writeSideFile(beside(this.name, 'cosigned'), cosigned)
    syncFolderOf(this.name)
  }

  async close(): Promise<void> {
    this.#tree.close()
    closeSync(this.#fd)
    this.#unlock()
  }
}

const LF = Buffer.from('\n')

interface BatchReader {
  batches(): AsyncIterable<readonly StoredLine[]>
  close(): Promise<void>
}

/** Only complete lines are read: a torn last line was never acknowledged. */
async function* linesOf(reader: BatchReader): AsyncGenerator<Uint8Array> {
  try {
    for await (const batch of reader.batches())
      for (const { bytes, fault } of batch) if (fault !== 'LINE_TORN') yield bytes
  } finally {
    await reader.close()
  }
}

function requireSize(name: string, size: number, entries: CopiedBatch['entries']): void {
  if (size + 1 === entries[0]?.position) return
  throw new LedgerError('LEDGER_LOCKED', `\`${name}\` has another writer`, {
    hint: 'only one process can write to a copy',
  })
}
