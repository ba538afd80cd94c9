// The JSONL store: a file with one canonical entry on each line, terminated by LF. Ordinary tools can read the file,
// and only one writer can open it at a time. Next to the file are `<path>.head`, the latest checkpoint, and
// `<path>.tree`, the tree nodes.
//
// An entry is durable before the head that covers it, so a crash between the two writes leaves entries that the head
// does not cover; the next writer recovers these entries. Only the first head, which covers the genesis alone, is
// written before its entry. If a signed ledger has entries but no head, the head was therefore removed.
//
// A crash can interrupt the last write. The bytes after the last LF were never acknowledged. When a writer opens the
// ledger, these bytes are moved to `<path>.torn-<offset>`, and the next entry follows the last complete line.
import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import type { Hash } from '@sudoagent/crypto'
import { EMPTY_FRONTIER } from '@sudoagent/crypto/tree'
import { LedgerError } from '../../error.js'
import { asLedgerError, codeOf, FileIdentity, isFatal, isRegularFile, syncFolderOf } from '../../file.js'
import { ownFields } from '../../own-fields.js'
import type { OpenQuestionFilter } from '../../port/writer.js'
import { grow } from '../../tree/grow.js'
import {
  type AppendRequest,
  advance,
  aheadOf,
  type CommitPlan,
  headOf,
  type LogState,
  requireAuthorizedWriter,
  type Writer,
  type WriterOptions,
  writerOf,
} from '../../write/advance.js'
import { readTail } from '../../write/last-entry.js'
import type { DraftResult } from '../../write/link-batch.js'
import { StoreWriter } from '../../write/store-writer.js'
import { CallBook, type PlacedLine } from '../call-book.js'
import { warnOfOtherWriters } from '../file-mode.js'
import { inspectJsonl, linesOf, moveTornTailAside, type TornTail } from './file.js'
import { lockFile } from './lock.js'
import { beside, readSideFile, writeSideFile } from './side-file.js'
import { readJsonlState } from './state.js'
import { TreeFile } from './tree-file.js'

export type JsonlLedgerOptions = WriterOptions

export type { TornTail }

/**
 * An append-only ledger in a JSONL file. The file is created with mode 0600 if it does not exist.
 *
 * @example
 * const ledger = JsonlLedger.open('ledger.jsonl')
 * if (ledger.tornTail !== null) console.warn(`a torn line was moved to ${ledger.tornTail.movedTo}`)
 */
export class JsonlLedger extends StoreWriter {
  /** The torn line that was moved when the ledger was opened; null if there was no torn line. */
  readonly tornTail: TornTail | null
  readonly #path: string
  readonly #fd: number
  readonly #unlock: () => void
  readonly #identity: FileIdentity
  readonly #tree: TreeFile
  readonly #headPath: string
  readonly #calls: CallBook
  #state: LogState
  #size: number

  private constructor(path: string, fd: number, unlock: () => void, writer: Writer) {
    super(writer)
    this.#path = path
    this.#fd = fd
    this.#unlock = unlock
    this.#identity = new FileIdentity(path, { fd })
    const { lines, end, lastLine } = inspectJsonl(fd, path)
    if (lastLine !== null) readTail(lastLine, path)
    this.#headPath = beside(path, 'head')
    this.#tree = TreeFile.openOrCreate(beside(path, 'tree'))
    try {
      this.#calls = new CallBook(() => placedLines(fd))
      const place = { fd, path, lines, tree: this.#tree, calls: this.#calls }
      this.#state = readJsonlState(place, readSideFile(this.#headPath))
      requireAuthorizedWriter(this.#state.ring, this.writer)
      // The torn line is moved only after the complete lines have been checked to be a ledger.
      this.tornTail = moveTornTailAside(fd, path, end)
    } catch (error) {
      this.#tree.close()
      throw error
    }
    this.#size = end
  }

  /**
   * @throws LedgerError LEDGER_LOCKED (the ledger has another writer), LEDGER_NOT_A_LEDGER, LEDGER_DAMAGED (entries,
   * tree and head do not match), KEY_REFUSED, ORIGIN_REFUSED, LEDGER_FINISHED, LEDGER_NOT_FOUND (the folder does not
   * exist), LEDGER_IS_DIRECTORY, LEDGER_NOT_READABLE, LEDGER_WRITE_FAILED; TypeError for an invalid origin
   */
  static open(path: string, options: JsonlLedgerOptions = {}): JsonlLedger {
    const writer = writerOf(ownFields(options))
    let fd: number | undefined
    let unlock: (() => void) | undefined
    try {
      fd = openOrCreate(path)
      unlock = lockFile(path)
      const ledger = new JsonlLedger(path, fd, unlock, writer)
      warnOfOtherWriters(path)
      return ledger
    } catch (error) {
      unlock?.()
      if (fd !== undefined) closeSync(fd)
      throw asLedgerError(error, path)
    }
  }

  async aheadMs(): Promise<number> {
    return aheadOf(this.#state.head.recordedAt, this.writer)
  }

  protected release(): void {
    this.#tree.close()
    closeSync(this.#fd)
    this.#unlock()
  }

  protected async commit(request: AppendRequest): Promise<readonly DraftResult[]> {
    this.#requireUnchanged()
    const plan = await advance(request, this.#state, this.writer, this.#calls)
    if (plan.entries.length === 0) return plan.results
    if (this.#state.ring === null) await this.#announce(plan)
    const bytes = Buffer.from(plan.entries.map(({ line }) => `${line}\n`).join(''))
    this.#write(bytes)
    fdatasyncSync(this.#fd)
    this.#tree.write(this.#state.head.size, plan.nodes)
    // This is the last operation that can fail, since a head must never cover entries that are removed again.
    writeSideFile(this.#headPath, plan.checkpoint)
    this.#size += bytes.length
    this.#state = plan.state
    this.#calls.committed(plan)
    return plan.results
  }

  protected async readFirstHash(): Promise<Hash | null> {
    const line = lineAt(this.#fd, 1)
    return line === null ? null : readTail(line, this.#path).entryHash
  }

  protected async readOpenQuestions(filter: OpenQuestionFilter): Promise<readonly string[]> {
    return this.#calls.openQuestions(filter)
  }

  protected async linesOf(requestId: string): Promise<readonly Uint8Array[]> {
    const decision = this.#calls.entriesOf(requestId).decision
    const line = decision === null ? null : lineAt(this.#fd, decision.position)
    return line === null ? [] : [line]
  }

  /** Writes the head of the genesis alone, before the genesis. */
  async #announce({ entries, state }: CommitPlan): Promise<void> {
    const { frontier } = grow(EMPTY_FRONTIER, entries.slice(0, 1))
    writeSideFile(this.#headPath, await headOf(state.ring?.origin ?? '', frontier, this.writer.signer))
    syncFolderOf(this.#headPath)
  }

  #write(bytes: Uint8Array): void {
    let done = 0
    while (done < bytes.length) done += writeSync(this.#fd, bytes, done, bytes.length - done, this.#size + done)
  }

  /** Removes a partly written group. If the removal fails, nothing more is written. */
  protected abandon(error: unknown): { readonly failure: LedgerError; readonly isFinal: boolean } {
    const failure = asLedgerError(error, this.#path)
    if (failure.code === 'LEDGER_DAMAGED') return { failure, isFinal: true }
    try {
      ftruncateSync(this.#fd, this.#size)
    } catch {
      return { failure, isFinal: true }
    }
    return { failure, isFinal: isFatal(error) }
  }

  #requireUnchanged(): void {
    this.#identity.check()
    const { size } = fstatSync(this.#fd)
    if (size === this.#size) return
    throw new LedgerError(
      'LEDGER_DAMAGED',
      `\`${this.#path}\` has ${size} bytes, but this writer left it with ${this.#size}`,
      {
        hint: 'another program wrote to it; verify the ledger',
      },
    )
  }
}

function* placedLines(fd: number): Generator<PlacedLine> {
  for (const line of linesOf(fd)) yield { position: line.position, line: line.bytes() }
}

function lineAt(fd: number, position: number): Uint8Array | null {
  for (const line of linesOf(fd)) if (line.position === position) return line.bytes()
  return null
}

/**
 * Opens the file for reading and writing. If several processes try to create the file at the same time, one process
 * creates it and the others open it.
 */
function openOrCreate(path: string): number {
  if (isRegularFile(path)) return openSync(path, 'r+')
  try {
    const fd = openSync(path, 'wx+', 0o600)
    syncFolderOf(path)
    return fd
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    return openSync(path, 'r+')
  }
}
