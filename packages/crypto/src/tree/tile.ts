/**
 * Tiles of a Merkle tree, as C2SP tlog-tiles lays them out (https://c2sp.org/tlog-tiles): the tree is cut into pieces 8
 * levels high, of each of which only the lowest row is stored, up to 256 hashes one after another. Tiles of level 0 hold
 * leaf hashes; each hash in a tile of level t is the root of a full tile of level t − 1. A tile that is not full yet is
 * partial, and goes by another path:
 *
 *     tile/0/x001/234 is full and will never change, tile/0/x001/235.p/17 has 17 hashes so far
 *
 * A tree of 70,000 leaves has 273 full tiles of level 0 and a partial one of width 112, one full tile of level 1 and a
 * partial one of width 17, and a partial one of width 1 on level 2.
 */
import { isBytes } from '../bytes/bytes.js'
import { CryptoError } from '../error.js'
import { HASH_BYTES, isTreeSize, nodeHash } from './merkle.js'
import type { HashReader } from './reader.js'

/** How many levels of the tree a tile spans. */
export const TILE_HEIGHT = 8

/** How many hashes a full tile holds. */
export const TILE_WIDTH = 256

/** The levels that tlog-tiles has paths for. */
const TILE_LEVEL_MAX = 63

/** Which hashes of which tile the hash of a node is made of. */
export interface TileSpan {
  /** The tile's level: its hashes stand at level · TILE_HEIGHT of the tree. */
  readonly level: number
  readonly index: number
  /** The first of the hashes, counted in the tile. */
  readonly start: number
  /** How many hashes; a power of two. One hash is the node itself. */
  readonly width: number
}

/**
 * Reads a tile: its hashes one after another, at least `width` of them, which is how many the tree in question has
 * there. The full tile may be given in place of a partial one. It may answer with a promise.
 */
export type TileReader = (level: number, index: number, width: number) => Uint8Array | Promise<Uint8Array>

/**
 * Which hashes of which tile the complete node at a level and index of the tree is made of.
 *
 * @throws RangeError unless both are integers from 0.
 */
export function tileSpan(level: number, index: number): TileSpan {
  if (!isTreeSize(level) || !isTreeSize(index)) throw new RangeError('level and index must be integers from 0')
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
 * How many hashes a tile has in a tree of `size` leaves: TILE_WIDTH when it is full, 0 when it does not exist.
 *
 * @throws RangeError unless all three are integers from 0.
 */
export function tileWidth(level: number, index: number, size: number): number {
  requireTile(level, index)
  if (!isTreeSize(size)) throw new RangeError('size must be an integer from 0 to 2^53 − 1')
  const hashes = Math.floor(size / TILE_WIDTH ** level)
  return Math.min(TILE_WIDTH, Math.max(0, hashes - index * TILE_WIDTH))
}

/**
 * The path of a tile below the prefix of a log.
 *
 * @param width from 1 to TILE_WIDTH; below TILE_WIDTH the tile is partial.
 * @throws RangeError for a level, index or width that no tile has.
 * @example
 * tilePath(0, 1234067) // 'tile/0/x001/x234/067'
 * tilePath(1, 1, 17) // 'tile/1/001.p/17'
 */
export function tilePath(level: number, index: number, width: number = TILE_WIDTH): string {
  requireTile(level, index)
  if (!isTreeSize(width) || width < 1 || width > TILE_WIDTH) throw new RangeError('width must be from 1 to 256')
  const digits = String(index)
  const parts = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? []
  // Every part but the last has an `x`, so that no path is both a file and a folder.
  const path = parts.map((part, i) => (i < parts.length - 1 ? `x${part}` : part)).join('/')
  return `tile/${level}/${path}${width < TILE_WIDTH ? `.p/${width}` : ''}`
}

/**
 * Reads hashes out of tiles, for `inclusionProof`, `consistencyProof` and `readFrontier`. Reads each tile once: make a
 * new reader for each proof.
 *
 * @param size the leaves of the tree in question; tiles are read as wide as they are in it.
 * @returns a reader that throws CryptoError `TREE_INVALID` for a tile that is too short or no tile, and RangeError for a
 * node that the tree does not have in full.
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
    if (span.start + span.width > width) throw new RangeError('the tree does not have that node in full')
    const tile = await tileOf(span.level, span.index, width)
    return rootOf(tile.subarray(span.start * HASH_BYTES, (span.start + span.width) * HASH_BYTES))
  }
}

/** The root over hashes one after another, as many as a power of two. */
function rootOf(hashes: Uint8Array): Uint8Array {
  if (hashes.length === HASH_BYTES) return Uint8Array.from(hashes)
  return nodeHash(rootOf(hashes.subarray(0, hashes.length / 2)), rootOf(hashes.subarray(hashes.length / 2)))
}

function requireWhole(tile: Uint8Array, width: number): Uint8Array {
  const whole = isBytes(tile) && tile.length % HASH_BYTES === 0 && tile.length <= TILE_WIDTH * HASH_BYTES
  if (!whole || tile.length < width * HASH_BYTES) throw new CryptoError('TREE_INVALID', 'a stored tile is not whole')
  return tile
}

function requireTile(level: number, index: number): void {
  if (!isTreeSize(level) || level > TILE_LEVEL_MAX || !isTreeSize(index)) {
    throw new RangeError('level must be from 0 to 63, index an integer from 0')
  }
}
