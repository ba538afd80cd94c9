// What is read of a ledger while its head row is locked, and what it must look like.
import { encodeFrontier, type Frontier, isHash, parseFrontier } from '@sudoagent/crypto'
import { isTimestamp, LedgerError } from '@sudoagent/ledger'
import {
  type CommitPlan,
  checkHead,
  EMPTY_STATE,
  headRefused,
  isHeadOf,
  type KeyRing,
  LINE_BYTES_MAX,
  type LogState,
  readHead,
  readTail,
  ringBehind,
  shorterThanHead,
  type Tail,
} from '@sudoagent/ledger/store'
import type { Session } from '../session/session.js'
import type { Target } from '../session/target.js'

/** What a writer knows of a ledger: its state, and what made it. */
export interface Known {
  readonly state: LogState
  /** Positions of the control entries that made the ring, as JSON. */
  readonly controls: string
  readonly epoch: number
}

/** The head row, locked, and what stood around it at that moment. */
export interface LockedHead {
  readonly row: HeadRow
  /** The last entry, wherever it stands; null when there is none. */
  readonly last: LastRow | null
  /** Of the entry where this writer saw the ledger end; null when it is not there. */
  readonly seenHash: string | null
  /** Whether the last entry itself was read, and not its hash alone. */
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

/** Milliseconds since 1970, by the database. */
export const NOW_MS = '(extract(epoch FROM clock_timestamp()) * 1000)::float8'

const JSON_COLUMN = `CASE WHEN $3 AND octet_length(entry_json) <= ${LINE_BYTES_MAX} THEN entry_json END AS entry_json`

/**
 * Begins a transaction, takes the lock, and reads. In two statements, sent at once: each sees what was committed before it began, and the second
 * begins when the lock is held. Prepared, because everybody else waits while they are planned.
 *
 * @param isWhole - whether the last entry is to be read as a whole
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
 * The state that a locked head says, checked: nobody may have vouched for it, whoever moved it since.
 *
 * @throws LedgerError LEDGER_DAMAGED when head, tree and entries do not belong together, or what this writer has seen is gone
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
  // Entries and head move together here, so there is nothing to catch up with: somebody put it there by other means.
  if (end > size) throw headRefused(shown, `says ${size} entries, and there is one at ${end}`)
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
    checkHead(head, frontier, ring, shown)
  }
  return { state: { head: { size, ...tail }, frontier, ring }, controls: row.controls, epoch }
}

/** What the head says of the last entry, or the entry of itself. Null when the head says nothing that can be. */
function tailOf({ row, last, isWhole }: LockedHead, shown: string): Tail | null {
  if (isWhole) return readTail(Buffer.from(last?.entry_json ?? ''), shown)
  const { entry_hash: entryHash, recorded_at: recordedAt } = row
  return isHash(entryHash) && (recordedAt === null || isTimestamp(recordedAt)) ? { entryHash, recordedAt } : null
}

/** Behind a step: a ring changes with control entries only, and a step has at most one, its first entry. */
export function knownBehind(before: Known, step: CommitPlan, epoch: number): Known {
  const isControl = step.state.ring !== before.state.ring
  const controls = isControl
    ? JSON.stringify([...(JSON.parse(before.controls) as number[]), step.entries[0]?.position ?? 1])
    : before.controls
  return { state: step.state, controls, epoch }
}

export const frontierBytes = ({ state }: CommitPlan): Uint8Array => encodeFrontier(state.frontier)

/** What this writer has seen, or written, must still be there: a server that was set back, or another one, does not have it. */
function requireSeen({ seenHash }: LockedHead, known: Known | null, shown: string): void {
  if (known === null || known.state.head.size === 0 || seenHash === known.state.head.entryHash) return
  throw seenIsGone(known.state.head.size, shown)
}

export function seenIsGone(size: number, shown: string): LedgerError {
  return new LedgerError(
    'LEDGER_DAMAGED',
    `\`${shown}\`: entry ${size}, which this writer has seen, is gone or is not the one that was there`,
    { hint: 'is this the primary? an old one may have come back; nothing was written' },
  )
}

function frontierOf(row: HeadRow, shown: string): Frontier {
  try {
    return parseFrontier(row.frontier ?? new Uint8Array(0))
  } catch {
    throw headRefused(shown, 'cannot be read')
  }
}

/** Control entries that a ledger may have: two for each of its keys, the genesis and the last. */
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

/** Ascending positions; the first entry counts in any case. */
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
