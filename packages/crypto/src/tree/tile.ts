/**
 * Merkle tree tiles, as specified by C2SP tlog-tiles (https://c2sp.org/tlog-tiles). The tree is divided into tiles
 * that are 8 levels high. Only the lowest row of a tile is stored, as up to 256 concatenated hashes. Level 0 tiles
 * contain leaf hashes. Each hash in a level t tile is the root of a full tile at level t − 1. A partial tile, with
 * fewer than 256 hashes, has a different path:
 *
 *     tile/0/x001/234 is full and will never change; tile/0/x001/235.p/17 has 17 hashes so far
 *
 * For example, a tree of 70,000 leaves has 273 full tiles and a partial tile of width 112 at level 0, one full tile
 * and a partial tile of width 17 at level 1, and a partial tile of width 1 at level 2.
 */
import { isBytes } from '../bytes/bytes.js'
import { CryptoError } from '../error.js'
import { HASH_BYTES, isTreeSize, nodeHash } from './merkle.js'
import type { HashReader } from './reader.js'

/** The number of tree levels in a tile. */
export const TILE_HEIGHT = 8

/** The number of hashes in a full tile. */
export const TILE_WIDTH = 256

/** The highest level for which tlog-tiles defines paths. */
const TILE_LEVEL_MAX = 63

/** The hashes in a tile that determine the hash of a node. */
export interface TileSpan {
  /** The tile level. The hashes in the tile are at tree level `level` · TILE_HEIGHT. */
  readonly level: number
  readonly index: number
  /** The index of the first hash, counted within the tile. */
  readonly start: number
  /** The number of hashes, a power of two. If the width is 1, the hash is that of the node itself. */
  readonly width: number
}

/**
 * Reads a tile as concatenated hashes. The tile must contain at least `width` hashes, the number that the tile has
 * in the tree of the proof; a full tile may be returned in place of a partial tile. The function may return a
 * promise.
 */
export type TileReader = (level: number, index: number, width: number) => Uint8Array | Promise<Uint8Array>

/**
 * Returns the span of tile hashes that determines the complete node at the given tree level and index.
 *
 * @throws RangeError unless both are non-negative integers
 */
export function tileSpan(level: number, index: number): TileSpan {
  if (!isTreeSize(level) || !isTreeSize(index)) throw new RangeError('level and index must be non-negative integers')
  const width = 2 ** (level % TILE_HEIGHT)
  const first = index * width
  return {
    level: Math.floor(level / TILE_HEIGHT),
    index: Math.floor(first / TILE_WIDTH),
    start: first % TILE_WIDTH,
    width,
  }
}

/**
 * Returns the number of hashes that a tile has in a tree of `size` leaves: TILE_WIDTH for a full tile, 0 for a tile
 * that does not exist.
 *
 * @throws RangeError unless all three are non-negative integers
 */
export function tileWidth(level: number, index: number, size: number): number {
  requireTile(level, index)
  if (!isTreeSize(size)) throw new RangeError('size must be an integer from 0 to 2^53 − 1')
  const hashes = Math.floor(size / TILE_WIDTH ** level)
  return Math.min(TILE_WIDTH, Math.max(0, hashes - index * TILE_WIDTH))
}

/**
 * Returns the path of a tile, relative to the log prefix.
 *
 * @param width - the number of hashes, from 1 to TILE_WIDTH. A tile below TILE_WIDTH is partial.
 * @throws RangeError for an invalid level, index or width
 * @example
 * tilePath(0, 1234067) // 'tile/0/x001/x234/067'
 * tilePath(1, 1, 17) // 'tile/1/001.p/17'
 */
export function tilePath(level: number, index: number, width: number = TILE_WIDTH): string {
  requireTile(level, index)
  if (!isTreeSize(width) || width < 1 || width > TILE_WIDTH) throw new RangeError('width must be from 1 to 256')
  const digits = String(index)
  const parts = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? []
  // Every part except the last is prefixed with `x`, so that the same path is never both a file and a folder.
  const path = parts.map((part, i) => (i < parts.length - 1 ? `x${part}` : part)).join('/')
  return `tile/${level}/${path}${width < TILE_WIDTH ? `.p/${width}` : ''}`
}

/**
 * Creates a hash reader that reads from tiles, for `inclusionProof`, `consistencyProof` and `readFrontier`. The
 * reader caches every tile that it reads, so create a new reader for each proof.
 *
 * @param size - the number of leaves in the tree, which determines the width of each tile
 * @returns a hash reader that rejects with CryptoError `TREE_INVALID` for a tile that is too short or malformed,
 *   and with RangeError for a node that is not complete in the tree
 */
export function createTileHashReader(size: number, readTile: TileReader): HashReader {
  const tiles = new Map<string, Promise<Uint8Array>>()
  const tileOf = (level: number, index: number, width: number): Promise<Uint8Array> => {
    const path = tilePath(level, index, width)
    const tile = tiles.get(path) ?? Promise.resolve(readTile(level, index, width)).then((t) => requireWhole(t, width))
    tiles.set(path, tile)
    return tile
  }
  return async (level, index) => {
    const span = tileSpan(level, index)
    const width = tileWidth(span.level, span.index, size)
    if (span.start + span.width > width) throw new RangeError('the node is not complete in the tree')
    const tile = await tileOf(span.level, span.index, width)
    return rootOf(tile.subarray(span.start * HASH_BYTES, (span.start + span.width) * HASH_BYTES))
  }
}

/** Returns the root of concatenated hashes whose number is a power of two. */
function rootOf(hashes: Uint8Array): Uint8Array {
  if (hashes.length === HASH_BYTES) return Uint8Array.from(hashes)
  return nodeHash(rootOf(hashes.subarray(0, hashes.length / 2)), rootOf(hashes.subarray(hashes.length / 2)))
}

function requireWhole(tile: Uint8Array, width: number): Uint8Array {
  const whole = isBytes(tile) && tile.length % HASH_BYTES === 0 && tile.length <= TILE_WIDTH * HASH_BYTES
  if (!whole || tile.length < width * HASH_BYTES) throw new CryptoError('TREE_INVALID', 'a stored tile is incomplete')
  return tile
}

function requireTile(level: number, index: number): void {
  if (!isTreeSize(level) || level > TILE_LEVEL_MAX || !isTreeSize(index)) {
    throw new RangeError('level must be from 0 to 63, and index a non-negative integer')
  }
}
