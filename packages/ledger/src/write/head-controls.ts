// The column `controls` of a stored head: from which entries the standing of a ledger is computed.
//
//   [1,20]                                           the entries of keys: the form of every release
//   {"needs":["stop"],"positions":[1,20],"rows":2}   from the first stop on, with the number of rows of the index
//
// A release that does not know stops takes the second form for damage and writes nothing, so it cannot allow a call
// that is stopped. `needs` does the same for later releases and later kinds.
import { LedgerError } from '../error.js'
import { FENCED_KINDS, type FencedKind, type Standing } from '../standing/standing.js'

/** Maximum number of entries of keys: two for each key, the genesis entry and the final entry. */
const POSITIONS_MAX = 130

/** Maximum length of the column: positions of up to 16 digits, and a few kinds. */
export const CONTROLS_TEXT_MAX = 4096

/** The content of the column. */
export interface HeadControls {
  /** Positions of the entries that determine the keys, ascending. */
  readonly positions: readonly number[]
  readonly needs: readonly FencedKind[]
  /** Number of rows of the control index. */
  readonly rows: number
}

export const NO_CONTROLS: HeadControls = { positions: [], needs: [], rows: 0 }

export function encodeControls({ positions, needs, rows }: HeadControls): string {
  return JSON.stringify(needs.length === 0 ? positions : { needs, positions, rows })
}

/** The controls of a standing. @param positions - positions of the entries of keys */
export function controlsOf(positions: readonly number[], { needs, rows }: Standing): HeadControls {
  return { positions, needs, rows }
}

/**
 * Parses the column.
 *
 * @returns null if it has another form
 * @throws LedgerError LEDGER_NEWER if the ledger has entries of a kind that every writer must know, and this one does
 * not
 */
export function parseControls(text: string, path: string): HeadControls | null {
  if (text.length > CONTROLS_TEXT_MAX) return null
  const value = parsed(text)
  if (arePositions(value)) return { positions: value, needs: [], rows: 0 }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const { needs, positions, rows } = value as { readonly [name: string]: unknown }
  if (!Array.isArray(needs) || needs.length === 0 || !needs.every((kind) => typeof kind === 'string')) return null
  const unknown = needs.find((kind) => !isKnown(kind))
  if (unknown !== undefined)
    throw new LedgerError(
      'LEDGER_NEWER',
      `\`${path}\` has entries of the kind \`${unknown}\`, which this release does not know`,
    )
  if (!arePositions(positions) || !Number.isSafeInteger(rows)) return null
  const controls = { positions, needs: needs as FencedKind[], rows: rows as number }
  return encodeControls(controls) === text ? controls : null
}

const isKnown = (kind: unknown): kind is FencedKind => FENCED_KINDS.some((known) => known === kind)

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function arePositions(list: unknown): list is readonly number[] {
  return (
    Array.isArray(list) &&
    list.length <= POSITIONS_MAX &&
    list.every((item, n) => Number.isSafeInteger(item) && item >= 1 && (n === 0 || item > Number(list[n - 1])))
  )
}

/**
 * The entries from which the standing is computed, ascending. The first entry is always one of them: a ledger that
 * another program began has no genesis.
 */
export function positionsToRead(
  { positions }: HeadControls,
  index: readonly { readonly position: number }[],
): number[] {
  return [...new Set([1, ...positions, ...index.map(({ position }) => position)])].sort((a, b) => a - b)
}
