// Decides whether a run can resume where an earlier run ended. A run may skip the earlier entries only if all given
// evidence can be compared with the saved state.
import { CryptoError } from '@sudoagent/crypto'
import { hashEntry } from '@sudoagent/crypto/entry'
import { consistencyProof, frontierRoot, type HashReader, verifyConsistency } from '@sudoagent/crypto/tree'
import { parseLine } from '../entry/line.js'
import { LedgerError } from '../error.js'
import type { LedgerReader } from '../port/reader.js'
import type { TreePoint } from '../tree/walk.js'
import type { ExternalAnchors } from './external-anchors.js'
import { areKeysOf, type VerifiedState } from './saved-state.js'
import { statedOf } from './stored-checkpoints.js'
import type { GivenKey } from './trust.js'
import type { UnverifiedCheckpoint } from './unverified-checkpoint.js'
import type { Walk, WalkStart } from './walk.js'

/**
 * The start of a walk: after the given state if all evidence can be compared with the state, otherwise at the first
 * entry.
 */
export async function startOf(
  reader: LedgerReader,
  kept: ExternalAnchors,
  publicKeys: readonly GivenKey[],
): Promise<WalkStart> {
  const { state } = kept
  const head = statedOf(kept.head)
  const anchors = kept.anchors.flatMap((anchor) => ('problem' in anchor ? [] : [anchor]))
  const checkpoints = [head, statedOf(kept.cosigned), ...anchors.map(({ checkpoint }) => checkpoint)].filter(
    (checkpoint) => checkpoint !== null,
  )
  const positions = anchors.flatMap(({ entry }) => entry?.position ?? [])
  const sizes = [...checkpoints.map(({ size }) => size), ...positions]
  // A receipt without a proof can be compared only with the entry itself.
  const bare = anchors.filter(({ checkpoint }) => checkpoint === null).flatMap(({ entry }) => entry?.position ?? [])
  if (state !== null && areKeysOf(state, publicKeys) && bare.every((position) => position >= state.size)) {
    const known = await knownPoints(reader, state, head, checkpoints)
    if (known !== null) return { publicKeys, state, sizes, known }
  }
  return { publicKeys, state: null, sizes: [...sizes, ...(state === null ? [] : [state.size])], known: new Map() }
}

/** The state that a run without findings saves for the next run. Null if the first entry was unreadable. */
export function stateBehind(walk: Walk, head: UnverifiedCheckpoint | null): VerifiedState | null {
  const { trust, tally, entries: size, entryHash } = walk
  const frontier = walk.tree.frontier()
  if (trust.ring === null || frontier === null || entryHash === null) return null
  const questions = walk.questions.end(tally.recordedAt)
  return {
    size,
    entryHash,
    frontier,
    recordedAt: tally.recordedAt,
    createdAt: [tally.firstAt, tally.lastAt],
    counts: {
      decisions: tally.decisions,
      outcomes: tally.outcomes,
      signed: tally.signed,
      trusted: tally.trusted,
      createdLate: tally.createdLate,
      approved: tally.approved,
      approvedRedacted: tally.approvedRedacted,
      controlsUnknown: tally.controlsUnknown,
    },
    ring: trust.ring,
    given: trust.given,
    trusted: trust.trusted,
    named: [...walk.keysNamed].sort(),
    openCalls: [...walk.lifecycle.openCalls()],
    stops: walk.stops.open,
    questions: questions.open,
    questionsExpired: questions.expired,
    resumes: walk.stops.resumes,
    checkpoint: head?.text ?? null,
  }
}

/**
 * The tree at sizes smaller than the state; null if the tree cannot be proven from the state, or if the state belongs
 * to a different ledger.
 */
async function knownPoints(
  reader: LedgerReader,
  state: VerifiedState,
  head: UnverifiedCheckpoint | null,
  checkpoints: readonly UnverifiedCheckpoint[],
): Promise<ReadonlyMap<number, TreePoint> | null> {
  if (!(await hasEntryOf(reader, state))) return null
  const older = checkpoints.filter(({ size }) => size < state.size)
  const points = new Map<number, TreePoint>()
  const readHash = older.length === 0 ? null : reader.treeReader(state.size)
  for (const checkpoint of older) {
    // The earlier run has already compared this head with the entries.
    const isSeen = checkpoint === head && head.text === state.checkpoint
    if (!isSeen && !(readHash !== null && (await isPrefix(checkpoint, state, readHash)))) return null
    points.set(checkpoint.size, { root: checkpoint.root, entryHash: null })
  }
  return points
}

/** Whether the last entry of the earlier run still exists and is unchanged. */
async function hasEntryOf(reader: LedgerReader, { size, entryHash }: VerifiedState): Promise<boolean> {
  const line = await reader.lineAt(size).catch(orDamaged)
  if (line === null || line.fault !== undefined) return false
  const parsed = parseLine(line.bytes)
  return parsed.ok && parsed.entry.entry_hash === entryHash && hashEntry(parsed.text, parsed.members) === entryHash
}

/**
 * Whether the tree of the state extends an older tree. The stored nodes are untrusted, but a proof with wrong nodes
 * does not verify.
 */
async function isPrefix(
  { size, root }: UnverifiedCheckpoint,
  state: VerifiedState,
  readHash: HashReader,
): Promise<boolean> {
  try {
    const proof = await consistencyProof(size, state.size, readHash)
    return verifyConsistency(size, state.size, root, frontierRoot(state.frontier), proof)
  } catch (error) {
    if (error instanceof CryptoError) return false
    orDamaged(error)
    return false
  }
}

/**
 * Returns a missing result if the store is damaged. The run then starts with the first entry and reports the damage.
 */
function orDamaged(error: unknown): null {
  if (error instanceof LedgerError && error.code === 'LEDGER_DAMAGED') return null
  throw error
}
