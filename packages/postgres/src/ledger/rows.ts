// Reads and validates the ledger state while the head row is locked.
import { isHash } from '@sudoagent/crypto'
import { encodeFrontier, type Frontier, parseFrontier } from '@sudoagent/crypto/tree'
import { LedgerError } from '@sudoagent/ledger'
import { isTimestamp } from '@sudoagent/ledger/entry'
import {
  type CommitPlan,
  EMPTY_STATE,
  headRefused,
  isHeadOf,
  type KeyRing,
  LINE_BYTES_MAX,
  type LogState,
  readHead,
  readTail,
  requireMatchingHead,
  ringBehind,
  shorterThanHead,
  type Tail,
} from '@sudoagent/ledger/store'
import type { Session } from '../session/session.js'
import type { Target } from '../session/target.js'

/** The ledger state that a writer knows, and the data from which the state was computed. */
export interface Known {
  readonly state: LogState
  /** Positions of the control entries that produced the key ring, as JSON. */
  readonly controls: string
  readonly epoch: number
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
 */
export async function lockHead(
  session: Session,
  { schema, shown }: Target,
  ledger: number,
  seenAt: number,
  isWhole: boolean,
): Promise<LockedHead> {
  const [, [row], [last]] = (await session.askTogether(
    'BEGIN ISOLATION LEVEL READ COMMITTED',
    {
      name: `sudoagent_lock_${schema}`,
      text: `SELECT size, entry_hash, recorded_at, frontier, controls, checkpoint, epoch, writer, ${NOW_MS} AS now_ms, current_setting('fsync') AS fsync FROM ${schema}.head WHERE ledger = $1 FOR UPDATE`,
      values: [ledger],
    },
    {
      name: `sudoagent_last_${schema}`,
      text: `SELECT position, ${JSON_COLUMN}, entry_hash, (SELECT entry_hash FROM ${schema}.entry WHERE ledger = $1 AND position = $2) AS seen_hash
        FROM ${schema}.entry WHERE ledger = $1 ORDER BY position DESC LIMIT 1`,
      values: [ledger, seenAt, isWhole],
    },
  )) as [unknown, [HeadRow?], [(LastRow & { readonly seen_hash: string | null })?]]
  if (row === undefined) throw headRefused(shown, 'is missing')
  return { row, last: last ?? null, seenHash: last?.seen_hash ?? null, isWhole }
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
  controlLines: (positions: readonly number[]) => Promise<ReadonlyMap<number, string>>,
  shown: string,
): Promise<Known> {
  const { row, last } = locked
  const size = Number(row.size)
  const epoch = Number(row.epoch)
  requireSeen(locked, known, shown)
  if (size === 0 && last === null && row.checkpoint === null) return { state: EMPTY_STATE, controls: '[]', epoch }
  if (
    known !== null &&
    known.state.head.size === size &&
    known.state.head.entryHash === row.entry_hash &&
    last?.entry_hash === row.entry_hash
  )
    return { ...known, epoch }
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
  const ring = known?.controls === row.controls ? known.state.ring : await ringOf(row.controls, controlLines)
  if (ring === null) throw headRefused(shown, 'does not match the entries')
  if (!isHeadOf(row.checkpoint, frontier, ring)) {
    const head = readHead(row.checkpoint === null ? null : { text: row.checkpoint }, shown)
    if (head === null || head.size !== size) throw headRefused(shown, 'does not match the entries')
    requireMatchingHead(head, frontier, ring, shown)
  }
  return { state: { head: { size, ...tail }, frontier, ring }, controls: row.controls, epoch }
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

/**
 * Returns the state after a step. Only control entries change the key ring, and only the first entry of a step can
 * be a control entry.
 */
export function knownBehind(before: Known, step: CommitPlan, epoch: number): Known {
  const isControl = step.state.ring !== before.state.ring
  const controls = isControl
    ? JSON.stringify([...(JSON.parse(before.controls) as number[]), step.entries[0]?.position ?? 1])
    : before.controls
  return { state: step.state, controls, epoch }
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

/** Maximum number of control entries in a ledger: two for each key, the genesis entry and the final entry. */
const CONTROLS_MAX = 130

async function ringOf(
  text: string,
  controlLines: (positions: readonly number[]) => Promise<ReadonlyMap<number, string>>,
): Promise<KeyRing | null> {
  const positions = parseControls(text)
  if (positions === null) return null
  const lines = await controlLines(positions)
  let ring: KeyRing | null = null
  for (const position of positions) {
    const line = lines.get(position)
    ring = line === undefined ? null : ringBehind(ring, Buffer.from(line), position)
    if (ring === null) return null
  }
  return ring
}

/** Parses ascending positions. The first entry is always included. */
function parseControls(text: string): readonly number[] | null {
  try {
    const list: unknown = JSON.parse(text)
    if (!Array.isArray(list) || list.length > CONTROLS_MAX) return null
    const ascending = list.every(
      (item, n) => Number.isSafeInteger(item) && (n === 0 || Number(item) > Number(list[n - 1])),
    )
    return ascending ? [...(list[0] === 1 ? [] : [1]), ...list] : null
  } catch {
    return null
  }
}
