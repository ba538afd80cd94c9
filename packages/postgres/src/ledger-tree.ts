// The tree of a ledger in PostgreSQL, in 256-wide tiles (C2SP tlog-tiles), as SQLite keeps it: a full tile of level 0 is stored; the one that is
// growing is recomputed from the at most 255 entries that it stands for. A tile above grows by one hash for every 256 below it.
import {
  createTileHashReader,
  HASH_BYTES,
  type HashReader,
  TILE_HEIGHT,
  TILE_WIDTH,
  type TreeNode,
} from '@sudoagent/crypto'
import { leavesOf, treeDamaged, withHash } from '@sudoagent/ledger/store'
import type { Session } from './session.js'

/** A tile as it will be. */
export interface TilePut {
  readonly level: number
  readonly tile: number
  readonly hashes: Buffer
}

/** Reads tiles and leaves of one ledger. */
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
    const text = `SELECT hashes FROM ${this.#schema}.tile WHERE ledger = $1 AND level = $2 AND tile = $3 AND length(hashes) <= ${TILE_WIDTH * HASH_BYTES}`
    const [row] = await this.#session.ask<{ readonly hashes: Buffer }>({ text, values: [this.#ledger, level, tile] })
    return row?.hashes ?? null
  }

  /** Leaf hashes of the entries from position `first` on. @throws LedgerError LEDGER_DAMAGED when one of them is not there */
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

/** Unverified, like all that a store holds: proofs made of it are checked against a root. */
export function createPostgresTreeReader(source: TileSource, size: number): HashReader {
  return createTileHashReader(size, async (level, index, width) => {
    const stored = await source.tile(level, index)
    if (stored !== null && stored.length >= width * HASH_BYTES) return stored
    if (level === 0) return source.leaves(index * TILE_WIDTH + 1, width)
    throw treeDamaged()
  })
}

/** The tiles that a step completes, or lets grow. Reads what stood in them before, once in 256 entries. */
export async function tilesOf(
  {
    nodes,
    entries,
  }: {
    readonly nodes: readonly TreeNode[]
    readonly entries: readonly { readonly position: number; readonly entryHash: string }[]
  },
  source: TileSource,
): Promise<readonly TilePut[]> {
  const first = entries[0]?.position ?? 0
  const puts = new Map<string, TilePut>()
  for (const { level, index, hash } of nodes) {
    if (level % TILE_HEIGHT !== 0) continue
    const tile = Math.floor(index / TILE_WIDTH)
    const slot = index % TILE_WIDTH
    if (level === 0) {
      if (slot !== TILE_WIDTH - 1) continue
      const start = tile * TILE_WIDTH + 1
      const before = Math.max(0, first - start)
      const own = entries
        .slice(Math.max(0, start - first), start + TILE_WIDTH - first)
        .map(({ entryHash }) => entryHash)
      const hashes = Buffer.concat([
        before === 0 ? Buffer.alloc(0) : await source.leaves(start, before),
        leavesOf(own, TILE_WIDTH - before),
      ])
      puts.set(`0/${tile}`, { level, tile, hashes })
    } else {
      const key = `${level / TILE_HEIGHT}/${tile}`
      const before = puts.get(key)?.hashes ?? (slot === 0 ? null : await source.tile(level / TILE_HEIGHT, tile))
      puts.set(key, { level: level / TILE_HEIGHT, tile, hashes: withHash(before, slot, hash) })
    }
  }
  return [...puts.values()]
}
