// A ledger that lives in the process: for tests and trials. Same chain, same entries, no durability.
import { setImmediate as turn } from 'node:timers/promises'
import type { Signer } from '@sudoagent/crypto'
import { GroupCommit, linkBatch } from '../append.js'
import type { EntryDraft } from '../entry.js'
import {
  type AppendedEntry,
  EMPTY_HEAD,
  type Head,
  type LedgerReader,
  type LedgerWriter,
  type StoredLine,
} from '../ledger.js'
import { BATCH_LINES } from '../limits.js'

export interface MemoryLedgerOptions {
  readonly signer?: Signer
  readonly clock?: () => Date
}

/**
 * Keeps entries in memory. Nothing survives the process, so it is no evidence.
 *
 * @example
 * const ledger = new MemoryLedger()
 * const report = await verify(ledger.reader())
 */
export class MemoryLedger implements LedgerWriter {
  readonly #lines: Uint8Array[] = []
  readonly #commits: GroupCommit
  #head: Head = EMPTY_HEAD

  constructor(options: MemoryLedgerOptions = {}) {
    const { signer = null, clock = () => new Date() } = options
    this.#commits = new GroupCommit(async (drafts) => {
      const entries = await linkBatch(drafts, this.#head, { signer, clock })
      for (const entry of entries) {
        this.#lines.push(Buffer.from(entry.line))
        this.#head = { size: entry.position, entryHash: entry.entryHash, recordedAt: entry.recordedAt }
      }
      return entries
    })
  }

  append(draft: EntryDraft): Promise<AppendedEntry> {
    return this.#commits.append(draft)
  }

  close(): Promise<void> {
    return this.#commits.close()
  }

  /** A view of the entries that are there now. */
  reader(): LedgerReader {
    return linesReader('memory', [...this.#lines])
  }
}

/** A reader over lines that are in memory already. */
function linesReader(kind: LedgerReader['kind'], lines: readonly Uint8Array[]): LedgerReader {
  return {
    kind,
    sizeHint: lines.length,
    faults: () => [],
    close: async () => {},
    async *batches() {
      for (let start = 0; start < lines.length; start += BATCH_LINES) {
        const batch = lines.slice(start, start + BATCH_LINES)
        yield batch.map((bytes, index): StoredLine => ({ position: start + index + 1, bytes }))
        await turn()
      }
    },
  }
}
