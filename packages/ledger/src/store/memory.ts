// A ledger in memory, for tests and trials. The hash chain, the tree and the entries are the same as in any other
// store, but nothing is durable.
import { setImmediate as turn } from 'node:timers/promises'
import type { Hash } from '@sudoagent/crypto'
import type { StoredLine } from '../entry/stored-line.js'
import type { LedgerError } from '../error.js'
import { asLedgerError } from '../file.js'
import { BATCH_LINES } from '../limits.js'
import { ownFields } from '../own-fields.js'
import type { LedgerReader } from '../port/reader.js'
import type { OpenQuestionFilter } from '../port/writer.js'
import { createStoredNodeReader, storedNodeCount } from '../tree/stored-node.js'
import {
  type AppendRequest,
  advance,
  aheadOf,
  EMPTY_STATE,
  type LogState,
  type WriterOptions,
  writerOf,
} from '../write/advance.js'
import { readTail } from '../write/last-entry.js'
import type { DraftResult } from '../write/link-batch.js'
import { StoreWriter } from '../write/store-writer.js'
import { CallBook, type PlacedLine } from './call-book.js'

export type MemoryLedgerOptions = WriterOptions

/**
 * Keeps entries in memory. The entries are lost when the process ends, so this ledger is not evidence.
 *
 * @example
 * const ledger = new MemoryLedger()
 * const report = await verify(ledger.reader())
 */
export class MemoryLedger extends StoreWriter {
  readonly #lines: Uint8Array[] = []
  readonly #nodes: Uint8Array[] = []
  readonly #calls = new CallBook(() => this.#placed())
  #state: LogState = EMPTY_STATE
  #head: string | null = null

  constructor(options: MemoryLedgerOptions = {}) {
    super(writerOf(ownFields(options)))
  }

  async aheadMs(): Promise<number> {
    return aheadOf(this.#state.head.recordedAt, this.writer)
  }

  /** Returns a snapshot of the current entries. */
  reader(): LedgerReader {
    return linesReader([...this.#lines], [...this.#nodes], this.#head)
  }

  protected async commit(request: AppendRequest): Promise<readonly DraftResult[]> {
    const plan = await advance(request, this.#state, this.writer, this.#calls)
    if (plan.entries.length === 0) return plan.results
    for (const { line } of plan.entries) this.#lines.push(Buffer.from(line))
    for (const { hash } of plan.nodes) this.#nodes.push(hash)
    this.#head = plan.checkpoint
    this.#state = plan.state
    this.#calls.committed(plan)
    return plan.results
  }

  protected async readFirstHash(): Promise<Hash | null> {
    const [line] = this.#lines
    return line === undefined ? null : readTail(line, 'memory').entryHash
  }

  protected async readOpenQuestions(filter: OpenQuestionFilter): Promise<readonly string[]> {
    return this.#calls.openQuestions(filter)
  }

  protected async linesOf(requestId: string): Promise<readonly Uint8Array[]> {
    const decision = this.#calls.entriesOf(requestId).decision
    return decision === null ? [] : [this.#lines[decision.position - 1] ?? new Uint8Array(0)]
  }

  *#placed(): Generator<PlacedLine> {
    for (const [index, line] of this.#lines.entries()) yield { position: index + 1, line }
  }

  /** `commit` does not change anything before it succeeds, so there is nothing to undo. */
  protected abandon(error: unknown): { readonly failure: LedgerError; readonly isFinal: boolean } {
    return { failure: asLedgerError(error, 'memory'), isFinal: false }
  }

  protected release(): void {}
}

/** Reads lines and tree nodes from memory. */
function linesReader(lines: readonly Uint8Array[], nodes: readonly Uint8Array[], head: string | null): LedgerReader {
  const lineOf = (bytes: Uint8Array, index: number): StoredLine => ({ position: index + 1, bytes })
  return {
    kind: 'memory',
    sizeHint: lines.length,
    faults: () => [],
    close: async () => {},
    evidence: async () => ({ head: head === null ? null : { text: head }, cosigned: null }),
    linesOfCall: async () => null,
    treeReader: (size) =>
      nodes.length < storedNodeCount(size)
        ? null
        : createStoredNodeReader((place) => nodes[place] ?? new Uint8Array(0)),
    lineAt: async (position) => {
      const bytes = lines[position - 1]
      return bytes === undefined ? null : lineOf(bytes, position - 1)
    },
    async *batches(after = 0) {
      for (let start = after; start < lines.length; start += BATCH_LINES) {
        yield lines.slice(start, start + BATCH_LINES).map((bytes, index) => lineOf(bytes, start + index))
        await turn()
      }
    },
  }
}
