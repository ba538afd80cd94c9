// Computes the standing of a ledger from its control entries, without reading the calls between them.
import { type ControlRow, EMPTY_STANDING, type Standing } from '../standing/standing.js'
import type { HeadControls } from './head-controls.js'
import { standingBehind } from './recover.js'

/** The standing that control entries establish. */
export interface ControlState {
  readonly standing: Standing
  /** The rows of the control index that the entries make. */
  readonly rows: readonly ControlRow[]
}

/**
 * Replays control entries, and compares the result with what a head states. The head and the control index are
 * untrusted, so they only say where to look: each entry is checked, and has the last word.
 *
 * @param at - positions to replay, ascending, with the first entry: those that head and index name, or all
 * @param lineAt - the stored line at a position
 * @param index - the rows of the control index; null to accept any, which then become the index
 * @returns null if an entry is invalid, or if the entries do not establish what head and index state
 */
export function replayControls(
  at: readonly number[],
  lineAt: (position: number) => Uint8Array | undefined,
  { positions, needs, rows: count }: HeadControls,
  index: readonly ControlRow[] | null,
): ControlState | null {
  let standing: Standing = EMPTY_STANDING
  const rows: ControlRow[] = []
  const ofKeys: number[] = []
  for (const position of at) {
    const line = lineAt(position)
    const step = line === undefined ? null : standingBehind(standing, line, position)
    if (step === null) return null
    // A ledger that another program began has no genesis, so its first entry is not listed.
    const isListed = standing.ring !== null || positions[0] === 1
    if (step.standing.ring !== standing.ring && isListed) ofKeys.push(position)
    standing = step.standing
    if (step.row !== null) rows.push(step.row)
  }
  const isAsStated = ofKeys.join() === positions.join() && standing.needs.join() === needs.join()
  if (!isAsStated || (index !== null && (index.length !== count || !areSameRows(rows, index)))) return null
  return { standing, rows }
}

const areSameRows = (made: readonly ControlRow[], found: readonly ControlRow[]): boolean =>
  made.length === found.length &&
  made.every(({ position, kind, ends }, n) => {
    const row = found[n]
    return row?.position === position && row.kind === kind && row.ends === ends
  })

/**
 * Maximum number of rows of the control index that are read. A longer index is not ours: it is built again from the
 * entries.
 */
export const INDEX_ROWS_MAX = 100_000
