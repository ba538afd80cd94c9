// `<ledger>.tree`: the nodes of a JSONL ledger's tree, 32 bytes each, in the order in which they became complete (`stored-node.ts`). It can be
// made anew from the ledger at any time, so nobody waits for it to reach the disk; what is found in it is believed only when it leads to the
// root of the head.
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { EMPTY_FRONTIER, type Frontier, HASH_BYTES, type TreeNode } from '@sudoagent/crypto'
import { storedNodeAt, storedNodeCount } from '../../tree/stored-node.js'

export class TreeFile {
  readonly #fd: number
  #closed = false

  private constructor(fd: number) {
    this.#fd = fd
  }

  /** Opens it for a writer, and makes it when it is not there. */
  static openOrCreate(path: string): TreeFile {
    // Not `w+`, which would empty it; not `a+`, which writes at the end only. A link that somebody planted there leads to a file of somebody else.
    return new TreeFile(openSync(path, constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0), 0o600))
  }

  /** Opens it for a reader; null when it is not there or cannot be read. */
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

  /** The node at a place; empty when the file ends before it. */
  hashAt(place: number): Uint8Array {
    const hash = new Uint8Array(HASH_BYTES)
    return hash.subarray(0, readSync(this.#fd, hash, 0, HASH_BYTES, place * HASH_BYTES))
  }

  /** Whether there is room in it for the tree of `size` entries. */
  covers(size: number): boolean {
    return fstatSync(this.#fd).size >= storedNodeCount(size) * HASH_BYTES
  }

  /** The right edge of the tree of `size` entries, as it is stored; null when it is not whole. */
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

  /** Writes the nodes that the entries behind the first `size` completed. */
  write(size: number, nodes: readonly TreeNode[]): void {
    const bytes = Buffer.concat(nodes.map(({ hash }) => hash))
    const start = storedNodeCount(size) * HASH_BYTES
    for (let done = 0; done < bytes.length; )
      done += writeSync(this.#fd, bytes, done, bytes.length - done, start + done)
  }

  close(): void {
    // Once: a second closeSync could hit a file that got the same number since.
    if (!this.#closed) closeSync(this.#fd)
    this.#closed = true
  }
}
