// A ledger that lives in the process: for tests and trials. Same chain, same tree, same entries, no durability.
import { setImmediate as turn } from 'node:timers/promises'
import type { Signer } from '@sudoagent/crypto'
import type { EntryDraft } from '../entry/entry.js'
import type { StoredLine } from '../entry/stored-line.js'
import { BATCH_LINES } from '../limits.js'
import { ownFields } from '../own-fields.js'
import type { LedgerReader } from '../port/reader.js'
import type { AppendedEntry, ControlWriter, LedgerWriter } from '../port/writer.js'
import { createStoredNodeReader, storedNodeCount } from '../tree/stored-node.js'
import {
  type AppendRequest,
  addKey,
  advance,
  aheadOf,
  EMPTY_STATE,
  type LogState,
  retireKey,
  sealLedger,
  type Writer,
  type WriterOptions,
  writeGenesis,
  writerOf,
} from '../write/advance.js'
import { GroupCommit } from '../write/group-commit.js'
import { type LinkedEntry, singleEntry } from '../write/link-batch.js'

export type MemoryLedgerOptions = WriterOptions

/**
 * Keeps entries in memory. Nothing survives the process, so it is no evidence.
 *
 * @example
 * const ledger = new MemoryLedger()
 * const report = await verify(ledger.reader())
 */
export class MemoryLedger implements LedgerWriter, ControlWriter {
  readonly #lines: Uint8Array[] = []
  readonly #nodes: Uint8Array[] = []
  readonly #writer: Writer
  readonly #commits: GroupCommit
  #state: LogState = EMPTY_STATE
  #head: string | null = null

  constructor(options: MemoryLedgerOptions = {}) {
    this.#writer = writerOf(ownFields(options))
    this.#commits = new GroupCommit((drafts) => this.#commit({ drafts }))
  }

  append(draft: EntryDraft): Promise<AppendedEntry> {
    return this.#commits.append(draft)
  }

  begin(): Promise<void> {
    return writeGenesis((work) => this.#commits.runExclusive(() => this.#commit(work)))
  }

  async aheadMs(): Promise<number> {
    return aheadOf(this.#state.head.recordedAt, this.#writer)
  }

  addKey(signer: Signer): Promise<AppendedEntry> {
    return this.#commits.runExclusive(() => this.#control({ control: addKey(signer) }))
  }

  retireKey(keyId: string): Promise<AppendedEntry> {
    return this.#commits.runExclusive(() => this.#control({ control: retireKey(keyId) }))
  }

  seal(): Promise<AppendedEntry> {
    return this.#commits.runExclusive(() => this.#control({ control: sealLedger() }))
  }

  close(): Promise<void> {
    return this.#commits.close()
  }

  /** A view of the entries that are there now. */
  reader(): LedgerReader {
    return linesReader([...this.#lines], [...this.#nodes], this.#head)
  }

  async #commit(work: AppendRequest): Promise<readonly LinkedEntry[]> {
    const step = await advance(work, this.#state, this.#writer)
    for (const { line } of step.entries) this.#lines.push(Buffer.from(line))
    for (const { hash } of step.nodes) this.#nodes.push(hash)
    this.#head = step.checkpoint
    this.#state = step.state
    return step.asked
  }

  async #control(work: AppendRequest): Promise<AppendedEntry> {
    return singleEntry(await this.#commit(work))
  }
}

/** A reader over lines and nodes that are in memory already. */
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
