// Reads a JSONL ledger in chunks, as untrusted input. An oversized line is skipped and not held in memory. If the
// last line has no LF, a writer may be writing that line, so the reader retries for a short time.
import { type FileHandle, open } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { HashReader } from '@sudoagent/crypto/tree'
import type { StoredLine } from '../../entry/stored-line.js'
import { asLedgerError } from '../../file.js'
import { BATCH_BYTES_MAX, BATCH_LINES, LINE_BYTES_MAX } from '../../limits.js'
import type { LedgerReader, LineRanges, Place, RangeSource, StoredEvidence, StoreWarning } from '../../port/reader.js'
import { createStoredNodeReader } from '../../tree/stored-node.js'
import { writableWarnings } from '../file-mode.js'
import { beside, readSideFile } from './side-file.js'
import { TreeFile } from './tree-file.js'

const LF = 10
const CHUNK_BYTES = 256 * 1024
const NOTHING = new Uint8Array(0)
// A reader may see only a part of a write in progress. Ten attempts at intervals of 20 ms take far longer than a
// write.
const TORN_LOOKS = 10
const TORN_WAIT_MS = 20

/** Opens the file. The reader sees only lines that exist at this time. */
export async function openJsonlReader(path: string): Promise<LedgerReader> {
  try {
    const file = await open(path, 'r')
    try {
      // The head is read before the size is determined, so that the head covers only entries within that size.
      const evidence = { head: readSideFile(beside(path, 'head')), cosigned: readSideFile(beside(path, 'cosigned')) }
      const { size } = await file.stat()
      return new JsonlReader(file, path, size, evidence)
    } catch (error) {
      await file.close()
      throw error
    }
  } catch (error) {
    throw asLedgerError(error, path, 'LEDGER_NOT_READABLE')
  }
}

/**
 * About a thousand typical entries. Checking these entries takes five milliseconds, and the transfers between threads
 * take one millisecond.
 */
const RANGE_BYTES = 1024 * 1024

interface LineAt {
  readonly bytes: Uint8Array | 'LINE_TOO_LONG' | 'LINE_TORN'
  /** The place of the next line. */
  readonly next: Place
}

class JsonlReader implements LedgerReader, LineRanges {
  readonly kind = 'jsonl'
  readonly ranges: LineRanges = this
  readonly source: RangeSource
  readonly end: Place
  readonly step = RANGE_BYTES
  readonly sizeHint = undefined
  readonly #file: FileHandle
  readonly #path: string
  readonly #size: number
  readonly #evidence: StoredEvidence
  readonly #tree: TreeFile | null

  constructor(file: FileHandle, path: string, size: number, evidence: StoredEvidence) {
    this.#file = file
    this.#path = path
    this.#size = size
    this.#evidence = evidence
    this.#tree = TreeFile.open(beside(path, 'tree'))
    this.end = size
    this.source = { kind: 'jsonl', path, end: size }
  }

  async evidence(): Promise<StoredEvidence> {
    return this.#evidence
  }

  treeReader(size: number): HashReader | null {
    const tree = this.#tree
    return tree?.covers(size) ? createStoredNodeReader((place) => tree.hashAt(place)) : null
  }

  async linesOfCall(): Promise<null> {
    return null
  }

  async lineAt(position: number): Promise<StoredLine | null> {
    for await (const [line] of this.batches(position - 1)) return line?.position === position ? line : null
    return null
  }

  faults(): readonly [] {
    return []
  }

  warnings(): readonly StoreWarning[] {
    return writableWarnings(this.#path)
  }

  close(): Promise<void> {
    this.#tree?.close()
    return this.#file.close()
  }

  async *batches(after = 0): AsyncGenerator<readonly StoredLine[]> {
    yield* this.lines(await this.placeBehind(after), null, after + 1)
  }

  async placeBehind(lines: number): Promise<Place> {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
    let passed = 0
    for (let offset = 0; passed < lines; offset += CHUNK_BYTES) {
      const chunk = await this.#read(buffer, offset)
      if (chunk.length === 0) return this.#size
      for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, at + 1)) {
        passed += 1
        if (passed === lines) return offset + at + 1
      }
    }
    return 0
  }

  isAt(): boolean {
    return true
  }

  async *lines(from: Place, to: Place | null, position: number): AsyncGenerator<readonly StoredLine[], Place | null> {
    let at = position
    let batch: StoredLine[] = []
    let batchBytes = 0
    let place: Place | null = from
    for await (const { bytes, next } of this.#lines(from, to)) {
      place = bytes === 'LINE_TORN' ? null : next
      batch.push(typeof bytes === 'string' ? { position: at, bytes: NOTHING, fault: bytes } : { position: at, bytes })
      at += 1
      batchBytes += bytes.length
      if (batch.length < BATCH_LINES && batchBytes < BATCH_BYTES_MAX) continue
      yield batch
      batch = []
      batchBytes = 0
    }
    if (batch.length > 0) yield batch
    return place === null || place >= this.#size ? null : place
  }

  finish(): void {
    // A JSONL file has no structure apart from its lines, so there are no faults.
  }

  /** Yields the lines up to the size at opening, including a line that was then being written. */
  async *#lines(from: Place, to: Place | null): AsyncGenerator<LineAt> {
    let pending: Buffer[] = []
    let pendingBytes = 0
    let offset = from
    if (from >= this.#size) return
    // One buffer is used for the whole walk, and lines are copied. A buffer for each read would be 256 KiB of
    // garbage.
    const chunkBuffer = Buffer.allocUnsafe(CHUNK_BYTES)
    const keep = (part: Buffer): void => {
      pendingBytes += part.length
      if (pendingBytes <= LINE_BYTES_MAX) pending.push(Buffer.from(part))
      else pending = []
    }
    const take = (): Uint8Array | 'LINE_TOO_LONG' => {
      const line = pendingBytes > LINE_BYTES_MAX ? 'LINE_TOO_LONG' : whole(pending)
      pending = []
      pendingBytes = 0
      return line
    }
    for (let looks = 0; looks < TORN_LOOKS; ) {
      const chunk = await this.#read(chunkBuffer, offset)
      if (chunk.length === 0) {
        if (pendingBytes === 0) return
        looks += 1
        await delay(TORN_WAIT_MS)
        continue
      }
      let start = 0
      for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, start)) {
        keep(chunk.subarray(start, at))
        start = at + 1
        const next = offset + start
        yield { bytes: take(), next }
        if (next >= this.#size || (to !== null && next >= to)) return
      }
      keep(chunk.subarray(start))
      offset += chunk.length
    }
    yield { bytes: 'LINE_TORN', next: offset }
  }

  async #read(buffer: Buffer, offset: number): Promise<Buffer> {
    try {
      const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, offset)
      return buffer.subarray(0, bytesRead)
    } catch (error) {
      throw asLedgerError(error, this.#path, 'LEDGER_NOT_READABLE')
    }
  }
}

/** Joins the parts of a line. Usually there is only one part. */
function whole(parts: readonly Buffer[]): Uint8Array {
  const [only] = parts
  return only !== undefined && parts.length === 1 ? only : Buffer.concat(parts)
}
