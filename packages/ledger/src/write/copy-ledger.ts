// Copies a ledger to a different store, line by line and unchanged. Every line must pass the checks that a writer
// makes. Lines that the destination already has are compared, so an interrupted copy can be resumed, and different
// content is never overwritten.
import type { TreeNode } from '@sudoagent/crypto/tree'
import { LedgerError } from '../error.js'
import type { LedgerReader, StoredText } from '../port/reader.js'
import { QuestionBook } from '../standing/question-book.js'
import type { ControlRow } from '../standing/standing.js'
import { EMPTY_STATE, type LogState } from './advance.js'
import { mergeChanges, NO_CHANGES, type QuestionChanges } from './call-records.js'
import { headRefused, readHead, requireHead, requireMatchingHead, shorterThanHead } from './head-check.js'
import { controlsOf, type HeadControls, NO_CONTROLS } from './head-controls.js'
import { type Recovered, recover } from './recover.js'

/** An entry to copy. */
export interface CopiedEntry {
  readonly position: number
  readonly line: Uint8Array
  readonly entryHash: string
  readonly prevEntryHash: string | null
  /** Null for a control entry. */
  readonly requestId: string | null
}

/** Consecutive entries and the tree nodes that they complete. */
export interface CopiedBatch {
  readonly entries: readonly CopiedEntry[]
  readonly nodes: readonly TreeNode[]
  /** The states before and after the entries. */
  readonly before: LogState
  readonly after: LogState
  /** The control entries that determine the standing after the batch. */
  readonly controls: HeadControls
  /** The rows that these entries add to the control index. */
  readonly rows: readonly ControlRow[]
  /** The changes of the kept questions by the entries. */
  readonly questions: QuestionChanges
}

/** The head of a ledger, and the state at that size. No head covers later entries yet. */
export interface CopiedHead {
  readonly text: string
  readonly state: LogState
  readonly controls: HeadControls
}

/** The destination of a copy. */
export interface LedgerSink {
  /** The name of the destination in messages. */
  readonly name: string
  /**
   * Whether the store requires a head that covers all entries. If so, a ledger without such a head is refused before
   * anything is written.
   */
  readonly needsHead: boolean
  /** Yields the lines that the destination already has, in order. */
  lines(): AsyncIterable<Uint8Array>
  /** Appends entries, either all or none. Resolves when the entries are durable. */
  write(batch: CopiedBatch): Promise<void>
  /** Called with entries that the destination already has, for a store whose tree may lack them. */
  seen(batch: CopiedBatch): Promise<void>
  /** Stores the head and the cosigned checkpoint. Until then, no writer accepts the copy of a signed ledger. */
  finish(head: CopiedHead | null, cosigned: string | null): Promise<void>
  close(): Promise<void>
}

export interface CopyReport {
  /** Number of entries in the copy. */
  readonly entries: number
  /** Number of these entries that the destination already had. */
  readonly found: number
}

/**
 * Copies a whole ledger.
 *
 * @param progress - function that is called with the number of entries processed so far
 * @throws LedgerError LEDGER_DAMAGED if the ledger is invalid (entries copied so far remain, but do not form a ledger
 * yet), or if the destination requires a head that covers all entries and there is no such head (nothing is written);
 * LEDGER_EXISTS if the content of the destination is not a prefix of this ledger; any error from the stores
 * @example
 * const report = await copyLedger(await openLedgerReader('ledger.sqlite'), openFileSink('ledger.jsonl', 'jsonl'))
 */
export async function copyLedger(
  from: LedgerReader,
  to: LedgerSink,
  progress: (entries: number) => void = () => {},
): Promise<CopyReport> {
  const { head: storedHead, cosigned } = await from.evidence()
  const head = readHead(storedHead, 'the ledger')
  const there = to.lines()[Symbol.asyncIterator]()
  let state: LogState = EMPTY_STATE
  let atHead: Omit<CopiedHead, 'text'> | null = null
  let controls: HeadControls = NO_CONTROLS
  let found = 0
  let isBehind = false
  const questions = new QuestionBook()
  let hasWritten = false
  for await (const lines of from.batches()) {
    if (head === null && to.needsHead) throw headless(to.name)
    let run = new Run(state)
    for (const { position, bytes, fault } of lines) {
      if (fault !== undefined) throw unreadable(position)
      const existing = isBehind ? undefined : await next(there)
      if (!isBehind && existing === undefined) {
        // The destination ends here; all further entries are written.
        if (run.entries.length > 0) await to.seen(run.batch(controls))
        run = new Run(run.state)
        isBehind = true
      }
      if (existing !== undefined && !sameBytes(existing, bytes)) throw somethingElse(to.name, position)
      const caught = recover(run.state, bytes, 'the ledger', questions)
      questions.apply(caught.questions)
      const isRing = caught.state.ring !== run.state.ring
      controls = controlsOf(isRing ? [...controls.positions, position] : controls.positions, caught.state)
      run.add(bytes, caught)
      state = caught.state
      if (position === head?.size) atHead = { state, controls }
      if (!isBehind) found += 1
    }
    if (run.entries.length > 0 && isBehind) {
      if (!hasWritten && to.needsHead && head !== null) await requireWholeHead(from, head.size, to.name)
      hasWritten = true
      await to.write(run.batch(controls))
    } else if (run.entries.length > 0) await to.seen(run.batch(controls))
    progress(state.head.size)
  }
  if (!isBehind && (await next(there)) !== undefined) throw somethingElse(to.name, found + 1)
  // Only entries are copied, so other objects in the file do not matter.
  const damage = from.faults().find(({ code }) => code !== 'STORE_FOREIGN_OBJECT')
  if (damage !== undefined) throw new LedgerError('LEDGER_DAMAGED', `the ledger is damaged: ${damage.message}`, VERIFY)
  if (state.head.size === 0) throw new LedgerError('ENTRY_NOT_FOUND', 'the ledger has no entries')
  if (head === null) requireHead(state.ring, 'the ledger')
  else if (atHead?.state.ring == null) throw shorterThanHead('the ledger', state.head.size, head.size)
  else requireMatchingHead(head, atHead.state.frontier, atHead.state.ring, 'the ledger')
  await to.finish(head === null || atHead === null ? null : { text: head.text, ...atHead }, textOf(cosigned))
  return { entries: state.head.size, found }
}

/** Collects entries for one write. */
class Run {
  readonly entries: CopiedEntry[] = []
  readonly #nodes: TreeNode[] = []
  readonly #rows: ControlRow[] = []
  readonly #questions: QuestionChanges[] = []
  readonly #before: LogState
  state: LogState

  constructor(before: LogState) {
    this.#before = before
    this.state = before
  }

  add(line: Uint8Array, { state: after, requestId, nodes, row, questions }: Recovered): void {
    const { size, entryHash } = after.head
    this.entries.push({
      position: size,
      line,
      entryHash: entryHash ?? '',
      prevEntryHash: this.state.head.entryHash,
      requestId,
    })
    for (const node of nodes) this.#nodes.push(node)
    if (row !== null) this.#rows.push(row)
    if (questions !== NO_CHANGES) this.#questions.push(questions)
    this.state = after
  }

  batch(controls: HeadControls): CopiedBatch {
    const { entries, state: after } = this
    const questions = mergeChanges(this.#questions)
    return { entries, nodes: this.#nodes, before: this.#before, after, controls, rows: this.#rows, questions }
  }
}

const VERIFY = { hint: 'run `sudoagent verify` on it' }

const textOf = (stored: StoredText): string | null => (stored === null || stored === 'unreadable' ? null : stored.text)

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

async function next(lines: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
  const { done, value } = await lines.next()
  return done === true ? undefined : value
}

function headless(name: string): LedgerError {
  return new LedgerError('LEDGER_DAMAGED', `the ledger has no head, and \`${name}\` requires one`, {
    hint: 'nothing was written; append an entry with this version to give the ledger a head',
  })
}

/** Checks before copying that the head covers the last entry, so that a large ledger is not copied in vain. */
async function requireWholeHead(from: LedgerReader, size: number, name: string): Promise<void> {
  const after = await from.lineAt(size + 1)
  if (after?.fault !== undefined) throw unreadable(after.position)
  if (after !== null) throw headTooOld(name, size)
  if (size > 0 && (await from.lineAt(size)) === null)
    throw headRefused('the ledger', `covers ${size} entries, but there is no entry ${size}`)
}

function headTooOld(name: string, size: number): LedgerError {
  return new LedgerError(
    'LEDGER_DAMAGED',
    `the head of the ledger covers ${size} entries, but there is an entry ${size + 1}: \`${name}\` requires a head that covers every entry`,
    { hint: 'nothing was written; append an entry with this version to update the head' },
  )
}

function unreadable(position: number): LedgerError {
  return new LedgerError('LEDGER_DAMAGED', `entry ${position} of the ledger cannot be read`, VERIFY)
}

function somethingElse(name: string, position: number): LedgerError {
  return new LedgerError(
    'LEDGER_EXISTS',
    `\`${name}\` exists and is not a prefix of this ledger: entry ${position} differs`,
    {
      hint: 'nothing was written; use another path for the copy',
    },
  )
}
