// Makes inclusion and consistency proofs (RFC 6962 §2.1) from a ledger.

import { hexToBytes } from '@sudoagent/crypto/bytes'
import {
  consistencyProof,
  EMPTY_FRONTIER,
  frontierRoot,
  type HashReader,
  inclusionProof,
  leafHash,
  readFrontier,
  verifyConsistency,
  verifyInclusion,
} from '@sudoagent/crypto/tree'
import { parseLine } from '../entry/line.js'
import { LedgerError } from '../error.js'
import { LINE_BYTES_MAX } from '../limits.js'
import type { LedgerReader } from '../port/reader.js'
import { grow } from './grow.js'
import { createStoredNodeReader } from './stored-node.js'

/**
 * Makes the inclusion proof of an entry: the hashes from its leaf's sibling up to the root. Reads O(log n) hashes
 * from the stored tree or, if there is none, reads all entries.
 *
 * @param position - position of the entry, 1-based
 * @param size - size of the tree in entries, usually the size of a checkpoint
 * @throws RangeError unless 1 ≤ position ≤ size; LedgerError ENTRY_NOT_FOUND if the ledger has fewer entries,
 * LEDGER_DAMAGED if its tree or an entry cannot be read
 * @example
 * const hashes = await proveInclusion(reader, 41, checkpoint.size)
 * verifyInclusion(leafHash(hexToBytes(entryHash)), 40, checkpoint.size, hashes, checkpoint.root) // true
 */
export async function proveInclusion(reader: LedgerReader, position: number, size: number): Promise<Uint8Array[]> {
  if (!Number.isSafeInteger(position) || position < 1 || position > size) {
    throw new RangeError('position must be an integer from 1 to size')
  }
  return damageNamed(inclusionProof(position - 1, size, await treeOf(reader, size)))
}

/**
 * Makes the consistency proof between two sizes of the ledger's tree.
 *
 * @throws RangeError unless 1 ≤ oldSize ≤ newSize; the LedgerErrors of `proveInclusion`
 */
export async function proveConsistency(reader: LedgerReader, oldSize: number, newSize: number): Promise<Uint8Array[]> {
  if (!Number.isSafeInteger(oldSize) || oldSize < 1 || oldSize > newSize) {
    throw new RangeError('oldSize must be an integer from 1 to newSize')
  }
  return damageNamed(consistencyProof(oldSize, newSize, await treeOf(reader, newSize)))
}

/**
 * Makes the inclusion proof of an entry in the tree of a checkpoint, and verifies the proof, since a stored tree is
 * untrusted. If the proof from the stored tree is invalid, the tree is rebuilt from the entries.
 *
 * @throws LedgerError LEDGER_DAMAGED if the Merkle root of the entries does not match the checkpoint
 */
export async function proveEntry(
  reader: LedgerReader,
  entry: { readonly position: number; readonly entryHash: string },
  checkpoint: { readonly size: number; readonly root: Uint8Array },
): Promise<Uint8Array[]> {
  const { size, root } = checkpoint
  const leaf = leafHash(hexToBytes(entry.entryHash))
  const holds = (proof: Uint8Array[]): boolean => verifyInclusion(leaf, entry.position - 1, size, proof, root)
  const stored = reader.treeReader(size)
  if (stored !== null) {
    const proof = await inclusionProof(entry.position - 1, size, stored).catch(() => null)
    if (proof !== null && holds(proof)) return proof
  }
  const proof = await damageNamed(inclusionProof(entry.position - 1, size, await walkTree(reader, size)))
  if (holds(proof)) return proof
  throw new LedgerError('LEDGER_DAMAGED', 'the Merkle root of the entries does not match the checkpoint', {
    hint: 'run `sudoagent verify` on the ledger',
  })
}

/** A proof that the tree of a checkpoint extends a smaller tree. */
export interface PrefixProof {
  /** Root of the smaller tree. */
  readonly root: Uint8Array
  /** The consistency proof, in the form that `verifyConsistency` takes. */
  readonly hashes: readonly Uint8Array[]
}

/**
 * Makes the consistency proof from an earlier tree size to a checkpoint, and verifies the proof. The result includes
 * the root at the earlier size, so that it can be compared with a checkpoint kept elsewhere. If the proof from the
 * stored tree is invalid, the tree is rebuilt from the entries.
 *
 * @throws RangeError unless 1 ≤ size ≤ checkpoint.size; LedgerError ENTRY_NOT_FOUND if the ledger has fewer entries
 * than the checkpoint, LEDGER_DAMAGED if the Merkle root of the entries does not match the checkpoint, or if an entry
 * cannot be read
 */
export async function provePrefix(
  reader: LedgerReader,
  size: number,
  checkpoint: { readonly size: number; readonly root: Uint8Array },
): Promise<PrefixProof> {
  if (!Number.isSafeInteger(size) || size < 1 || size > checkpoint.size) {
    throw new RangeError('size must be an integer from 1 to the checkpoint size')
  }
  const stored = reader.treeReader(checkpoint.size)
  const proof = stored && (await prefixIn(stored, size, checkpoint).catch(() => null))
  if (proof !== null) return proof
  const walked = await damageNamed(prefixIn(await walkTree(reader, checkpoint.size), size, checkpoint))
  if (walked !== null) return walked
  throw new LedgerError('LEDGER_DAMAGED', 'the Merkle root of the entries does not match the checkpoint', {
    hint: 'run `sudoagent verify` on the ledger',
  })
}

/** Null if the root of the tree does not match the checkpoint. */
async function prefixIn(
  tree: HashReader,
  size: number,
  checkpoint: { readonly size: number; readonly root: Uint8Array },
): Promise<PrefixProof | null> {
  const root = frontierRoot(await readFrontier(size, tree))
  const hashes = await consistencyProof(size, checkpoint.size, tree)
  return verifyConsistency(size, checkpoint.size, root, checkpoint.root, hashes) ? { root, hashes } : null
}

/** The nodes of the tree of `size` entries, read from the stored tree or computed from the entries. */
async function treeOf(reader: LedgerReader, size: number): Promise<HashReader> {
  return reader.treeReader(size) ?? (await walkTree(reader, size))
}

async function walkTree(reader: LedgerReader, size: number): Promise<HashReader> {
  const nodes: Uint8Array[] = []
  let frontier = EMPTY_FRONTIER
  for await (const batch of reader.batches()) {
    for (const { bytes, fault, position } of batch) {
      if (frontier.size === size) break
      const parsed = fault === undefined && bytes.length <= LINE_BYTES_MAX ? parseLine(bytes) : null
      if (parsed === null || !parsed.ok) {
        throw new LedgerError('LEDGER_DAMAGED', `entry ${position} cannot be read`, {
          hint: 'run `sudoagent verify` on it',
        })
      }
      const grown = grow(frontier, [{ entryHash: parsed.entry.entry_hash }])
      frontier = grown.frontier
      for (const { hash } of grown.nodes) nodes.push(hash)
    }
    if (frontier.size === size) return createStoredNodeReader((place) => nodes[place] ?? new Uint8Array(0))
  }
  throw new LedgerError('ENTRY_NOT_FOUND', `the ledger has ${frontier.size} entries, not ${size}`)
}

async function damageNamed<T>(proof: Promise<T>): Promise<T> {
  try {
    return await proof
  } catch (cause) {
    if (cause instanceof LedgerError || cause instanceof RangeError) throw cause
    throw new LedgerError('LEDGER_DAMAGED', 'the stored tree cannot be read', {
      hint: 'run `sudoagent verify` on the ledger',
      cause,
    })
  }
}
