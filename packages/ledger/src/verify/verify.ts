// Verifies a ledger (LEDGER-FORMAT §6) and returns a report. The entries are compared with each other, with the
// stored checkpoints, and with evidence that the caller kept elsewhere. The steps:
//
// 1. `external-anchors.ts` parses the evidence; `resume.ts` decides at which entry to start.
// 2. `walk.ts` reads the entries in order: facts of each line, hash chain, clock, keys, life cycle of calls,
//    Merkle tree. For a large ledger, `range-walk.ts` lets worker threads check ranges in parallel.
// 3. `check-checkpoint.ts` compares each checkpoint with the tree at its size (RFC 6962 roots, C2SP signed
//    notes).
// 4. `verdict.ts` determines the verdict and checks the caller's requirements.
//
// For example, with a signed ledger of 15 entries and a checkpoint of the first 10 entries:
//
//   verify(reader)                                        intact: hash chain, tree and rules check out
//   verify(reader, { publicKeys })                        signed: every entry and the head are signed, too
//   verify(reader, { publicKeys, checkpoints: [kept] })   anchored: the first 10 entries are unchanged, too
//
// A defect is reported as a finding, not thrown. Lines are streamed; memory grows only with the number of decisions.
import { encodeBase64 } from '@sudoagent/crypto/bytes'
import { requireOtherWitnesses } from '@sudoagent/crypto/note'
import { normalScope } from '../authority/stop-scope.js'
import { Findings, type ReportFinding } from '../entry/finding.js'
import { FINDINGS_MAX, OPEN_CALLS_LISTED_MAX } from '../limits.js'
import { ownFields } from '../own-fields.js'
import type { LedgerReader } from '../port/reader.js'
import { firstOpenCalls } from '../rules/open-calls.js'
import { type ComparedEvidence, checkExternalAnchors, readKeptEvidence } from './external-anchors.js'
import { checkAge } from './freshness.js'
import { walkRanges } from './range-walk.js'
import type { Report } from './report.js'
import { startOf, stateBehind } from './resume.js'
import type { VerifiedState } from './saved-state.js'
import { statedOf } from './stored-checkpoints.js'
import { type GivenKey, publicKeyOf } from './trust.js'
import type { UnverifiedCheckpoint } from './unverified-checkpoint.js'
import {
  type Assurance,
  checkDemands,
  checkRequirement,
  checkRequirements,
  type Requirements,
  verdictOf,
} from './verdict.js'
import { Walk, type WalkStart } from './walk.js'

export interface VerifyOptions extends Requirements {
  /**
   * The trusted keys, at most 64. Every entry and the head must be signed by a trusted key, or by a key that a
   * trusted key added to the ledger. A named key (a vkey) is trusted only for the log with that name.
   */
  readonly publicKeys?: readonly GivenKey[]
  /** The clock for `maxAgeSeconds`. Default: the system clock. */
  readonly clock?: () => Date
  /** Signed checkpoints of this ledger that were kept elsewhere, at most 1,000. */
  readonly checkpoints?: readonly string[]
  /** Receipts of this ledger as text, at most 1,000. */
  readonly receipts?: readonly string[]
  /** The state of an earlier run (`parseState`). If possible, this run checks only the entries after it. */
  readonly resume?: VerifiedState
  /** Maximum number of findings in the report; further findings are only counted. Default: 100. */
  readonly maxFindings?: number
  /** Maximum number of threads. Default: the number of cores; small ledgers use one. */
  readonly threads?: number
  /** Called after each batch with the number of entries checked so far. */
  readonly onProgress?: (entries: number) => void
  /** Ends the walk with the signal's reason. */
  readonly signal?: AbortSignal
}

/**
 * Verifies a ledger: canonical lines, versions and shapes, the hash chain, the hashes, signatures, the life cycle of
 * every call, the tree, the head, and evidence that the caller kept elsewhere. Continues after a finding, and never
 * throws because of the ledger's content.
 *
 * @throws RangeError for more than 64 public keys, more than 1,000 checkpoints or receipts, or a `maxTail` or
 * `maxAgeSeconds` that is not a non-negative integer; TypeError for an unknown requirement; CryptoError for an
 * unusable key, or POLICY_INVALID for a witness whose key is one of the public keys; LedgerError if the store cannot
 * be read; the signal's reason if aborted
 * @example
 * const reader = await openLedgerReader('ledger.sqlite')
 * const report = await verify(reader, { publicKeys: [parsePublicKey(pem)] })
 * if (!report.ok) process.exitCode = 1
 */
export async function verify(reader: LedgerReader, options: VerifyOptions = {}): Promise<Report> {
  return (await run(reader, options)).report
}

/**
 * Like `verify`, and returns a state from which the next run can resume.
 *
 * @returns the report, and the `state` for `encodeState`; the state is null if there is a finding, so that the next
 * run starts with the first entry
 * @throws the errors of `verify`
 */
export async function verifyFrom(
  reader: LedgerReader,
  options: VerifyOptions = {},
): Promise<{ readonly report: Report; readonly state: VerifiedState | null }> {
  const { report, walk, head } = await run(reader, options)
  return { report, state: report.ok ? stateBehind(walk, head) : null }
}

interface Run {
  readonly report: Report
  readonly walk: Walk
  readonly head: UnverifiedCheckpoint | null
}

async function run(reader: LedgerReader, given: VerifyOptions): Promise<Run> {
  const options = ownFields(given)
  checkDemands(options)
  const { publicKeys = [], witnessPolicy } = options
  if (witnessPolicy !== undefined) requireOtherWitnesses(witnessPolicy, publicKeys.map(publicKeyOf))
  const findings = new Findings(options.maxFindings ?? FINDINGS_MAX)
  const find: ReportFinding = (code, message, hint) =>
    findings.add({ code, position: null, message, ...(hint === undefined ? {} : { hint }) })
  const kept = await readKeptEvidence(reader, options)
  const start = await startOf(reader, kept, publicKeys)
  const walk = await walkThrough(reader, new Walk(start, findings), options)
  for (const { code, message, hint } of reader.faults()) find(code, message, hint)
  const compared = checkExternalAnchors(kept, walk, start, find)
  const shown = checkRequirements(walk, compared, options, find)
  if (options.maxAgeSeconds !== undefined) {
    await checkAge(reader, walk, shown.reach, options.maxAgeSeconds, options.clock ?? (() => new Date()), find)
  }
  if (walk.entries === 0 && findings.total === 0) find('LEDGER_EMPTY', 'the ledger has no entries')
  if (options.require !== undefined && findings.total === 0) checkRequirement(options.require, shown, find)
  const report = { ...reportOf(walk, start, compared, shown, findings), warnings: reader.warnings?.() ?? [] }
  return { report, walk, head: statedOf(kept.head) }
}

async function walkThrough(reader: LedgerReader, walk: Walk, options: VerifyOptions): Promise<Walk> {
  const { signal, onProgress, threads } = options
  const goOn = (): void => signal?.throwIfAborted()
  if (reader.ranges !== undefined) {
    await walkRanges(walk, reader.ranges, { threads, goOn, onProgress: onProgress ?? (() => {}) })
    return walk
  }
  for await (const batch of reader.batches(walk.entries)) {
    goOn()
    for (const line of batch) walk.line(line)
    onProgress?.(walk.entries)
  }
  return walk
}

function reportOf(
  walk: Walk,
  { state }: WalkStart,
  { head, anchors }: ComparedEvidence,
  shown: Assurance,
  findings: Findings,
): Omit<Report, 'warnings'> {
  const { entries, tally, lifecycle, trust } = walk
  const root = walk.tree.root()
  const ring = trust.ring
  const ids = (isActive: boolean): readonly string[] =>
    [...(ring?.keys ?? [])].filter(([, { retiredAt }]) => (retiredAt === null) === isActive).map(([id]) => id)
  const ok = entries > 0 && findings.total === 0
  const questions = walk.questions.end(tally.recordedAt)
  return {
    ok,
    verdict: ok ? verdictOf(shown) : isUnverified(walk, findings) ? 'unverified' : 'broken',
    entries,
    decisions: tally.decisions,
    outcomes: tally.outcomes,
    open: lifecycle.open,
    stops: walk.stops.open.map(({ stopId, position, scope, inFlight }) => {
      return { stop_id: stopId, position, scope: normalScope(scope), in_flight: inFlight }
    }),
    questions: { open: questions.open.length, expired: questions.expired },
    approvals: {
      signed: { webauthn: 0, sshsig: 0, ed25519: 0 },
      asserted: tally.approved,
      redacted: tally.approvedRedacted,
    },
    approvers_by: null,
    resumes: { signed: 0, operator: walk.stops.resumes },
    controls_unknown: tally.controlsUnknown,
    open_calls: firstOpenCalls(lifecycle, OPEN_CALLS_LISTED_MAX),
    signed_entries: tally.signed,
    origin: ring?.origin ?? null,
    head: { size: entries, entry_hash: walk.entryHash, root: root && encodeBase64(root) },
    checkpoint: head && { size: head.size, signed_by: head.signedBy },
    tail: shown.tail,
    anchors,
    anchored_to: shown.anchoredTo,
    witnesses: shown.witnesses,
    witnessed_to: shown.witnesses?.size ?? null,
    resumed_from: state?.size ?? null,
    closed: ring !== null && ring.closedAt !== null,
    first_created_at: tally.firstAt,
    last_created_at: tally.lastAt,
    created_after_recorded: tally.createdLate,
    read_in_full: tally.readInFull,
    keys: { in_ledger: [...walk.keysNamed].sort(), given: trust.given, active: ids(true), retired: ids(false) },
    findings: findings.list,
    findings_total: findings.total,
  }
}

/** Whether the only finding is that all entries are signed by keys that the caller did not give. */
function isUnverified({ entries, tally, trust }: Walk, findings: Findings): boolean {
  return trust.given.length > 0 && tally.trusted === 0 && entries > 0 && findings.onlyUnknownKeys === entries
}
