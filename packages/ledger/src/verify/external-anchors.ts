// Collects and checks all evidence: the checkpoints stored with the ledger, and the anchors that the caller kept
// elsewhere.
import { policyVerifiers, type WitnessPolicy } from '@sudoagent/crypto/note'
import type { ReportFinding } from '../entry/finding.js'
import type { LedgerReader } from '../port/reader.js'
import { type Anchor, checkAnchor, checkStateAnchor, readAnchors, type UnreadableAnchor } from './anchor.js'
import type { CheckpointResult } from './check-checkpoint.js'
import type { AnchorReport } from './report.js'
import type { VerifiedState } from './saved-state.js'
import { areKeysOf } from './saved-state.js'
import { checkCosigned, checkStoredHead, readStoredCheckpoint, type StoredCheckpoint } from './stored-checkpoints.js'
import type { PolicyKeys } from './unverified-checkpoint.js'
import type { Walk, WalkStart } from './walk.js'

/** The parsed evidence, unverified. */
export interface ExternalAnchors {
  readonly head: StoredCheckpoint
  readonly cosigned: StoredCheckpoint
  readonly anchors: readonly (Anchor | UnreadableAnchor)[]
  readonly state: VerifiedState | null
  readonly policyKeys: PolicyKeys
}

/** The results of comparing the evidence with the ledger. */
export interface ComparedEvidence {
  readonly head: CheckpointResult | null
  readonly anchors: readonly AnchorReport[]
  /** Every readable checkpoint, from all sources, including the head. */
  readonly checkpoints: readonly CheckpointResult[]
}

interface Given {
  readonly checkpoints?: readonly string[]
  readonly receipts?: readonly string[]
  readonly resume?: VerifiedState
  readonly witnessPolicy?: WitnessPolicy
}

/** @throws RangeError for more than 1,000 checkpoints or receipts; LedgerError if the store cannot be read */
export async function readKeptEvidence(reader: LedgerReader, given: Given): Promise<ExternalAnchors> {
  const anchors = readAnchors(given.checkpoints ?? [], given.receipts ?? [])
  const { head, cosigned } = await reader.evidence()
  return {
    head: readStoredCheckpoint(head),
    cosigned: readStoredCheckpoint(cosigned),
    anchors,
    state: given.resume ?? null,
    policyKeys: {
      witnesses: given.witnessPolicy === undefined ? [] : policyVerifiers(given.witnessPolicy),
      logKeys: given.witnessPolicy?.logs.map(({ key }) => key.publicKey) ?? [],
    },
  }
}

export function checkExternalAnchors(
  kept: ExternalAnchors,
  walk: Walk,
  start: WalkStart,
  find: ReportFinding,
): ComparedEvidence {
  const { policyKeys } = kept
  const head = checkStoredHead(kept.head, walk, policyKeys, find)
  const cosigned = checkCosigned(kept.cosigned, walk, policyKeys, find)
  const anchors: AnchorReport[] = []
  const checkpoints = [head, cosigned].filter((checkpoint) => checkpoint !== null)
  for (const anchor of kept.anchors) {
    if ('problem' in anchor) {
      find('CHECKPOINT_INVALID', anchor.problem, 'use the original file, unchanged')
      continue
    }
    const judged = checkAnchor(anchor, walk, policyKeys, find)
    anchors.push(judged.report)
    if (judged.checkpoint !== null) checkpoints.push(judged.checkpoint)
  }
  if (kept.state !== null) anchors.push(checkState(kept.state, walk, start, find))
  return { head, anchors, checkpoints }
}

function checkState(
  state: VerifiedState,
  walk: Walk,
  { state: resumed, publicKeys }: WalkStart,
  find: ReportFinding,
): AnchorReport {
  // The walk resumed from this state, so every later entry was checked against the state.
  if (resumed !== null) return { kind: 'state', size: state.size, position: null, signed_by: [], holds: true }
  if (!areKeysOf(state, publicKeys)) find('INCONSISTENT', 'the earlier run used different public keys', OTHER_KEYS_HINT)
  return checkStateAnchor(state, walk, find)
}

const OTHER_KEYS_HINT = 'use the same keys, or delete the state file to start again with these'
