// Reads and validates the ledger state while the head row is locked.
import { isHash } from '@sudoagent/crypto'
import { encodeFrontier, type Frontier, parseFrontier } from '@sudoagent/crypto/tree'
import { LedgerError } from '@sudoagent/ledger'
import { isTimestamp } from '@sudoagent/ledger/entry'
import {
  type CommitPlan,
  type ControlRow,
  controlsOf,
  EMPTY_STATE,
  encodeControls,
  type HeadControls,
  headRefused,
  INDEX_ROWS_MAX,
  isHeadOf,
  LINE_BYTES_MAX,
  type LogState,
  parseControls,
  positionsToRead,
  readHead,
  readTail,
  replayControls,
  requireMatchingHead,
  type Standing,
  shorterThanHead,
  standingOf,
  type Tail,
} from '@sudoagent/ledger/store'
import type { Session } from '../session/session.js'
import type { Target } from '../session/target.js'

/** The ledger state that a writer knows, and the data from which the state was computed. */
export interface Known {
  readonly state: LogState
  /** The column `controls` of the head. */
  readonly controls: string
  readonly epoch: number
  /** Whether there may be an open question. */
  readonly hasQuestions: boolean
  /** See `CallRecords.othersUntil`. */
  readonly othersUntil: number
}

/** Reads what the writer needs of the control entries, in the locked transaction. */
export interface ControlReader {
  /** The lines of these entries, by position. */
  lines(positions: readonly number[]): Promise<ReadonlyMap<number, Uint8Array>>
  /** The control index, at most `limit` rows. */
  index(limit: number): Promise<readonly ControlRow[]>
  /** Positions of all control entries, and of the first entry. */
  allPositions(): Promise<readonly number[]>
  /** Whether rows were added to the control index. */
  isIndexNew: boolean
  /** Adds the missing rows of the control index. */
  addToIndex(rows: readonly ControlRow[]): Promise<void>
}

/** The locked head row, and the related rows that were read under the lock. */
export interface LockedHead {
  readonly row: HeadRow
  /** The last entry; null if the ledger is empty. */
  readonly last: LastRow | null
  /** Hash of the last entry that this writer has seen; null if that entry is missing. */
  readonly seenHash: string | null
  /** Whether the complete last entry was read, not only its hash. */
  readonly isWhole: boolean
  /** Whether there is an open question. */
  readonly hasQuestions: boolean
}

interface HeadRow {
  readonly size: string
  readonly entry_hash: string | null
  readonly recorded_at: string | null
  readonly frontier: Buffer | null
  readonly controls: string | null
  readonly checkpoint: string | null
  readonly epoch: string
  readonly writer: string | null
  readonly now_ms: number
  readonly fsync: string
}

interface LastRow {
  readonly position: string
  readonly entry_json: string | null
  readonly entry_hash: string
}

/** The database clock as Unix time in milliseconds. */
export const NOW_MS = '(extract(epoch FROM clock_timestamp()) * 1000)::float8'

const JSON_COLUMN = `CASE WHEN $3 AND octet_length(entry_json) <= ${LINE_BYTES_MAX} THEN entry_json END AS entry_json`

/**
 * Begins a transaction, locks the head and reads the last entry. The two statements are sent together. Each statement
 * sees everything that was committed before the statement started, and the second statement starts after the lock was
 * taken. The statements are prepared; otherwise, other writers would wait for the lock while the server plans them.
 *
 * @param isWhole - whether to read the complete last entry
 * @param takesQuestions - whether the database has the table of open questions
 */
export async function lockHead(
  session: Session,
  { schema, shown }: Target,
  ledger: number,
  seenAt: number,
  isWhole: boolean,
  takesQuestions: boolean,
): Promise<LockedHead> {
  const asked = takesQuestions ? `EXISTS (SELECT 1 FROM ${schema}.open_question WHERE ledger = $1)` : 'false'
  const [, [row], [last]] = (await session.askTogether(
    'BEGIN ISOLATION LEVEL READ COMMITTED',
    {
      name: `sudoagent_lock_${schema}`,
      text: `SELECT size, entry_hash, recorded_at, frontier, controls, checkpoint, epoch, writer, ${NOW_MS} AS now_ms, current_setting('fsync') AS fsync FROM ${schema}.head WHERE ledger = $1 FOR UPDATE`,
      values: [ledger],
    },
    {
      name: `sudoagent_last_${schema}`,
      text: `SELECT position, ${JSON_COLUMN}, entry_hash, (SELECT entry_hash FROM ${schema}.entry WHERE ledger = $1 AND position = $2) AS seen_hash, ${asked} AS asked
        FROM ${schema}.entry WHERE ledger = $1 ORDER BY position DESC LIMIT 1`,
      values: [ledger, seenAt, isWhole],
    },
  )) as [unknown, [HeadRow?], [(LastRow & { readonly seen_hash: string | null; readonly asked: boolean })?]]
  if (row === undefined) throw headRefused(shown, 'is missing')
  const hasQuestions = last?.asked === true
  return { row, last: last ?? null, seenHash: last?.seen_hash ?? null, isWhole, hasQuestions }
}

/**
 * Validates the state in a locked head. Any writer may have changed the head.
 *
 * @throws LedgerError LEDGER_DAMAGED if head, tree and entries do not match, or if an entry that this writer has
 *   seen is missing
 */
export async function readState(
  locked: LockedHead,
  known: Known | null,
  reader: ControlReader,
  shown: string,
): Promise<Known> {
  const { row, last } = locked
  const size = Number(row.size)
  const epoch = Number(row.epoch)
  requireSeen(locked, known, shown)
  const { hasQuestions } = locked
  if (size === 0 && last === null && row.checkpoint === null)
    return { state: EMPTY_STATE, controls: '[]', epoch, hasQuestions, othersUntil: 0 }
  if (
    known !== null &&
    known.state.head.size === size &&
    known.state.head.entryHash === row.entry_hash &&
    last?.entry_hash === row.entry_hash
  )
    return { ...known, epoch, hasQuestions }
  const end = last === null ? 0 : Number(last.position)
  if (end < size) throw shorterThanHead(shown, end, size)
  // Every append changes entries and head together, so an entry after the head was inserted by other means.
  if (end > size) throw headRefused(shown, `covers ${size} entries, but the ledger has ${end}`)
  const tail = tailOf(locked, shown)
  const frontier = frontierOf(row, shown)
  if (
    tail === null ||
    tail.entryHash !== row.entry_hash ||
    tail.entryHash !== last?.entry_hash ||
    tail.recordedAt !== row.recorded_at ||
    frontier.size !== size ||
    row.controls === null
  )
    throw headRefused(shown, 'does not match the entries')
  const controls = parseControls(row.controls, shown)
  const standing =
    known?.controls === row.controls ? standingOf(known.state) : controls && (await readStanding(controls, reader))
  const ring = standing?.ring ?? null
  if (standing === null || ring === null) throw headRefused(shown, 'does not match the entries')
  if (!isHeadOf(row.checkpoint, frontier, ring)) {
    const head = readHead(row.checkpoint === null ? null : { text: row.checkpoint }, shown)
    if (head === null || head.size !== size) throw headRefused(shown, 'does not match the entries')
    requireMatchingHead(head, frontier, ring, shown)
  }
  // Entries that are new to this writer are those of others.
  const state = { head: { size, ...tail }, frontier, ...standing }
  return { state, controls: row.controls, epoch, hasQuestions, othersUntil: size }
}

/**
 * Reads hash and time of the last entry from the head, or from the complete entry. Null if the hash or the time is
 * invalid.
 */
function tailOf({ row, last, isWhole }: LockedHead, shown: string): Tail | null {
  if (isWhole) return readTail(Buffer.from(last?.entry_json ?? ''), shown)
  const { entry_hash: entryHash, recorded_at: recordedAt } = row
  return isHash(entryHash) && (recordedAt === null || isTimestamp(recordedAt)) ? { entryHash, recordedAt } : null
}

/** Returns the state after a step. */
export function knownBehind(before: Known, plan: CommitPlan, epoch: number): Known {
  const { state, ringAt, rows, questions, outcomeByIdAt } = plan
  const hasQuestions = before.hasQuestions || questions.opened.length > 0
  const kept = { state, epoch, hasQuestions, othersUntil: outcomeByIdAt ?? before.othersUntil }
  if (ringAt === null && rows.length === 0) return { ...kept, controls: before.controls }
  const { positions = [] } = parseControls(before.controls, '') ?? {}
  const after = controlsOf(ringAt === null ? positions : [...positions, ringAt], state)
  return { ...kept, controls: encodeControls(after) }
}

export const frontierBytes = ({ state }: CommitPlan): Uint8Array => encodeFrontier(state.frontier)

/**
 * Requires that the last entry seen or written by this writer exists. On a restored or different server, that entry is
 * missing.
 */
function requireSeen({ seenHash }: LockedHead, known: Known | null, shown: string): void {
  if (known === null || known.state.head.size === 0 || seenHash === known.state.head.entryHash) return
  throw seenIsGone(known.state.head.size, shown)
}

export function seenIsGone(size: number, shown: string): LedgerError {
  return new LedgerError(
    'LEDGER_DAMAGED',
    `\`${shown}\`: entry ${size}, which this writer has seen, is missing or has changed`,
    {
      hint: 'nothing was written; check that this server is the current primary, not an old primary that was restarted',
    },
  )
}

function frontierOf(row: HeadRow, shown: string): Frontier {
  try {
    return parseFrontier(row.frontier ?? new Uint8Array(0))
  } catch {
    throw headRefused(shown, 'cannot be read')
  }
}

/**
 * The standing that the control entries establish. If the index does not have the rows that the head states, or they
 * differ from the entries, it is built again.
 *
 * @returns null if an entry is invalid, or if the entries do not establish what the head states
 */
async function readStanding(controls: HeadControls, reader: ControlReader): Promise<Standing | null> {
  const replay = async (at: readonly number[], index: readonly ControlRow[] | null) => {
    const lines = await reader.lines(at)
    return replayControls(at, (position) => lines.get(position), controls, index)
  }
  // A head that names no fenced kinds has no index, so tables of an earlier release suffice.
  const rows = controls.needs.length === 0 ? [] : await reader.index(INDEX_ROWS_MAX + 1)
  const known = await replay(positionsToRead(controls, rows), rows)
  if (known !== null || controls.needs.length === 0) return known?.standing ?? null
  const made = await replay(await reader.allPositions(), null)
  if (made === null) return null
  await reader.addToIndex(made.rows)
  return made.standing
}
