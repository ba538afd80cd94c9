// `<ledger>.tree`: the Merkle tree nodes of a JSONL ledger, 32 bytes each, in order of completion (`stored-node.ts`).
// The file can be rebuilt from the ledger at any time, so it is not synced to disk. It is trusted only if its root
// matches the head.
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { EMPTY_FRONTIER, type Frontier, HASH_BYTES, type TreeNode } from '@sudoagent/crypto/tree'
import { storedNodeAt, storedNodeCount } from '../../tree/stored-node.js'

export class TreeFile {
  readonly #fd: number
  #closed = false

  private constructor(fd: number) {
    this.#fd = fd
  }

  /** Opens the file for a writer, or creates it. */
  static openOrCreate(path: string): TreeFile {
    // The flag `w+` would truncate the file, and `a+` writes only at the end. O_NOFOLLOW is set because a planted
    // link could lead to a file of a different user.
    return new TreeFile(openSync(path, constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0), 0o600))
  }

  /** Opens the file for a reader; null if the file does not exist or cannot be read. */
  static open(path: string): TreeFile | null {
    try {
      const fd = openSync(path, 'r')
      if (fstatSync(fd).isFile()) return new TreeFile(fd)
      closeSync(fd)
      return null
    } catch {
      return null
    }
  }

  /** Reads the node at a storage index; the result is shorter than a hash if the file ends early. */
  hashAt(place: number): Uint8Array {
    const hash = new Uint8Array(HASH_BYTES)
    return hash.subarray(0, readSync(this.#fd, hash, 0, HASH_BYTES, place * HASH_BYTES))
  }

  /** Whether the file is long enough for the tree of `size` entries. */
  covers(size: number): boolean {
    return fstatSync(this.#fd).size >= storedNodeCount(size) * HASH_BYTES
  }

  /** Reads the right edge of the tree of `size` entries; null if the stored nodes are incomplete. */
  frontier(size: number): Frontier | null {
    if (size === 0) return EMPTY_FRONTIER
    const hashes: Uint8Array[] = []
    for (let level = Math.floor(Math.log2(size)) + 1; level >= 0; level -= 1) {
      const nodes = Math.floor(size / 2 ** level)
      if (nodes % 2 === 0) continue
      const hash = this.hashAt(storedNodeAt(level, nodes - 1))
      if (hash.length !== HASH_BYTES) return null
      hashes.push(hash)
    }
    return { size, hashes }
  }

  /** Writes the nodes completed by the entries after the first `size`. */
  write(size: number, nodes: readonly TreeNode[]): void {
    const bytes = Buffer.concat(nodes.map(({ hash }) => hash))
    const start = storedNodeCount(size) * HASH_BYTES
    for (let done = 0; done < bytes.length; )
      done += writeSync(this.#fd, bytes, done, bytes.length - done, start + done)
  }

  close(): void {
    // The file is closed only once: a second `closeSync` could close a different file that has reused the descriptor.
    if (!this.#closed) closeSync(this.#fd)
    this.#closed = true
  }
}
