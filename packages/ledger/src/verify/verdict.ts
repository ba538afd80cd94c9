// Determines the verdict of a run, and whether the run meets the caller's requirements.
import { CryptoError } from '@sudoagent/crypto'
import { policyLogKeys, type WitnessPolicy, witnessesWithKeys } from '@sudoagent/crypto/note'
import type { ReportFinding } from '../entry/finding.js'
import { POSITIONS_TOLD_MAX } from '../limits.js'
import type { Lifecycle } from '../rules/lifecycle.js'
import type { CheckpointResult } from './check-checkpoint.js'
import type { ComparedEvidence } from './external-anchors.js'
import { completedAt, type Reach } from './freshness.js'
import type { Report, Verdict } from './report.js'
import type { Walk } from './walk.js'

/** Grades that a caller can require. */
export type Requirement = 'signed' | 'anchored' | 'witnessed'

/** Requirements that the caller sets, in addition to the absence of findings. */
export interface Requirements {
  /** The expected origin. */
  readonly origin?: string
  /**
   * The witness policy: the quorum must have cosigned a matching checkpoint. If the policy names logs, the ledger
   * must be one of these logs, and the log's key must have signed that checkpoint.
   */
  readonly witnessPolicy?: WitnessPolicy
  /** The minimum grade. A lower grade is a finding. */
  readonly require?: Requirement
  /**
   * Maximum number of entries after the largest checkpoint of the required grade. With `require: 'witnessed'` or a
   * witness policy, the quorum must have cosigned the checkpoint; with `anchored`, the checkpoint must have been kept
   * elsewhere; otherwise, any matching checkpoint counts.
   */
  readonly maxTail?: number
  /** Maximum age of the largest checkpoint of the required grade, in seconds. */
  readonly maxAgeSeconds?: number
  /** Whether every allowed call must have an outcome. */
  readonly requireOutcomes?: boolean
}

/** The verdict of a run, provided that there are no findings. */
export interface Assurance {
  readonly signed: boolean
  readonly anchored: boolean
  readonly witnessed: boolean
  readonly witnesses: Report['witnesses']
  readonly tail: number
  readonly anchoredTo: number | null
  /** The largest checkpoint of the required grade. */
  readonly reach: Reach
}

/**
 * @throws TypeError for an unknown requirement or an origin that is not a string; RangeError for a limit that is not
 * a non-negative integer
 */
export function checkDemands({ require, maxTail, maxAgeSeconds, origin }: Requirements): void {
  if (require !== undefined && !Object.hasOwn(NEEDS, require)) {
    throw new TypeError(`require must be one of ${Object.keys(NEEDS).join(', ')}`)
  }
  if (origin !== undefined && typeof origin !== 'string') throw new TypeError('origin must be a string')
  for (const [name, limit] of Object.entries({ maxTail, maxAgeSeconds })) {
    if (limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 0)) {
      throw new RangeError(`${name} must be a whole number, 0 or more`)
    }
  }
}

/**
 * Checks all requirements except the grade. Evidence that was not checked does not count, even if there are no
 * findings.
 */
export function checkRequirements(
  walk: Walk,
  compared: ComparedEvidence,
  demands: Requirements,
  find: ReportFinding,
): Assurance {
  const { entries, trust, tally } = walk
  const { head, anchors, checkpoints } = compared
  const { witnessPolicy: policy, maxTail, requireOutcomes } = demands
  checkOrigin(walk, demands, find)
  const witnesses = policy === undefined ? null : checkWitnesses(walk, checkpoints, policy, find)
  const held = Math.max(0, ...checkpoints.map(({ holds, size }) => (holds ? size : 0)))
  const tail = entries - held
  const anchoredTo =
    anchors.length === 0 ? null : Math.max(0, ...anchors.map(({ holds, size }) => (holds ? size : 0))) || null
  const signedTo = Math.max(
    0,
    ...checkpoints.map(({ holds, isVouchedFor, size }) => (holds && isVouchedFor ? size : 0)),
  )
  const reach = reachOf(demands, demands.require === 'signed' ? signedTo : held, anchoredTo, witnesses)
  const behind = entries - (reach.size ?? 0)
  if (maxTail !== undefined && behind > maxTail) find('TAIL_TOO_LONG', tailMessage(behind, reach, maxTail), TAIL_HINT)
  if (requireOutcomes === true) checkOutcomes(walk.lifecycle, find)
  const isHeadSigned = head?.holds === true && head.isVouchedFor
  const signed =
    trust.given.length > 0 && entries > 0 && tally.trusted === entries && (isHeadSigned || !trust.isRequired)
  return {
    signed,
    anchored: signed && anchors.length > 0 && anchors.every(({ holds }) => holds),
    witnessed: signed && witnesses !== null,
    witnesses: witnesses && { size: witnesses.size, names: witnesses.names },
    tail,
    anchoredTo,
    reach,
  }
}

export function verdictOf({ signed, anchored, witnessed }: Assurance): Exclude<Verdict, 'broken' | 'unverified'> {
  return witnessed ? 'witnessed' : anchored ? 'anchored' : signed ? 'signed' : 'intact'
}

/** Checks that the ledger is the expected log. */
function checkOrigin({ trust }: Walk, { origin }: Requirements, find: ReportFinding): void {
  const own = trust.ring?.origin ?? null
  if (origin !== undefined && own !== null && own !== origin) {
    find('ORIGIN_MISMATCH', `the ledger is the log \`${own}\`, not \`${origin}\``, ORIGIN_HINT)
  } else if (own !== null && trust.isOfOtherLogs) {
    find('ORIGIN_MISMATCH', `none of the given keys is for the log \`${own}\``, ORIGIN_HINT)
  }
}

const ORIGIN_HINT = 'was the ledger replaced by another one?'

/** A checkpoint cosigned by the quorum. */
interface Witnessed {
  readonly size: number
  readonly names: readonly string[]
  /** The latest time that completes the quorum (`completedAt`), as Unix time in seconds. */
  readonly time: number
}

/** The largest matching checkpoint that the policy's quorum cosigned; null if the quorum is `none`. */
function checkWitnesses(
  { trust }: Walk,
  checkpoints: readonly CheckpointResult[],
  policy: WitnessPolicy,
  find: ReportFinding,
): Witnessed | null {
  const own = trust.ring?.origin
  // The origin is unknown, for which there is already a finding.
  if (own === undefined) return null
  const logKeys = logKeysOf(policy, own, find)
  if (logKeys === 'other') return null
  const ofLog = checkpoints.filter(
    ({ holds, signedBy }) => holds && (logKeys === null || logKeys.some((id) => signedBy.includes(id))),
  )
  if (logKeys !== null && ofLog.length === 0) {
    const message = `no checkpoint of this ledger is signed by the key that the witness policy names for \`${own}\``
    find('LOG_KEY_MISMATCH', message, 'compare the key in the `log` line of the policy with that of the ledger')
    return null
  }
  if (policy.quorum === null) return null
  // The ledger's own keys do not count as witnesses.
  const dependent = witnessesWithKeys(policy, trust.keys)
  const others = (witnesses: ReadonlyMap<string, number>): ReadonlyMap<string, number> =>
    new Map([...witnesses].filter(([name]) => !dependent.includes(name)))
  const cosigned = ofLog.flatMap(({ size, witnesses }): Witnessed[] => {
    const time = completedAt(policy, others(witnesses))
    return time === null ? [] : [{ size, names: [...others(witnesses).keys()].sort(), time }]
  })
  const [largest] = cosigned.sort((a, b) => b.size - a.size || b.time - a.time)
  if (largest !== undefined) return largest
  const most = Math.max(0, ...ofLog.map(({ witnesses }) => others(witnesses).size))
  const refused = dependent.length === 0 ? '' : `; \`${dependent.join('`, `')}\` uses a ledger key and does not count`
  find(
    'WITNESS_QUORUM_MISSING',
    `no checkpoint of this ledger is cosigned by the quorum \`${policy.quorum}\`: ${most} of ${policy.witnesses.size} witnesses have signed one${refused}`,
    'have the head cosigned, or give a cosigned checkpoint with `--checkpoint`',
  )
  return null
}

/**
 * Ids of the keys that the policy names for this log; null if the policy does not name logs; `other` if it names only
 * other logs.
 */
function logKeysOf(policy: WitnessPolicy, origin: string, find: ReportFinding): readonly string[] | null | 'other' {
  try {
    return policyLogKeys(policy, origin)?.map(({ keyId }) => keyId) ?? null
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    find('ORIGIN_MISMATCH', `the ledger is the log \`${origin}\`: ${error.message}`, error.hint)
    return 'other'
  }
}

/** The largest checkpoint of the required grade, and the name of the checkpoint in messages. */
function reachOf(
  { require, witnessPolicy }: Requirements,
  held: number,
  anchoredTo: number | null,
  witnesses: Witnessed | null,
): Reach {
  if (
    require === 'witnessed' ||
    (require === undefined && witnessPolicy !== undefined && witnessPolicy.quorum !== null)
  ) {
    return {
      what: 'the last checkpoint that the quorum cosigned',
      size: witnesses?.size ?? null,
      time: witnesses?.time ?? null,
    }
  }
  if (require === 'anchored') return { what: 'the last checkpoint kept elsewhere', size: anchoredTo, time: null }
  return { what: 'the last matching checkpoint', size: held === 0 ? null : held, time: null }
}

const tailMessage = (behind: number, { what, size }: Reach, maxTail: number): string =>
  size === null
    ? `there is no checkpoint of the required grade, so ${behind} entries are not covered; the limit is ${maxTail}`
    : `${behind} ${behind === 1 ? 'entry follows' : 'entries follow'} ${what}; the limit is ${maxTail}`
const TAIL_HINT = 'they can be removed without a trace: make a checkpoint with `sudoagent checkpoint`'

function checkOutcomes(lifecycle: Lifecycle, find: ReportFinding): void {
  const { open } = lifecycle
  if (open === 0) return
  const told: number[] = []
  for (const { position } of lifecycle.openCalls()) {
    if (told.push(position) === POSITIONS_TOLD_MAX) break
  }
  const more = open > told.length ? ` and ${open - told.length} more` : ''
  find(
    'OUTCOME_MISSING',
    `${open} allowed ${open === 1 ? 'call has' : 'calls have'} no outcome: entries ${told.join(', ')}${more}`,
    'a call is still running, its process died, or its outcome was not recorded',
  )
}

/** Checks the grade. Called only if there are no findings. */
export function checkRequirement(required: Requirement, shown: Assurance, find: ReportFinding): void {
  if (shown[required]) return
  find('REQUIREMENT_NOT_MET', `the ledger is ${verdictOf(shown)}, but ${required} is required`, NEEDS[required])
}

const NEEDS: { readonly [requirement in Requirement]: string } = {
  signed: 'give the public keys of the ledger with `--public-key`',
  anchored:
    'give the public keys, and a checkpoint or receipt that was kept elsewhere, with `--checkpoint` or `--receipt`',
  witnessed: 'give the public keys, and a policy that names a quorum of witnesses, with `--witness-policy`',
}
