// How much a run has shown, and whether that is what the caller asked for.
import { quorumReached, type WitnessPolicy } from '@sudoagent/crypto'
import type { JudgedCheckpoint } from './judged-checkpoint.js'
import type { ComparedEvidence } from './kept-evidence.js'
import type { Lifecycle } from './lifecycle.js'
import { POSITIONS_TOLD_MAX } from './limits.js'
import type { Find, Report, Verdict } from './report.js'
import type { Walk } from './walk.js'

/** Grades that a caller may ask for. */
export type Requirement = 'signed' | 'anchored' | 'witnessed'

/** What a caller asks of a ledger beyond that it holds. */
export interface Demands {
  /** Whose cosignatures are wanted: a checkpoint in the ledger must have the quorum's. */
  readonly witnessPolicy?: WitnessPolicy
  /** The grade that must be reached: a ledger that merely holds is a finding then. */
  readonly require?: Requirement
  /** How many entries may stand behind the last checkpoint. */
  readonly maxTail?: number
  /** Whether every allowed call must have an outcome. */
  readonly requireOutcomes?: boolean
}

/** What was shown, when there is no finding. */
export interface Shown {
  readonly signed: boolean
  readonly anchored: boolean
  readonly witnessed: boolean
  readonly witnesses: Report['witnesses']
  readonly tail: number
}

/** @throws TypeError for an unknown requirement, RangeError for a `maxTail` that is no count */
export function checkDemands({ require, maxTail }: Demands): void {
  if (require !== undefined && !Object.hasOwn(NEEDS, require)) {
    throw new TypeError(`require must be one of ${Object.keys(NEEDS).join(', ')}`)
  }
  if (maxTail !== undefined && !(Number.isSafeInteger(maxTail) && maxTail >= 0)) {
    throw new RangeError('maxTail must be a whole number from 0 on')
  }
}

/** Holds the ledger against what the caller asks, all but the grade itself. Nothing counts that was not checked, however few findings there are. */
export function judgeDemands(walk: Walk, compared: ComparedEvidence, demands: Demands, find: Find): Shown {
  const { entries, trust, tally } = walk
  const { head, anchors, checkpoints } = compared
  const { witnessPolicy: policy, maxTail, requireOutcomes } = demands
  const witnesses = policy === undefined ? null : judgeWitnesses(checkpoints, policy, find)
  const tail = entries - Math.max(0, ...checkpoints.map(({ holds, size }) => (holds ? size : 0)))
  if (maxTail !== undefined && tail > maxTail) find('TAIL_TOO_LONG', tailMessage(tail, maxTail), TAIL_HINT)
  if (requireOutcomes === true) judgeOutcomes(walk.lifecycle, find)
  const isHeadSigned = head?.holds === true && head.isVouchedFor
  const signed =
    trust.given.length > 0 && entries > 0 && tally.trusted === entries && (isHeadSigned || !trust.isRequired)
  return {
    signed,
    anchored: signed && anchors.length > 0 && anchors.every(({ holds }) => holds),
    witnessed: signed && witnesses !== null,
    witnesses,
    tail,
  }
}

export function verdictOf({ signed, anchored, witnessed }: Shown): Exclude<Verdict, 'broken'> {
  return witnessed ? 'witnessed' : anchored ? 'anchored' : signed ? 'signed' : 'intact'
}

/** The largest checkpoint in the ledger that the policy's quorum has cosigned. A quorum of nobody has cosigned nothing. */
function judgeWitnesses(
  checkpoints: readonly JudgedCheckpoint[],
  policy: WitnessPolicy,
  find: Find,
): Report['witnesses'] {
  if (policy.quorum === null) return null
  const cosigned = checkpoints.filter(({ holds, witnesses }) => holds && quorumReached(policy, witnesses))
  const [largest] = cosigned.sort((a, b) => b.size - a.size)
  if (largest !== undefined) return { size: largest.size, names: [...largest.witnesses].sort() }
  const most = Math.max(0, ...checkpoints.map(({ holds, witnesses }) => (holds ? witnesses.size : 0)))
  find(
    'WITNESS_QUORUM_MISSING',
    `no checkpoint of this ledger is cosigned by the quorum \`${policy.quorum}\`: ${most} of ${policy.witnesses.size} witnesses have signed one`,
    'have the head cosigned, or give a cosigned checkpoint with `--checkpoint`',
  )
  return null
}

const tailMessage = (tail: number, tailMax: number): string =>
  `${tail} ${tail === 1 ? 'entry stands' : 'entries stand'} behind the last checkpoint that holds, and ${tailMax} may`
const TAIL_HINT = 'they can be cut off without a trace: make a checkpoint with `sudoagent checkpoint`'

function judgeOutcomes(lifecycle: Lifecycle, find: Find): void {
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
    'a call is still running, its process died, or its outcome was kept off the record',
  )
}

/** To be asked when there is no finding. */
export function judgeRequirement(required: Requirement, shown: Shown, find: Find): void {
  if (shown[required]) return
  find('REQUIREMENT_NOT_MET', `the ledger is ${verdictOf(shown)}, and was asked to be ${required}`, NEEDS[required])
}

const NEEDS: { readonly [requirement in Requirement]: string } = {
  signed: 'give the public keys of the ledger with `--public-key`',
  anchored:
    'give the public keys, and a checkpoint or receipt that was kept elsewhere, with `--checkpoint` or `--receipt`',
  witnessed: 'give the public keys, and a policy that names a quorum of witnesses, with `--witness-policy`',
}
