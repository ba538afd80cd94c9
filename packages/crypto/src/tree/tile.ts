/**
 * Tiles of a Merkle tree, as specified by C2SP tlog-tiles (https://c2sp.org/tlog-tiles). The tree is divided into
 * tiles that are 8 levels high; only the lowest row of a tile is stored, as up to 256 concatenated hashes. Tiles of
 * level 0 contain leaf hashes; each hash in a tile of level t is the root of a full tile of level t − 1. A tile
 * that is not full is partial and has a different path:
 *
 *     tile/0/x001/234 is full and will never change, tile/0/x001/235.p/17 has 17 hashes so far
 *
 * A tree of 70,000 leaves has 273 full tiles of level 0 and a partial one of width 112, one full tile of level 1
 * and a partial one of width 17, and a partial one of width 1 on level 2.
 */
import { isBytes } from '../bytes/bytes.js'
import { CryptoError } from '../error.js'
import { HASH_BYTES, isTreeSize, nodeHash } from './merkle.js'
import type { HashReader } from './reader.js'

/** The number of levels of the tree in a tile. */
export const TILE_HEIGHT = 8

/** The number of hashes in a full tile. */
export const TILE_WIDTH = 256

/** The highest level for which tlog-tiles defines paths. */
const TILE_LEVEL_MAX = 63

/** The hashes of a tile from which the hash of a node is computed. */
export interface TileSpan {
  /** The tile's level: its hashes are at level · TILE_HEIGHT of the tree. */
  readonly level: number
  readonly index: number
  /** The index of the first hash within the tile. */
  readonly start: number
  /** The number of hashes, a power of two. A single hash is the node itself. */
  readonly width: number
}

/**
 * Reads a tile: its concatenated hashes, at least `width` of them, which is their number in the tree of the proof.
 * A full tile may be returned in place of a partial one. The function may return a promise.
 */
export type TileReader = (level: number, index: number, width: number) => Uint8Array | Promise<Uint8Array>

/**
 * The hashes of a tile from which the complete node at a level and index of the tree is computed.
 *
 * @throws RangeError unless both are non-negative integers
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
 * The number of hashes of a tile in a tree of `size` leaves: TILE_WIDTH when it is full, 0 when it does not exist.
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
 * The path of a tile below the prefix of a log.
 *
 * @param width - from 1 to TILE_WIDTH; below TILE_WIDTH, the tile is partial
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
  // Every part except the last has an `x`, so that no path is both a file and a folder.
  const path = parts.map((part, i) => (i < parts.length - 1 ? `x${part}` : part)).join('/')
  return `tile/${level}/${path}${width < TILE_WIDTH ? `.p/${width}` : ''}`
}

/**
 * Makes a reader of hashes from tiles, for `inclusionProof`, `consistencyProof` and `readFrontier`. It reads each
 * tile once: make a new reader for each proof.
 *
 * @param size - the number of leaves of the tree; tiles are read with their width in it
 * @returns a reader that throws CryptoError `TREE_INVALID` for a tile that is too short or not a tile, and
 *   RangeError for a node that is not complete in the tree
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
    if (span.start + span.width > width) throw new RangeError('that node is not complete in the tree')
    const tile = await tileOf(span.level, span.index, width)
    return rootOf(tile.subarray(span.start * HASH_BYTES, (span.start + span.width) * HASH_BYTES))
  }
}

/** The root over a power of two of concatenated hashes. */
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
    throw new RangeError('level must be from 0 to 63, index an integer from 0')
  }
}
