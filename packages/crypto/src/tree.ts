/** `@sudoagent/crypto/tree`: Merkle trees, proofs and tiles (RFC 6962). */

export { consistencyProof, verifyConsistency } from './tree/consistency.js'
export {
  appendLeaf,
  appendLeaves,
  EMPTY_FRONTIER,
  encodeFrontier,
  type Frontier,
  frontierRoot,
  type GrownTree,
  parseFrontier,
  readFrontier,
  type TreeNode,
} from './tree/frontier.js'
export { inclusionProof, verifyInclusion } from './tree/inclusion.js'
export { emptyRoot, HASH_BYTES, leafHash, nodeHash, PROOF_HASHES_MAX, TREE_SIZE_MAX } from './tree/merkle.js'
export type { HashReader } from './tree/reader.js'
export { createTileHashReader, TILE_HEIGHT, TILE_WIDTH, type TileReader, tilePath, tileWidth } from './tree/tile.js'
