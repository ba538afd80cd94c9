// Walks over the entries, and checks each line against the entry before it, the database columns, the life cycle of
// the call, and the keys that may sign. `verify.ts` compares checkpoints and other evidence with the result.

import type { Hash } from '@sudoagent/crypto'
import type { Asked } from '@sudoagent/crypto/entry'
import { frontierRoot, HASH_BYTES } from '@sudoagent/crypto/tree'
import type { Findings, ReportFinding } from '../entry/finding.js'
import type { StoredColumns, StoredLine } from '../entry/stored-line.js'
import { isCreatedLate } from '../entry/timestamp.js'
import { REPORT_KEYS_MAX } from '../limits.js'
import { ALLOWED, ASKED, CALL_WORDS, type ChunkQuestion, type ChunkSummary, OUTCOME } from '../plain/chunk-summary.js'
import { recogniseLine } from '../plain/recognise-line.js'
import { requestIdAt } from '../rules/call-key.js'
import { checkLine } from '../rules/check-line.js'
import type { DecidedCall } from '../rules/described-call.js'
import { isRingBlock } from '../rules/key-ring.js'
import { Lifecycle } from '../rules/lifecycle.js'
import type { AnsweredCall, CallFacts, ControlFacts, LineFacts, Problem, UnreadableLine } from '../rules/line-facts.js'
import { clockProblem, hashColumnProblem, linkProblem, previousColumnProblem } from '../rules/succession.js'
import { QuestionWalk } from '../standing/question-walk.js'
import { StopWalk } from '../standing/stop-walk.js'
import { type TreePoint, TreeWalk } from '../tree/walk.js'
import type { WalkedLedger } from './check-checkpoint.js'
import { isAdmissible } from './chunk-rules.js'
import { FAULTS, LOST_HINT } from './line-faults.js'
import { NO_COUNTS, type VerifiedState } from './saved-state.js'
import { type EntryFacts, type GivenKey, Trust } from './trust.js'

/** The start of a walk, and the tree sizes to remember. */
export interface WalkStart {
  readonly publicKeys: readonly GivenKey[]
  /** The earlier run from which to resume; null to start with the first entry. */
  readonly state: VerifiedState | null
  /** Sizes at which the tree is needed after the walk. */
  readonly sizes: Iterable<number>
  /** Points of the tree that are known in advance. */
  readonly known: ReadonlyMap<number, TreePoint>
}

/** Totals so far. */
export interface Tally {
  decisions: number
  outcomes: number
  signed: number
  /** Entries that are signed by a trusted key. */
  trusted: number
  firstAt: string | null
  lastAt: string | null
  createdLate: number
  /** Calls that are allowed under an approval, and those of them with something redacted. */
  approved: number
  approvedRedacted: number
  /** Lines in this run that `checkLine` read. */
  readInFull: number
  /** Control entries of kinds that this version does not know. */
  controlsUnknown: number
  recordedAt: string | null
}

export class Walk implements WalkedLedger {
  readonly trust: Trust
  readonly lifecycle: Lifecycle
  readonly stops: StopWalk
  readonly questions: QuestionWalk
  readonly tree: TreeWalk
  readonly tally: Tally
  /** Key ids named in the entries. */
  readonly keysNamed: Set<string>
  entries: number
  readonly #findings: Findings
  // The hash that the next entry must name as its predecessor. `undefined` after an unreadable line, so that the
  // check is skipped.
  #previous: Hash | null | undefined
  #isLost = false

  /** @throws RangeError for more than 64 public keys */
  constructor({ publicKeys, state, sizes, known }: WalkStart, findings: Findings) {
    this.#findings = findings
    this.trust = new Trust(publicKeys, state)
    this.lifecycle = new Lifecycle(state)
    this.stops = new StopWalk(state)
    this.questions = new QuestionWalk(state)
    this.tree = new TreeWalk(sizes, state?.frontier, state === null ? known : new Map([...known, pointOf(state)]))
    this.keysNamed = new Set(state?.named)
    this.entries = state?.size ?? 0
    this.#previous = state?.entryHash ?? null
    const counts = state?.counts ?? NO_COUNTS
    const [firstAt, lastAt] = state?.createdAt ?? [null, null]
    this.tally = { ...counts, firstAt, lastAt, readInFull: 0, recordedAt: state?.recordedAt ?? null }
  }

  /** Hash of the last entry; null if there are no entries or the last entry is unreadable. */
  get entryHash(): Hash | null {
    return this.#previous ?? null
  }

  at(size: number): TreePoint | undefined {
    return this.tree.at(size)
  }

  /** Applies the next line. */
  line(stored: StoredLine): void {
    this.entries += 1
    const facts = stored.fault === undefined ? this.#factsOf(stored.bytes) : FAULTS[stored.fault]
    if (facts.kind === 'unreadable') this.#unreadable(facts, stored.position)
    else this.#entry(stored, facts)
  }

  #factsOf(line: Uint8Array): LineFacts {
    const known = recogniseLine(line)
    if (known !== null) return known
    this.tally.readInFull += 1
    return checkLine(line)
  }

  /**
   * Applies a chunk of lines, each of which has been checked by itself and against the line before it, including
   * signatures by the keys from `trust.plainSigners()`.
   *
   * @returns false if the chunk does not follow the entries before it; in that case nothing was applied, and the
   * caller applies the chunk line by line
   */
  chunk(facts: ChunkSummary): boolean {
    const { tally, trust } = this
    const [recordedFirst, recordedLast] = facts.recordedAt
    // After an unreadable line, the predecessor is unknown, so the next line is read individually.
    if (this.#previous === undefined || linkProblem(this.#previous, facts.previous) !== null) return false
    if (clockProblem(tally.recordedAt, recordedFirst) !== null) return false
    if (!isAdmissible(facts, this) || !this.#areApprovalsNew(facts)) return false
    const before = tally.recordedAt
    tally.firstAt ??= facts.createdAt[0]
    tally.lastAt = facts.createdAt[1]
    tally.recordedAt = recordedLast
    tally.decisions += facts.decisions
    tally.outcomes += facts.outcomes
    tally.signed += facts.signed
    tally.createdLate += facts.createdLate
    tally.approved += facts.approved
    tally.approvedRedacted += facts.approvedRedacted
    tally.readInFull += facts.readInFull
    const questions = new Map(facts.questions.map((question) => [question.line, question]))
    const opened = new Map(facts.opened.map(({ line, ...decided }) => [line, decided]))
    if (trust.isAnyTrusted) tally.trusted += facts.lines
    for (const id of facts.keyIds) if (this.keysNamed.size < REPORT_KEYS_MAX) this.keysNamed.add(id)
    for (let line = 0; line < facts.lines; line += 1) {
      this.entries += 1
      this.tree.addLeaf(facts.leaves, line * HASH_BYTES, () => hashAt(facts.hashes, line * HASH_BYTES))
      this.#question(questions.get(line), before)
      if (facts.calls[line * CALL_WORDS] !== ASKED) this.#call(facts.calls, line * CALL_WORDS, opened.get(line))
    }
    this.#previous = facts.last
    return true
  }

  /**
   * Records the approvals of the chunk.
   *
   * @returns false if an approval has a problem; in that case no approval is recorded
   */
  #areApprovalsNew({ approvals }: ChunkSummary): boolean {
    if (!this.#hasGenesis) return true
    const areDifferent = new Set(approvals.map(({ id }) => id)).size === approvals.length
    if (!areDifferent || approvals.some((approval) => this.lifecycle.approvalUseProblems(approval).length > 0))
      return false
    for (const approval of approvals) this.lifecycle.useApproval(approval)
    return true
  }

  get #hasGenesis(): boolean {
    return this.trust.ring?.hasGenesis === true
  }

  #call(calls: Uint32Array, at: number, decided: DecidedCall | undefined): void {
    const kind = calls[at]
    const event = kind === OUTCOME ? 'outcome' : kind === ALLOWED ? 'allowed' : 'denied'
    for (const { code, message } of this.lifecycle.observeCall(event, calls, at + 1, this.entries, decided))
      this.#findings.add({ code, position: this.entries, message, request_id: requestIdAt(calls, at + 1) })
  }

  /** Applies a question of a chunk, or the answer to one. @param before - the time before the chunk */
  #question(question: ChunkQuestion | undefined, before: string | null): void {
    if (question === undefined) return
    const { asked, answered, recordedAt } = question
    const at = { recordedAt, before: question.before ?? before }
    const problem = asked === null ? this.#answered(answered, at.before) : this.#asked(asked, at)
    if (problem === null) return
    const ofCall = answered === null ? {} : { request_id: answered.requestId }
    this.#findings.add({ ...problem, position: this.entries, ...ofCall })
  }

  #asked(asked: Asked, at: { readonly recordedAt: string | null; readonly before: string | null }): Problem | null {
    const isDecided = this.lifecycle.hasDecided(asked.request_id)
    return this.questions.asked(asked, this.entries, { ...at, isDecided })
  }

  #answered(call: AnsweredCall | null, before: string | null): Problem | null {
    return call === null ? null : this.questions.decided(call, before)
  }

  #unreadable({ code, message, claimedHash: hash }: UnreadableLine, position: number): void {
    // The hint is given only once, since all later checkpoints are affected in the same way.
    const isLost = hash === null && !this.#isLost && this.tree.isAwaited(this.entries)
    this.#findings.add({ code, position, message, ...(isLost ? { hint: LOST_HINT } : {}) })
    this.#isLost ||= hash === null
    this.trust.skip()
    this.tree.add(hash)
    this.#previous = hash ?? undefined
  }

  #entry(stored: StoredLine, facts: EntryFacts): void {
    const { position } = stored
    const requestId = facts.kind === 'call' ? { request_id: facts.requestId } : {}
    const find: ReportFinding = (code, message, hint) =>
      this.#findings.add({ code, position, message, ...requestId, ...(hint === undefined ? {} : { hint }) })
    const report = (problem: Problem | null): void => {
      if (problem !== null) find(problem.code, problem.message)
    }
    report(linkProblem(this.#previous, facts.previous))
    this.#previous = facts.entryHash
    this.tree.add(facts.entryHash)
    facts.hashProblems.forEach(report)
    if (stored.columns !== undefined) columnProblems(stored.columns, position, facts).forEach(report)
    const before = this.trust.ring
    const { recordedAt } = this.tally
    this.#signature(facts, find)
    report(this.#clock(facts))
    if (facts.kind === 'control') {
      // The first entry, and entries after the last one, have findings of their own.
      if (before !== null && before.closedAt === null) report(this.#control(facts, recordedAt))
      return
    }
    report(facts.authorityProblem)
    if (facts.isAllowed) report(this.stops.problemOf(facts))
    if (facts.isDecision) report(this.questions.decided(facts, recordedAt))
    this.#life(facts).forEach(report)
  }

  #control({ block, recordedAt }: ControlFacts, before: string | null): Problem | null {
    if (block === null) this.tally.controlsUnknown += 1
    if (block === null || isRingBlock(block)) return null
    if (block.kind === 'asked') return this.#asked(block, { recordedAt, before })
    return this.stops.control(block, this.entries, this.lifecycle.open)
  }

  #signature(facts: EntryFacts, find: ReportFinding): void {
    const { signature, keyId } = facts
    if (keyId !== null && this.keysNamed.size < REPORT_KEYS_MAX) this.keysNamed.add(keyId)
    if (signature !== null) this.tally.signed += 1
    if (this.trust.judge(facts, this.entries, find)) this.tally.trusted += 1
  }

  #clock({ kind, recordedAt, createdAt }: EntryFacts): Problem | null {
    const { tally } = this
    if (createdAt !== null) {
      tally.firstAt ??= createdAt
      tally.lastAt = createdAt
    }
    if (recordedAt === null) return null
    if (kind === 'call' && isCreatedLate(createdAt, recordedAt)) tally.createdLate += 1
    const problem = clockProblem(tally.recordedAt, recordedAt)
    if (problem === null) tally.recordedAt = recordedAt
    return problem
  }

  #life(facts: CallFacts): readonly Problem[] {
    if (facts.isDecision) this.tally.decisions += 1
    else this.tally.outcomes += 1
    if (facts.isApproved) this.tally.approved += 1
    if (facts.isApproved && isRedacted(facts.answer)) this.tally.approvedRedacted += 1
    return this.lifecycle.observe(facts, this.entries, { hasGenesis: this.#hasGenesis })
  }
}

const isRedacted = (answer: CallFacts['answer']): boolean => answer !== null && answer.redacted !== 0

function columnProblems(columns: StoredColumns, position: number, facts: EntryFacts): readonly (Problem | null)[] {
  return [
    hashColumnProblem(columns.entryHash, facts.entryHash),
    previousColumnProblem(columns.prevEntryHash, facts.previous),
    columns.id === position
      ? null
      : { code: 'COLUMN_MISMATCH', message: `column \`id\` is ${String(columns.id)} at position ${position}` },
  ]
}

const pointOf = ({ size, frontier, entryHash }: VerifiedState): readonly [number, TreePoint] => [
  size,
  { root: frontierRoot(frontier), entryHash },
]

const hashAt = (bytes: Uint8Array, at: number): Hash =>
  Buffer.from(bytes.buffer, bytes.byteOffset + at, HASH_BYTES).toString('hex') as Hash
