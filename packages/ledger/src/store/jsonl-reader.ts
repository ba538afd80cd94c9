// Reads a JSONL ledger in chunks, as untrusted input: a line that is too long is skipped without being held, and a last line without an end
// is looked at again for a moment, because a writer may be in the middle of it.
import { type FileHandle, open } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { HashReader } from '@sudoagent/crypto'
import type { LedgerReader, StoredEvidence, StoredLine } from '../ledger.js'
import { BATCH_BYTES_MAX, BATCH_LINES, LINE_BYTES_MAX } from '../limits.js'
import { createStoredNodeReader } from '../stored-node.js'
import { asLedgerError } from './file.js'
import { beside, readSideFile } from './side-file.js'
import { TreeFile } from './tree-file.js'

const LF = 10
const CHUNK_BYTES = 256 * 1024
const NOTHING = new Uint8Array(0)
// A writer's write() and the page it lands in are not one step for a reader. Ten looks, 20 ms apart, are far longer than that takes.
const TORN_LOOKS = 10
const TORN_WAIT_MS = 20

/** Opens a view of the lines that are there when `batches` is called. */
export async function openJsonlReader(path: string): Promise<LedgerReader> {
  try {
    const file = await open(path, 'r')
    try {
      // Before the size is taken: a head names entries that are in the file already.
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

class JsonlReader implements LedgerReader {
  readonly kind = 'jsonl'
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

  close(): Promise<void> {
    this.#tree?.close()
    return this.#file.close()
  }

  async *batches(after = 0): AsyncGenerator<readonly StoredLine[]> {
    let position = 0
    let batch: StoredLine[] = []
    let batchBytes = 0
    for await (const bytes of this.#lines()) {
      position += 1
      if (position <= after) continue
      batch.push(typeof bytes === 'string' ? { position, bytes: NOTHING, fault: bytes } : { position, bytes })
      batchBytes += bytes.length
      if (batch.length < BATCH_LINES && batchBytes < BATCH_BYTES_MAX) continue
      yield batch
      batch = []
      batchBytes = 0
    }
    if (batch.length > 0) yield batch
  }

  /** Line after line up to the size at opening, and the rest of a line that was being written then. */
  async *#lines(): AsyncGenerator<Uint8Array | 'LINE_TOO_LONG' | 'LINE_TORN'> {
    let pending: Buffer[] = []
    let pendingBytes = 0
    let offset = 0
    // One for the whole walk: what is kept of it is copied, and a new one for each read would be 256 KiB of garbage each.
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
        yield take()
        start = at + 1
        if (offset + start >= this.#size) return
      }
      keep(chunk.subarray(start))
      offset += chunk.length
    }
    yield 'LINE_TORN'
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

/** The parts of a line as one; nearly always there is only one. */
function whole(parts: readonly Buffer[]): Uint8Array {
  const [only] = parts
  return only !== undefined && parts.length === 1 ? only : Buffer.concat(parts)
}
