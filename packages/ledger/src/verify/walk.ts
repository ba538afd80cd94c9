// The walk over the entries: each one held against its own hashes, the one before it, the life of its call and the keys that may sign. What
// stands beside the entries, and what others kept of them, is held against the outcome of the walk (`verify.ts`).
import { frontierRoot, HASH_BYTES, type Hash, hashDecisionFacts } from '@sudoagent/crypto'
import { hashDecision, hashProblems } from '../entry/decision-hash.js'
import { isCallEntry, type LedgerEntry } from '../entry/entry.js'
import type { Find, Findings } from '../entry/finding.js'
import { type LineProblem, type ParsedLine, parseLine } from '../entry/line.js'
import type { LineFault, StoredLine } from '../entry/stored-line.js'
import { isCreatedLate } from '../entry/timestamp.js'
import { REPORT_KEYS_MAX } from '../limits.js'
import { ALLOWED, CALL_WORDS, OUTCOME, type PartFacts } from '../plain/chunk-summary.js'
import { requestIdAt } from '../rules/call-key.js'
import { type DecidedCall, Lifecycle } from '../rules/lifecycle.js'
import { type TreePoint, TreeWalk } from '../tree/walk.js'
import type { WalkedLedger } from './check-checkpoint.js'
import type { VerifiedState } from './saved-state.js'
import { type GivenKey, Trust } from './trust.js'

/** Where a walk begins, and what it must remember on the way. */
export interface WalkStart {
  readonly publicKeys: readonly GivenKey[]
  /** An earlier run to go on from; null to begin with the first entry. */
  readonly state: VerifiedState | null
  /** Sizes at which the tree is asked for afterwards. */
  readonly sizes: Iterable<number>
  /** Points of the tree that are known without walking there. */
  readonly known: ReadonlyMap<number, TreePoint>
}

/** What was added up so far. */
export interface Tally {
  decisions: number
  outcomes: number
  signed: number
  /** With a signature that held under a trusted key. */
  trusted: number
  firstAt: string | null
  lastAt: string | null
  createdLate: number
  recordedAt: string | null
}

export class Walk implements WalkedLedger {
  readonly trust: Trust
  readonly lifecycle: Lifecycle
  readonly tree: TreeWalk
  readonly tally: Tally
  /** Ids that entries name. */
  readonly keysNamed: Set<string>
  entries: number
  readonly #findings: Findings
  // What the next entry must name as its predecessor. `undefined` after a line that could not be read: unknown, so nothing is held against the next.
  #previous: Hash | null | undefined
  #isLost = false

  /** @throws RangeError for more than 64 public keys */
  constructor({ publicKeys, state, sizes, known }: WalkStart, findings: Findings) {
    this.#findings = findings
    this.trust = new Trust(publicKeys, state)
    this.lifecycle = new Lifecycle(state)
    this.tree = new TreeWalk(sizes, state?.frontier, state === null ? known : new Map([...known, pointOf(state)]))
    this.keysNamed = new Set(state?.named)
    this.entries = state?.size ?? 0
    this.#previous = state?.entryHash ?? null
    const counts = state?.counts ?? { decisions: 0, outcomes: 0, signed: 0, trusted: 0, createdLate: 0 }
    const [firstAt, lastAt] = state?.createdAt ?? [null, null]
    this.tally = { ...counts, firstAt, lastAt, recordedAt: state?.recordedAt ?? null }
  }

  /** Hash of the last entry; null when there is none or it cannot be read. */
  get entryHash(): Hash | null {
    return this.#previous ?? null
  }

  at(size: number): TreePoint | undefined {
    return this.tree.at(size)
  }

  /** Takes the next line. */
  line(stored: StoredLine): void {
    this.entries += 1
    const parsed = stored.fault === undefined ? parseLine(stored.bytes) : FAULTS[stored.fault]
    if (parsed.ok) this.#entry(stored, parsed)
    else this.#unreadable(parsed, stored.position)
  }

  /**
   * Takes a range of lines that were judged already, each by itself, signatures under `trust.plainSigners()` included.
   *
   * @returns false, with nothing taken, when it does not fit to what came before it: then its lines say why
   */
  range(facts: PartFacts): boolean {
    const { tally, trust } = this
    const [recordedFirst, recordedLast] = facts.recordedAt
    if (this.#previous !== facts.previous || (tally.recordedAt !== null && recordedFirst < tally.recordedAt))
      return false
    if (!this.#areCallsAsDecided(facts) || !this.#areApprovalsNew(facts)) return false
    tally.firstAt ??= facts.createdAt[0]
    tally.lastAt = facts.createdAt[1]
    tally.recordedAt = recordedLast
    tally.decisions += facts.decisions
    tally.outcomes += facts.outcomes
    tally.signed += facts.signed
    tally.createdLate += facts.createdLate
    const opened = new Map(facts.opened.map(({ line, ...decided }) => [line, decided]))
    if (trust.isAnyTrusted) tally.trusted += facts.lines
    for (const id of facts.keyIds) if (this.keysNamed.size < REPORT_KEYS_MAX) this.keysNamed.add(id)
    for (let line = 0; line < facts.lines; line += 1) {
      this.entries += 1
      this.tree.addLeaf(facts.leaves, line * HASH_BYTES, () => hashAt(facts.hashes, line * HASH_BYTES))
      this.#call(facts.calls, line * CALL_WORDS, opened.get(line))
    }
    this.#previous = facts.last
    return true
  }

  /** Outcomes whose decisions came before the range describe the same calls. */
  #areCallsAsDecided({ closed, calls }: PartFacts): boolean {
    return closed.every(({ line, agentId, parameters, ...call }) =>
      this.lifecycle.describes(calls, line * CALL_WORDS + 1, agentId, (decisionAt) =>
        hashDecisionFacts({ ...call, decisionAt }, parameters),
      ),
    )
  }

  /** Notes the approvals of the range, unless one of them says that its lines must be looked at. */
  #areApprovalsNew({ approvals }: PartFacts): boolean {
    if (this.trust.ring?.hasGenesis !== true) return true
    const ids = new Set(approvals.map(({ id }) => id))
    const isSound = ids.size === approvals.length && approvals.every(({ hasTimes }) => hasTimes)
    if (!isSound || approvals.some(({ id }) => this.lifecycle.isUsed(id))) return false
    for (const id of ids) this.lifecycle.useApproval(id)
    return true
  }

  #call(calls: Uint32Array, at: number, decided: DecidedCall | undefined): void {
    const kind = calls[at]
    const event = kind === OUTCOME ? 'outcome' : kind === ALLOWED ? 'allowed' : 'denied'
    for (const { code, message } of this.lifecycle.observeCall(event, calls, at + 1, this.entries, decided))
      this.#findings.add({ code, position: this.entries, message, request_id: requestIdAt(calls, at + 1) })
  }

  #unreadable({ code, message, claimedHash: hash }: LineProblem, position: number): void {
    // Once: every checkpoint behind it suffers the same.
    const isLost = hash === null && !this.#isLost && this.tree.isAwaited(this.entries)
    this.#findings.add({ code, position, message, ...(isLost ? { hint: LOST_HINT } : {}) })
    this.#isLost ||= hash === null
    this.trust.skip()
    this.tree.add(hash)
    this.#previous = hash ?? undefined
  }

  #entry(stored: StoredLine, parsed: ParsedLine): void {
    const { entry } = parsed
    const { position } = stored
    const requestId = isCallEntry(entry) ? entry.request_id : undefined
    const find: Find = (code, message, hint) =>
      this.#findings.add({
        code,
        position,
        message,
        ...(requestId === undefined ? {} : { request_id: requestId }),
        ...(hint === undefined ? {} : { hint }),
      })
    this.#link(entry, find)
    for (const { code, message } of hashProblems(entry, parsed.text, parsed.members)) find(code, message)
    judgeColumns(stored, entry, find)
    this.#signature(entry, find)
    this.#clock(entry, find)
    this.#life(parsed, find)
  }

  #link(entry: LedgerEntry, find: Find): void {
    if (this.#previous !== undefined && entry.prev_entry_hash !== this.#previous) {
      find('CHAIN_BROKEN', 'prev_entry_hash is not the hash of the entry before it')
    }
    this.#previous = entry.entry_hash
    this.tree.add(entry.entry_hash)
  }

  #signature(entry: LedgerEntry, find: Find): void {
    const { entry_signature: signature, key_id: keyId } = entry
    if (keyId !== undefined && this.keysNamed.size < REPORT_KEYS_MAX) this.keysNamed.add(keyId)
    if (signature !== undefined) this.tally.signed += 1
    if (this.trust.judge(entry, this.entries, find)) this.tally.trusted += 1
  }

  #clock(entry: LedgerEntry, find: Find): void {
    const { recorded_at: recordedAt, created_at: createdAt } = entry
    const { tally } = this
    if (createdAt !== undefined) {
      tally.firstAt ??= createdAt
      tally.lastAt = createdAt
    }
    if (recordedAt === undefined) return
    if (isCallEntry(entry) && isCreatedLate(entry.created_at, recordedAt)) tally.createdLate += 1
    if (tally.recordedAt !== null && recordedAt < tally.recordedAt)
      find('CLOCK_WENT_BACK', `recorded_at ${recordedAt} is before that of an earlier entry`)
    else tally.recordedAt = recordedAt
  }

  #life({ entry, text, members }: ParsedLine, find: Find): void {
    if (!isCallEntry(entry)) return
    if (entry.event === 'decision') this.tally.decisions += 1
    else this.tally.outcomes += 1
    const context = {
      hashDecision: (decisionAt: string) => hashDecision(entry, text, members, decisionAt),
      hasGenesis: this.trust.ring?.hasGenesis === true,
    }
    for (const { code, message } of this.lifecycle.observe(entry, this.entries, context)) find(code, message)
  }
}

function judgeColumns({ columns, position }: StoredLine, entry: LedgerEntry, find: Find): void {
  if (columns === undefined) return
  if (columns.entryHash !== entry.entry_hash) find('COLUMN_MISMATCH', 'column `entry_hash` differs from the entry')
  if (columns.prevEntryHash !== entry.prev_entry_hash)
    find('COLUMN_MISMATCH', 'column `prev_entry_hash` differs from the entry')
  if (columns.id !== position) find('COLUMN_MISMATCH', `column \`id\` is ${String(columns.id)} at position ${position}`)
}

const pointOf = ({ size, frontier, entryHash }: VerifiedState): readonly [number, TreePoint] => [
  size,
  { root: frontierRoot(frontier), entryHash },
]

const hashAt = (bytes: Uint8Array, at: number): Hash =>
  Buffer.from(bytes.buffer, bytes.byteOffset + at, HASH_BYTES).toString('hex') as Hash

const LOST_HINT = 'no tree can be made over it, so nothing kept of the ledger from here on could be compared'

const fault = (code: LineFault, message: string): LineProblem => ({ ok: false, code, message, claimedHash: null })

const FAULTS: { readonly [code in LineFault]: LineProblem } = {
  LINE_TOO_LONG: fault('LINE_TOO_LONG', 'line is longer than any entry may be'),
  LINE_TORN: fault('LINE_TORN', 'the last line has no end: a write was cut off, or the file was'),
  COLUMN_MISMATCH: fault('COLUMN_MISMATCH', 'row holds no text where the entry should be'),
}
