// The Merkle tree of a ledger (RFC 6962) while its entries go by: the right edge and nothing else. It gives the roots that `frontier.ts` of the
// crypto package gives, in a third of the time: two hashes an entry, and no array, no buffer and no check of what was checked before.
//
//   after 11 entries:  level 3: root of entries 1 to 8 · level 1: root of entries 9 and 10 · level 0: leaf of entry 11
import {
  EMPTY_FRONTIER,
  emptyRoot,
  type Frontier,
  HASH_BYTES,
  type Hash,
  hexToBytes,
  sha256Hex,
} from '@sudoagent/crypto'

// What is hashed stands in one buffer for each level: 0x01, the left node, the right node. The left half is the edge.
const LEFT = 1
const RIGHT = LEFT + HASH_BYTES

export class RunningTree {
  readonly #leaf = Buffer.alloc(1 + HASH_BYTES)
  readonly #levels: Buffer[] = []
  #size: number

  /** @param start - the tree to go on from, as `parseFrontier` checked it */
  constructor(start: Frontier = EMPTY_FRONTIER) {
    this.#size = start.size
    // The smallest subtree is the last of a frontier.
    const hashes = [...start.hashes]
    for (const [level, nodes] of this.#halves()) if (nodes % 2 === 1) this.#level(level).set(hashes.pop() ?? [], LEFT)
  }

  /** How many entries the tree has. */
  get size(): number {
    return this.#size
  }

  /** Takes the next entry. */
  add(entryHash: Hash): void {
    this.#leaf.write(entryHash, LEFT, 'hex')
    this.#addLeaf(sha256Hex(this.#leaf))
  }

  /** Takes the next entry by the hash of its leaf, which stands in `leaves` at `at`. */
  addLeaf(leaves: Uint8Array, at: number): void {
    // An even leaf waits at the lowest level for its neighbour; no text of it is needed.
    if (this.#size % 2 === 1) this.#addLeaf(hexAt(leaves, at))
    else {
      this.#level(0).set(leaves.subarray(at, at + HASH_BYTES), LEFT)
      this.#size += 1
    }
  }

  #addLeaf(leaf: string): void {
    let hash = leaf
    let level = 0
    for (let rest = this.#size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      const node = this.#level(level)
      node.write(hash, RIGHT, 'hex')
      hash = sha256Hex(node)
      level += 1
    }
    this.#level(level).write(hash, LEFT, 'hex')
    this.#size += 1
  }

  root(): Uint8Array {
    let root: Hash | null = null
    for (const [level, nodes] of this.#halves()) {
      if (nodes % 2 === 0) continue
      const node = this.#level(level)
      if (root === null) root = node.toString('hex', LEFT, RIGHT) as Hash
      else {
        node.write(root, RIGHT, 'hex')
        root = sha256Hex(node)
      }
    }
    return root === null ? emptyRoot() : hexToBytes(root)
  }

  frontier(): Frontier {
    const hashes = [...this.#halves()]
      .filter(([, nodes]) => nodes % 2 === 1)
      .map(([level]) => Uint8Array.from(this.#level(level).subarray(LEFT, RIGHT)))
    return { size: this.#size, hashes: hashes.reverse() }
  }

  /** Each level, from the leaves up, and how many complete nodes it has. */
  *#halves(): Generator<readonly [level: number, nodes: number]> {
    for (let level = 0, nodes = this.#size; nodes > 0; level += 1, nodes = Math.floor(nodes / 2)) yield [level, nodes]
  }

  #level(level: number): Buffer {
    const known = this.#levels[level]
    if (known !== undefined) return known
    const node = Buffer.alloc(1 + 2 * HASH_BYTES)
    node[0] = 1
    this.#levels[level] = node
    return node
  }
}

const hexAt = (bytes: Uint8Array, at: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + at, HASH_BYTES).toString('hex')
