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
import type pg from 'pg'
import type { Session } from './session.js'

interface TilePlace {
  readonly level: number
  readonly tile: number
}

/** A tile as it will be. */
export interface TilePut extends TilePlace {
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
    return tileOf(await this.#session.ask<TileRow>(this.#tileQuery({ level, tile })))
  }

  /** Leaf hashes of the entries from position `first` on. @throws LedgerError LEDGER_DAMAGED when one of them is not there */
  async leaves(first: number, count: number): Promise<Buffer> {
    return leavesIn(await this.#session.ask<LeavesRow>(this.#leavesQuery(first, count)), count)
  }

  /** Leaves, and tiles, asked for at once: a writer waits for them under the lock. @throws LedgerError as `leaves` */
  async together(
    { first, count }: { readonly first: number; readonly count: number },
    places: readonly TilePlace[],
  ): Promise<{ readonly leaves: Buffer; readonly tiles: readonly (Uint8Array | null)[] }> {
    const [leaves = [], ...tiles] = await this.#session.askTogether(
      this.#leavesQuery(first, count),
      ...places.map((place) => this.#tileQuery(place)),
    )
    return { leaves: leavesIn(leaves as LeavesRow[], count), tiles: tiles.map((rows) => tileOf(rows as TileRow[])) }
  }

  #tileQuery({ level, tile }: TilePlace): pg.QueryConfig {
    return {
      name: `sudoagent_tile_${this.#schema}`,
      text: `SELECT hashes FROM ${this.#schema}.tile WHERE ledger = $1 AND level = $2 AND tile = $3 AND length(hashes) <= ${TILE_WIDTH * HASH_BYTES}`,
      values: [this.#ledger, level, tile],
    }
  }

  #leavesQuery(first: number, count: number): pg.QueryConfig {
    return {
      name: `sudoagent_leaves_${this.#schema}`,
      text: `SELECT string_agg(CASE WHEN octet_length(entry_hash) = 64 THEN entry_hash ELSE '' END, ',' ORDER BY position) AS hashes
        FROM ${this.#schema}.entry WHERE ledger = $1 AND position BETWEEN $2 AND $3`,
      values: [this.#ledger, first, first + count - 1],
    }
  }
}

interface TileRow {
  readonly hashes: Buffer
}

interface LeavesRow {
  readonly hashes: string | null
}

const tileOf = ([row]: readonly TileRow[]): Uint8Array | null => row?.hashes ?? null
const leavesIn = ([row]: readonly LeavesRow[], count: number): Buffer => leavesOf(row?.hashes?.split(',') ?? [], count)

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
  const tiled = nodes.filter(({ level, index }) =>
    level === 0 ? index % TILE_WIDTH === TILE_WIDTH - 1 : level % TILE_HEIGHT === 0,
  )
  if (tiled.length === 0) return []
  const before = await readBefore(tiled, entries[0]?.position ?? 1, source)
  const own = leavesOf(
    entries.map(({ entryHash }) => entryHash),
    entries.length,
  )
  let leaves = Buffer.concat([before.leaves, own])
  const puts = new Map<string, TilePut>()
  for (const { level, index, hash } of tiled) {
    const tile = Math.floor(index / TILE_WIDTH)
    const key = keyOf({ level: level / TILE_HEIGHT, tile })
    if (level === 0) {
      puts.set(key, { level, tile, hashes: leaves.subarray(0, TILE_WIDTH * HASH_BYTES) })
      leaves = leaves.subarray(TILE_WIDTH * HASH_BYTES)
    } else {
      const grown = puts.get(key)?.hashes ?? before.tiles.get(key)
      puts.set(key, { level: level / TILE_HEIGHT, tile, hashes: withHash(grown, index % TILE_WIDTH, hash) })
    }
  }
  return [...puts.values()]
}

/** What stands already where these nodes belong: leaves of the tile that the first entry is in, and tiles above. */
async function readBefore(
  tiled: readonly TreeNode[],
  position: number,
  source: TileSource,
): Promise<{ readonly leaves: Buffer; readonly tiles: ReadonlyMap<string, Uint8Array | null> }> {
  const count = (position - 1) % TILE_WIDTH
  const places = new Map<string, TilePlace>()
  for (const { level, index } of tiled) {
    const place = { level: level / TILE_HEIGHT, tile: Math.floor(index / TILE_WIDTH) }
    // Nothing stands before the first one of a tile.
    if (level > 0 && index % TILE_WIDTH > 0) places.set(keyOf(place), place)
  }
  if (count === 0 && places.size === 0) return { leaves: Buffer.alloc(0), tiles: new Map() }
  const { leaves, tiles } = await source.together({ first: position - count, count }, [...places.values()])
  return { leaves, tiles: new Map([...places.keys()].map((key, n) => [key, tiles[n] ?? null])) }
}

const keyOf = ({ level, tile }: TilePlace): string => `${level}/${tile}`
