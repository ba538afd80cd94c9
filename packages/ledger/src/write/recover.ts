// Recovers entries that the head does not cover. Such entries exist if a process crashed before it wrote the head, if
// SudoAgent for Python appended them, or if the ledger was written by a version without heads. The next head will
// cover these entries, so the writer accepts only entries that a verifier would accept.
import { createVerifier } from '@sudoagent/crypto'
import { decodeBase64 } from '@sudoagent/crypto/bytes'
import { hashEntry } from '@sudoagent/crypto/entry'
import { readStoredControl, requestIdOf } from '../entry/control.js'
import { authorityOf, type EntryDraft, isCallEntry, type LedgerEntry } from '../entry/entry.js'
import type { ParsedLine } from '../entry/line.js'
import { memberText, parseLine } from '../entry/line.js'
import { LedgerError } from '../error.js'
import { answeredApprovalProblem, storedAnswerOf } from '../rules/approval.js'
import { type KeyRing, mayFollow, ringEntryOf } from '../rules/key-ring.js'
import type { Problem } from '../rules/line-facts.js'
import {
  answerProblem,
  askedProblem,
  expiryLimit,
  openQuestion,
  type QuestionView,
  stillOpen,
} from '../standing/questions.js'
import { type ControlRow, type Standing, standingOf, stepStanding } from '../standing/standing.js'
import { coveringStop } from '../standing/stops.js'
import { grow } from '../tree/grow.js'
import type { LogState } from './advance.js'
import { NO_CHANGES, type QuestionChanges } from './call-records.js'

/** A recovered entry. */
export interface Recovered {
  readonly state: LogState
  readonly requestId: string | null
  readonly nodes: ReturnType<typeof grow>['nodes']
  /** The row of the control index; null if the entry has none. */
  readonly row: ControlRow | null
  /** The changes of the kept questions by the entry. */
  readonly questions: QuestionChanges
}

/**
 * Recovers the next stored line.
 *
 * @param questions - the questions before the line
 * @throws LedgerError LEDGER_DAMAGED if the line is not an entry, does not follow the entry before it, is not signed
 * by a required key, allows a call that an open stop covers, or breaks a rule of questions
 */
export function recover(state: LogState, bytes: Uint8Array, path: string, questions: QuestionView): Recovered {
  const position = state.head.size + 1
  const refuse = (why: string): never => {
    throw new LedgerError('LEDGER_DAMAGED', `\`${path}\`: entry ${position} ${why}`, {
      hint: 'run `sudoagent verify` on it',
    })
  }
  const parsed = parseLine(bytes)
  if (!parsed.ok) return refuse(`cannot be read: ${parsed.message}`)
  const { entry } = parsed
  if (!isLinked(parsed, state)) return refuse('does not follow the entry before it, or its hash does not match')
  const { standing, problem, row } = stepStanding(standingOf(state), ringEntryOf(entry), position)
  if (problem !== null) return refuse(`is invalid: ${problem.message}`)
  if (!isVouchedFor(entry, state.ring, standing.ring)) return refuse('is not signed by a key of the ledger')
  if (isStopped(entry, state)) return refuse('allows a call that was stopped')
  const changes = questionChanges(parsed, position, state.head.recordedAt, questions)
  if ('code' in changes) return refuse(`breaks a rule: ${changes.message}`)
  const { frontier, nodes } = grow(state.frontier, [{ entryHash: entry.entry_hash }])
  const head = { size: position, entryHash: entry.entry_hash, recordedAt: entry.recorded_at ?? state.head.recordedAt }
  return { state: { head, frontier, ...standing }, requestId: requestIdOf(entry), nodes, row, questions: changes }
}

/**
 * The changes of the kept questions by an entry; or the rule that the entry breaks.
 *
 * @param before - `recorded_at` of the entry before it
 */
export function questionChanges(
  line: ParsedLine,
  position: number,
  before: string | null,
  questions: QuestionView,
): QuestionChanges | Problem {
  const { entry, text, members } = line
  if (!isCallEntry(entry)) {
    const asked = readStoredControl(entry, line)
    if (asked?.kind === 'invalid') return { code: 'CONTROL_INVALID', message: 'its content does not match its kind' }
    if (asked?.kind !== 'asked') return NO_CHANGES
    const at = { recordedAt: entry.recorded_at ?? null, before }
    const opened = [openQuestion(asked, position)]
    return askedProblem(asked, questions, at) ?? { opened, closed: [], expiredBefore: expiryLimit(before) }
  }
  if (entry.event !== 'decision') return NO_CHANGES
  const { request_id: requestId, agent_id: agentId, decision } = entry
  const question = stillOpen(questions, requestId, before)
  const answer = storedAnswerOf(entry, line)
  if (question === undefined && answer === null) return NO_CHANGES
  const { decision_hash: decisionHash, policy_hash: policyHash } = decision
  const authority = memberText(text, members, 'authority')
  const problem = answerProblem({ requestId, decisionHash, policyHash, agentId, authority, answer }, question)
  const approval = problem ?? answeredApprovalProblem(entry as EntryDraft, entry.recorded_at ?? null)
  return approval ?? { opened: [], closed: [requestId], expiredBefore: null }
}

function isStopped(entry: LedgerEntry, { stops }: LogState): boolean {
  if (stops.size === 0 || !isCallEntry(entry) || entry.decision.effect !== 'allow' || entry.event !== 'decision')
    return false
  const { agent_id: agentId, action } = entry
  return coveringStop(stops, { agentId, action, authority: authorityOf(entry) }) !== undefined
}

/**
 * Applies an entry that the head already covers. The standing determines who may sign the head and which calls are
 * stopped, so only checked entries may change it.
 *
 * @returns the standing after the entry, and its row of the control index; null if the entry is invalid
 */
export function standingBehind(
  standing: Standing,
  bytes: Uint8Array,
  position: number,
): { readonly standing: Standing; readonly row: ControlRow | null } | null {
  const parsed = parseLine(bytes)
  if (!parsed.ok || hashEntry(parsed.text, parsed.members) !== parsed.entry.entry_hash) return null
  const { standing: after, problem, row } = stepStanding(standing, ringEntryOf(parsed.entry), position)
  return problem === null && isVouchedFor(parsed.entry, standing.ring, after.ring) ? { standing: after, row } : null
}

/** The entry must be signed by an earlier key: a key cannot add itself. A genesis is signed by a key that it lists. */
function isVouchedFor(entry: LedgerEntry, before: KeyRing | null, behind: KeyRing | null): boolean {
  const ring = before ?? behind
  return ring === null || !ring.entriesSigned || isSigned(entry, ring)
}

function isLinked({ entry, text, members }: ParsedLine, { head }: LogState): boolean {
  return entry.prev_entry_hash === head.entryHash && hashEntry(text, members) === entry.entry_hash
}

function isSigned(entry: LedgerEntry, ring: KeyRing): boolean {
  const { key_id: keyId, entry_signature: signature } = entry
  const key = keyId === undefined ? undefined : ring.keys.get(keyId)
  if (keyId === undefined || key === undefined || signature === undefined || !mayFollow(ring, keyId)) return false
  const bytes = decodeBase64(signature)
  return bytes !== null && createVerifier(key.publicKey).verify(Buffer.from(entry.entry_hash, 'ascii'), bytes)
}
