// Reads and extends the Merkle tree of a ledger in PostgreSQL, in tiles of 256 hashes (C2SP tlog-tiles), as in
// SQLite. Only full tiles of level 0 are stored; an incomplete tile is recomputed from its entries, of which there are
// at most 255. A tile at a higher level grows by one hash for every 256 hashes below it. The server prepends the
// stored hashes, so that a writer does not have to read them while it holds the lock.
import {
  createTileHashReader,
  HASH_BYTES,
  type HashReader,
  TILE_HEIGHT,
  TILE_WIDTH,
  type TreeNode,
} from '@sudoagent/crypto/tree'
import { leavesOf, treeDamaged } from '@sudoagent/ledger/store'
import type { Session } from '../session/session.js'

/** Hashes to append to a tile. */
export interface TilePut {
  readonly level: number
  readonly tile: number
  /** Number of hashes already in the tile. For an incomplete tile of level 0, these hashes come from the entries. */
  readonly stood: number
  readonly hashes: Buffer
}

/** Reads tiles and leaf hashes of one ledger. */
export class TileSource {
  readonly #session: Session
  readonly #schema: string
  readonly #ledger: number

  constructor(session: Session, schema: string, ledger: number) {
    this.#session = session
    this.#schema = schema
    this.#ledger = ledger
  }

  async tile(level: number, tile: number): Promise<Uint8Array | null> {
    const [row] = await this.#session.ask<{ readonly hashes: Buffer }>({
      text: `SELECT hashes FROM ${this.#schema}.tile WHERE ledger = $1 AND level = $2 AND tile = $3 AND length(hashes) <= ${TILE_WIDTH * HASH_BYTES}`,
      values: [this.#ledger, level, tile],
    })
    return row?.hashes ?? null
  }

  /**
   * Returns the leaf hashes of the entries from position `first`.
   *
   * @throws LedgerError LEDGER_DAMAGED if an entry is missing
   */
  async leaves(first: number, count: number): Promise<Buffer> {
    const text = `SELECT CASE WHEN octet_length(entry_hash) = 64 THEN entry_hash END AS hash FROM ${this.#schema}.entry
      WHERE ledger = $1 AND position BETWEEN $2 AND $3 ORDER BY position`
    const rows = await this.#session.ask<{ readonly hash: string | null }>({
      text,
      values: [this.#ledger, first, first + count - 1],
    })
    return leavesOf(
      rows.map(({ hash }) => hash),
      count,
    )
  }
}

/** Like all stored data, tiles are unverified: proofs built from them are checked against a root. */
export function createPostgresTreeReader(source: TileSource, size: number): HashReader {
  return createTileHashReader(size, async (level, index, width) => {
    const stored = await source.tile(level, index)
    if (stored !== null && stored.length >= width * HASH_BYTES) return stored
    if (level === 0) return source.leaves(index * TILE_WIDTH + 1, width)
    throw treeDamaged()
  })
}

/** Returns the tiles that a step completes or extends. */
export function tilesOf({
  nodes,
  entries,
}: {
  readonly nodes: readonly TreeNode[]
  readonly entries: readonly { readonly position: number; readonly entryHash: string }[]
}): readonly TilePut[] {
  const before = (entries[0]?.position ?? 1) - 1
  const puts = new Map<string, TilePut>()
  for (const node of nodes) {
    const [level, tile, slot] = [node.level / TILE_HEIGHT, Math.floor(node.index / TILE_WIDTH), node.index % TILE_WIDTH]
    if (level === 0 && slot === TILE_WIDTH - 1) {
      const start = tile * TILE_WIDTH
      const from = Math.max(start, before)
      const own = entries.slice(from - before, start + TILE_WIDTH - before).map(({ entryHash }) => entryHash)
      puts.set(`0/${tile}`, { level, tile, stood: from - start, hashes: leavesOf(own, own.length) })
    } else if (level > 0 && Number.isInteger(level)) {
      const key = `${level}/${tile}`
      const { stood, hashes } = puts.get(key) ?? { stood: slot, hashes: Buffer.alloc(0) }
      puts.set(key, { level, tile, stood, hashes: Buffer.concat([hashes, node.hash]) })
    }
  }
  return [...puts.values()]
}
