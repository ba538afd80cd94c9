// One canonical entry a line, LF. For looking at with ordinary tools; one writer at a time.
//
// A crash can cut the last write off. The bytes behind the last LF were never acknowledged, so on open they are moved aside to
// `<path>.torn-<offset>` and the ledger goes on behind the last whole line. They are never glued to the next entry.
import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import type { Signer } from '@sudoagent/crypto'
import { GroupCommit, linkBatch } from '../append.js'
import type { EncodedDraft } from '../chain.js'
import type { EntryDraft } from '../entry.js'
import { LedgerError } from '../error.js'
import { type AppendedEntry, EMPTY_HEAD, type Head, type LedgerWriter } from '../ledger.js'
import { asLedgerError, codeOf, FileIdentity, isFatal, isRegularFile, syncFolderOf } from './file.js'
import { inspectJsonl, moveTornTailAside, type TornTail } from './jsonl-file.js'
import { lockFile } from './lock.js'
import { readTail } from './tail.js'

export interface JsonlLedgerOptions {
  /** Signs every entry. Without it entries are unsigned. */
  readonly signer?: Signer
  readonly clock?: () => Date
}

export type { TornTail }

/**
 * An append-only ledger in a JSONL file; the file is created (mode 0600) when it is not there.
 *
 * @example
 * const ledger = JsonlLedger.open('ledger.jsonl')
 * if (ledger.tornTail !== null) console.warn(`a torn line was moved to ${ledger.tornTail.movedTo}`)
 */
export class JsonlLedger implements LedgerWriter {
  /** What was moved aside on open; null when the file ended as it should. */
  readonly tornTail: TornTail | null
  readonly #path: string
  readonly #fd: number
  readonly #unlock: () => void
  readonly #identity: FileIdentity
  readonly #signer: Signer | null
  readonly #clock: () => Date
  readonly #commits: GroupCommit
  #head: Head
  #size: number
  #failed: LedgerError | null = null
  #closing: Promise<void> | null = null

  private constructor(path: string, fd: number, unlock: () => void, options: JsonlLedgerOptions) {
    this.#path = path
    this.#fd = fd
    this.#unlock = unlock
    this.#signer = options.signer ?? null
    this.#clock = options.clock ?? (() => new Date())
    this.#identity = new FileIdentity(path, fd)
    const { lines, end, lastLine } = inspectJsonl(fd, path)
    this.#head = lastLine === null ? EMPTY_HEAD : { size: lines, ...readTail(lastLine, path) }
    // Only now, when what stands before it is known to be a ledger.
    this.tornTail = moveTornTailAside(fd, path, end)
    this.#size = end
    this.#commits = new GroupCommit((drafts) => this.#commit(drafts))
  }

  /**
   * @throws LedgerError LEDGER_LOCKED (another writer has it), LEDGER_NOT_A_LEDGER, LEDGER_DAMAGED, LEDGER_NOT_FOUND (no such folder),
   * LEDGER_IS_DIRECTORY, LEDGER_NOT_READABLE, LEDGER_WRITE_FAILED
   */
  static open(path: string, options: JsonlLedgerOptions = {}): JsonlLedger {
    let fd: number | undefined
    let unlock: (() => void) | undefined
    try {
      fd = openOrCreate(path)
      unlock = lockFile(path)
      return new JsonlLedger(path, fd, unlock, options)
    } catch (error) {
      unlock?.()
      if (fd !== undefined) closeSync(fd)
      throw asLedgerError(error, path)
    }
  }

  append(draft: EntryDraft): Promise<AppendedEntry> {
    return this.#commits.append(draft)
  }

  close(): Promise<void> {
    // Once: a second closeSync could hit a file that got the same number since.
    this.#closing ??= this.#commits.close().then(() => {
      closeSync(this.#fd)
      this.#unlock()
    })
    return this.#closing
  }

  async #commit(drafts: readonly EncodedDraft[]): Promise<readonly AppendedEntry[]> {
    if (this.#failed !== null) throw this.#failed
    try {
      this.#refuseForeignChange()
      const entries = await linkBatch(drafts, this.#head, { signer: this.#signer, clock: this.#clock })
      const bytes = Buffer.from(entries.map(({ line }) => `${line}\n`).join(''))
      this.#write(bytes)
      fdatasyncSync(this.#fd)
      this.#size += bytes.length
      const last = entries.at(-1)
      if (last !== undefined)
        this.#head = { size: last.position, entryHash: last.entryHash, recordedAt: last.recordedAt }
      return entries
    } catch (error) {
      throw this.#abandon(error)
    }
  }

  #write(bytes: Uint8Array): void {
    let done = 0
    while (done < bytes.length) done += writeSync(this.#fd, bytes, done, bytes.length - done, this.#size + done)
  }

  /** Takes a half-written group back, so that nothing of it is on record; if that is not possible, nothing is written any more. */
  #abandon(error: unknown): LedgerError {
    const failure = asLedgerError(error, this.#path)
    if (isFatal(error) || failure.code === 'LEDGER_DAMAGED') this.#failed = failure
    try {
      if (this.#failed?.code !== 'LEDGER_DAMAGED') ftruncateSync(this.#fd, this.#size)
    } catch (truncateError) {
      this.#failed = asLedgerError(truncateError, this.#path)
    }
    return failure
  }

  #refuseForeignChange(): void {
    this.#identity.check()
    const { size } = fstatSync(this.#fd)
    if (size === this.#size) return
    throw new LedgerError(
      'LEDGER_DAMAGED',
      `\`${this.#path}\` has ${size} bytes, but this writer left it with ${this.#size}`,
      {
        hint: 'something else wrote to it; verify the ledger',
      },
    )
  }
}

/** A descriptor for reading and writing. A file that is made here is made once, whoever else is making it at this moment. */
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
