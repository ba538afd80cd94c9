// Determines the state of a JSONL ledger when a writer opens it: compares the lines with the head and the stored
// tree. If the root of the stored tree matches the head, the stored tree is used for the entries that the head
// covers; otherwise the tree is rebuilt from the lines. Entries after the head are recovered.
import { bytesToHex, hexToBytes } from '@sudoagent/crypto/bytes'
import { type Frontier, frontierRoot, leafHash, type TreeNode } from '@sudoagent/crypto/tree'
import { isCallEntry } from '../../entry/entry.js'
import { parseLine } from '../../entry/line.js'
import type { StoredText } from '../../port/reader.js'
import { EMPTY_STANDING, type Standing } from '../../standing/standing.js'
import { storedNodeAt } from '../../tree/stored-node.js'
import { EMPTY_STATE, type LogState } from '../../write/advance.js'
import { NO_CHANGES } from '../../write/call-records.js'
import { headRefused, readHead, requireHead, requireMatchingHead, shorterThanHead } from '../../write/head-check.js'
import { readTail } from '../../write/last-entry.js'
import { questionChanges, recover, standingBehind } from '../../write/recover.js'
import type { CallBook } from '../call-book.js'
import { type FileLine, linesOf } from './file.js'
import type { TreeFile } from './tree-file.js'

interface Place {
  readonly fd: number
  readonly path: string
  readonly lines: number
  readonly tree: TreeFile
  /** Receives the questions of the ledger. */
  readonly calls: CallBook
}

/**
 * Reads the state, and completes the stored tree.
 *
 * @throws LedgerError LEDGER_DAMAGED if lines, tree and head do not match; LEDGER_NOT_A_LEDGER if the last line
 * is not an entry
 */
export function readJsonlState(place: Place, stored: StoredText): LogState {
  const { path, lines } = place
  const head = readHead(stored, path)
  if (lines === 0) {
    // The first head covers only the genesis, and is written before the genesis: see `JsonlLedger`.
    if (head !== null && head.size > 1) throw shorterThanHead(path, 0, head.size)
    return EMPTY_STATE
  }
  if (head !== null && head.size > lines) throw shorterThanHead(path, lines, head.size)
  const size = head?.size ?? 0
  const known = size === 0 ? null : place.tree.frontier(size)
  const trusted = head !== null && known !== null && sameRoot(known, head.root)
  const state = trusted ? behindHead(place, known) : EMPTY_STATE
  const { last, atHead } = catchUpFrom(place, state, size)
  if (head === null) {
    requireHead(last.ring, path)
    return last
  }
  if (atHead?.ring == null) throw headRefused(path, 'does not match the entries')
  requireMatchingHead(head, atHead.frontier, atHead.ring, path)
  return last
}

const sameRoot = (frontier: Frontier, root: Uint8Array): boolean =>
  bytesToHex(frontierRoot(frontier)) === bytesToHex(root)

/** Returns the state at the head if its tree is known. Reads only the last entry and the control entries. */
function behindHead({ fd, path, tree, calls }: Place, frontier: Frontier): LogState {
  let standing: Standing = EMPTY_STANDING
  let before: FileLine | null = null
  for (const line of linesOf(fd)) {
    if (line.isControl || calls.hasQuestions) followQuestions(line, before, calls, path)
    before = line
    if (line.position === 1 || line.isControl) {
      const step = standingBehind(standing, line.bytes(), line.position)
      if (step === null) throw headRefused(path, `covers entry ${line.position}, which is invalid`)
      standing = step.standing
    }
    if (line.position === frontier.size) {
      const tail = readTail(line.bytes(), path)
      // The hash chain links this entry to all earlier entries. Therefore, if the last leaf of the tree is this
      // entry, the tree is the tree of these entries.
      const leaf = tree.hashAt(storedNodeAt(0, frontier.size - 1))
      if (bytesToHex(leaf) !== bytesToHex(leafHash(hexToBytes(tail.entryHash)))) break
      return { head: { size: frontier.size, ...tail }, frontier, ...standing }
    }
  }
  throw headRefused(path, 'does not match the entries')
}

/** Applies a line that the head covers to the kept questions. A question that breaks a rule is not kept. */
function followQuestions(line: FileLine, before: FileLine | null, calls: CallBook, path: string): void {
  const parsed = parseLine(line.bytes())
  if (!parsed.ok) return
  const previousAt = before === null ? null : readTail(before.bytes(), path).recordedAt
  const changes = questionChanges(parsed, line.position, previousAt, calls)
  if (!('code' in changes)) calls.apply(changes)
  // A decision closes its question even if it breaks a rule, as for a verifier.
  else if (isCallEntry(parsed.entry)) calls.apply({ ...NO_CHANGES, closed: [parsed.entry.request_id] })
}

/** Recovers the lines after a given state. The result includes the state at the head. */
function catchUpFrom(
  { fd, path, tree, calls }: Place,
  from: LogState,
  size: number,
): { readonly last: LogState; readonly atHead: LogState | null } {
  let state = from
  let atHead = state.head.size === size ? state : null
  let nodes: TreeNode[] = []
  let written = state.head.size
  const flush = (): void => {
    tree.write(written, nodes)
    written = state.head.size
    nodes = []
  }
  for (const line of linesOf(fd)) {
    if (line.position <= from.head.size) continue
    const caught = recover(state, line.bytes(), path, calls)
    calls.apply(caught.questions)
    state = caught.state
    for (const node of caught.nodes) nodes.push(node)
    if (line.position === size) atHead = state
    if (nodes.length >= NODES_AT_A_TIME) flush()
  }
  flush()
  return { last: state, atHead }
}

/** Number of nodes to collect before writing to the tree file: 256 KiB. */
const NODES_AT_A_TIME = 8192
