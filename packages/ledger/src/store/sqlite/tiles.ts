// Stores the tree of a SQLite ledger in 256-wide tiles (C2SP tlog-tiles). Full level-0 tiles are stored; the
// incomplete tile is recomputed from its rows, at most 255. A tile at a higher level grows by one hash for every 256
// hashes at the level below.
import {
  createTileHashReader,
  HASH_BYTES,
  type HashReader,
  TILE_HEIGHT,
  TILE_WIDTH,
  type TreeNode,
} from '@sudoagent/crypto/tree'
import type Database from 'better-sqlite3'
import { leavesOf, treeDamaged, withHash } from '../../tree/tile-hashes.js'
import type { ReadDatabase, ReadStatement } from './read-database.js'

const SELECT_TILE = `SELECT hashes FROM sudoagent_tile INDEXED BY sqlite_autoindex_sudoagent_tile_1
  WHERE level = ? AND tile = ? AND length(hashes) <= 8192`
const SELECT_LEAVES = `SELECT CASE WHEN octet_length(entry_hash) = 64 THEN entry_hash END FROM ledger NOT INDEXED WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ${TILE_WIDTH}`

/** Writes nodes into tiles, in the transaction that writes their entries. */
export class TileWriter {
  readonly #tile: Database.Statement
  readonly #leaves: Database.Statement
  readonly #put: Database.Statement

  constructor(db: Database.Database) {
    this.#tile = db.prepare(SELECT_TILE).pluck()
    this.#leaves = db.prepare(SELECT_LEAVES).pluck()
    this.#put = db.prepare('INSERT OR REPLACE INTO sudoagent_tile (level, tile, hashes) VALUES (?, ?, ?)')
  }

  /** @throws LedgerError LEDGER_DAMAGED if earlier tiles or rows are missing */
  write(nodes: readonly TreeNode[]): void {
    for (const { level, index, hash } of nodes) {
      if (level % TILE_HEIGHT !== 0) continue
      const tile = Math.floor(index / TILE_WIDTH)
      const slot = index % TILE_WIDTH
      if (level === 0) {
        if (slot === TILE_WIDTH - 1) this.#put.run(0, tile, leavesOfRows(this.#leaves, tile, TILE_WIDTH))
      } else this.#append(level / TILE_HEIGHT, tile, slot, hash)
    }
  }

  #append(level: number, tile: number, slot: number, hash: Uint8Array): void {
    this.#put.run(level, tile, withHash(slot === 0 ? null : this.#tile.get(level, tile), slot, hash))
  }
}

/** The level-0 tiles whose last leaf is among these nodes. */
export function tilesCompleted(nodes: readonly TreeNode[]): readonly number[] {
  return nodes
    .filter(({ level, index }) => level === 0 && index % TILE_WIDTH === TILE_WIDTH - 1)
    .map(({ index }) => Math.floor(index / TILE_WIDTH))
}

/**
 * Reads nodes of the tree of `size` entries. Stored nodes are untrusted: a proof made from them is verified against a
 * root.
 */
export function createSqliteTreeReader(db: ReadDatabase, size: number): HashReader {
  const tileOf = db.prepare(SELECT_TILE).pluck()
  const leaves = db.prepare(SELECT_LEAVES).pluck()
  return createTileHashReader(size, (level, index, width) => {
    try {
      const stored = tileOf.get(level, index)
      if (stored instanceof Uint8Array && stored.length >= width * HASH_BYTES) return stored
      if (level === 0) return leavesOfRows(leaves, index, width)
    } catch {
      // A damaged database gives the same result as a missing row.
    }
    throw treeDamaged()
  })
}

/** The leaf hashes of the rows in a level-0 tile. */
function leavesOfRows(select: Pick<ReadStatement, 'all'>, tile: number, width: number): Uint8Array {
  const first = tile * TILE_WIDTH + 1
  return leavesOf(select.all(first, first + width - 1), width)
}
