// The walk: stored lines + what the caller expects → report. Streams; memory grows only with the number of decisions.
import { createVerifier, decodeBase64, type Hash, hashEntry, type PublicKey, type Verifier } from '@sudoagent/crypto'
import { hashDecision } from './chain.js'
import { isCallEntry, type LedgerEntry } from './entry.js'
import type { LedgerReader, StoredLine } from './ledger.js'
import { Lifecycle } from './lifecycle.js'
import { FINDINGS_MAX, PUBLIC_KEYS_MAX, REPORT_KEYS_MAX } from './limits.js'
import { type ParsedLine, parseLine } from './line.js'
import { type FindingCode, Findings, type Report } from './report.js'

export interface VerifyOptions {
  /** When given, every entry must be signed by one of them. At most 64. */
  readonly publicKeys?: readonly PublicKey[]
  /** Findings kept in the report; the rest are counted. */
  readonly findingsMax?: number
  /** Called after each batch with the number of entries checked so far. */
  readonly onProgress?: (entries: number) => void
  /** Ends the walk with the signal's reason. */
  readonly signal?: AbortSignal
}

/**
 * Checks everything that a ledger's own content can show: canonical lines, versions and shapes, the chain, both hashes, signatures, and the
 * life of every call (LEDGER-FORMAT §1–§3). Does not stop at the first finding and never throws because of content.
 *
 * @throws RangeError for more than 64 public keys; LedgerError when the store cannot be read; the signal's reason when aborted
 * @example
 * const reader = await openLedger('ledger.sqlite')
 * const report = await verify(reader, { publicKeys: [parsePublicKey(pem)] })
 * if (!report.ok) process.exitCode = 1
 */
export async function verify(reader: LedgerReader, options: VerifyOptions = {}): Promise<Report> {
  const walk = new Walk(options)
  for await (const batch of reader.batches()) {
    options.signal?.throwIfAborted()
    for (const line of batch) walk.line(line)
    options.onProgress?.(walk.entries)
  }
  for (const fault of reader.faults()) walk.findings.add({ ...fault, position: null })
  return walk.report()
}

class Walk {
  readonly findings: Findings
  entries = 0
  readonly #verifiers: ReadonlyMap<string, Verifier>
  readonly #lifecycle = new Lifecycle()
  readonly #keysSeen = new Set<string>()
  #decisions = 0
  #outcomes = 0
  #signed = 0
  #signedOk = 0
  #firstAt: string | null = null
  #lastAt: string | null = null
  #recordedAt = ''
  // What the next entry must name as its predecessor. `undefined` after a line that could not be read: unknown, so nothing is held against the next.
  #previous: Hash | null | undefined = null

  constructor(options: VerifyOptions) {
    const keys = options.publicKeys ?? []
    if (keys.length > PUBLIC_KEYS_MAX) throw new RangeError(`more than ${PUBLIC_KEYS_MAX} public keys`)
    this.findings = new Findings(options.findingsMax ?? FINDINGS_MAX)
    this.#verifiers = new Map(keys.map((key) => [key.keyId, createVerifier(key)]))
  }

  line(stored: StoredLine): void {
    this.entries += 1
    const { position } = stored
    if (stored.fault !== undefined) {
      this.findings.add({ code: stored.fault, position, message: FAULT_MESSAGES[stored.fault] })
      this.#previous = undefined
      return
    }
    const parsed = parseLine(stored.bytes)
    if (!parsed.ok) {
      this.findings.add({ code: parsed.code, position, message: parsed.message })
      this.#previous = parsed.claimedHash ?? undefined
      return
    }
    const { entry } = parsed
    const requestId = isCallEntry(entry) ? entry.request_id : undefined
    const find = (code: FindingCode, message: string): void =>
      this.findings.add({ code, position, message, ...(requestId === undefined ? {} : { request_id: requestId }) })
    this.#link(entry, find)
    this.#hashes(parsed, find)
    this.#columns(stored, entry, find)
    this.#signature(entry, find)
    this.#clock(entry, find)
    this.#life(entry, find)
  }

  #link(entry: LedgerEntry, find: Find): void {
    if (this.#previous !== undefined && entry.prev_entry_hash !== this.#previous) {
      find('CHAIN_BROKEN', 'prev_entry_hash is not the hash of the entry before it')
    }
    this.#previous = entry.entry_hash
  }

  #hashes({ entry, text, members }: ParsedLine, find: Find): void {
    if (hashEntry(text, members) !== entry.entry_hash)
      find('ENTRY_HASH_MISMATCH', 'entry_hash does not match its content')
    if (entry.event !== 'decision') return
    if (hashDecision(entry, text, members) !== entry.decision.decision_hash) {
      find('DECISION_HASH_MISMATCH', 'decision_hash does not match the decision')
    }
  }

  #columns({ columns, position }: StoredLine, entry: LedgerEntry, find: Find): void {
    if (columns === undefined) return
    if (columns.entryHash !== entry.entry_hash) find('COLUMN_MISMATCH', 'column `entry_hash` differs from the entry')
    if (columns.prevEntryHash !== entry.prev_entry_hash)
      find('COLUMN_MISMATCH', 'column `prev_entry_hash` differs from the entry')
    if (columns.id !== position)
      find('COLUMN_MISMATCH', `column \`id\` is ${String(columns.id)} at position ${position}`)
  }

  #signature(entry: LedgerEntry, find: Find): void {
    const { entry_signature: signature, key_id: keyId } = entry
    if (keyId !== undefined && this.#keysSeen.size < REPORT_KEYS_MAX) this.#keysSeen.add(keyId)
    if (signature !== undefined) this.#signed += 1
    if (this.#verifiers.size === 0) return
    if (signature === undefined) {
      find('SIGNATURE_MISSING', 'entry is not signed')
      return
    }
    // Python does not name its key: then any of the given ones may fit.
    const named = keyId === undefined ? [...this.#verifiers.values()] : [this.#verifiers.get(keyId)]
    const candidates = named.filter((verifier) => verifier !== undefined)
    const holds = candidates.some((verifier) => isSignedBy(verifier, entry.entry_hash, signature))
    if (holds) this.#signedOk += 1
    else if (candidates.length > 0) find('SIGNATURE_INVALID', 'entry_signature does not verify')
    else find('KEY_UNKNOWN', `entry is signed by key \`${keyId}\`, which was not given`)
  }

  #clock(entry: LedgerEntry, find: Find): void {
    const { recorded_at: recordedAt, created_at: createdAt } = entry
    if (createdAt !== undefined) {
      this.#firstAt ??= createdAt
      this.#lastAt = createdAt
    }
    if (recordedAt === undefined) return
    if (recordedAt < this.#recordedAt)
      find('CLOCK_WENT_BACK', `recorded_at ${recordedAt} is before that of an earlier entry`)
    else this.#recordedAt = recordedAt
  }

  #life(entry: LedgerEntry, find: Find): void {
    if (!isCallEntry(entry)) return
    if (entry.event === 'decision') this.#decisions += 1
    else this.#outcomes += 1
    for (const { code, message } of this.#lifecycle.observe(entry)) find(code, message)
  }

  report(): Report {
    if (this.entries === 0 && this.findings.total === 0)
      this.findings.add({ code: 'LEDGER_EMPTY', position: null, message: 'the ledger has no entry' })
    const ok = this.entries > 0 && this.findings.total === 0
    // Said only of what was checked: every entry, each with a signature that verified under a key the caller gave.
    const signed = ok && this.#verifiers.size > 0 && this.#signedOk === this.entries
    return {
      ok,
      verdict: ok ? (signed ? 'signed' : 'intact') : 'broken',
      entries: this.entries,
      decisions: this.#decisions,
      outcomes: this.#outcomes,
      open: this.#lifecycle.open,
      signed_entries: this.#signed,
      head: { size: this.entries, entry_hash: this.#previous ?? null },
      first_created_at: this.#firstAt,
      last_created_at: this.#lastAt,
      keys: { in_ledger: [...this.#keysSeen].sort(), given: [...this.#verifiers.keys()].sort() },
      findings: this.findings.list,
      findings_total: this.findings.total,
    }
  }
}

type Find = (code: FindingCode, message: string) => void

const FAULT_MESSAGES = {
  LINE_TOO_LONG: 'line is longer than any entry may be',
  LINE_TORN: 'the last line has no end: a write was cut off, or the file was',
  COLUMN_MISMATCH: 'row holds no text where the entry should be',
} as const

const ASCII = new TextEncoder()

function isSignedBy(verifier: Verifier, entryHash: Hash, signature: string): boolean {
  const bytes = decodeBase64(signature)
  return bytes !== null && verifier.verify(ASCII.encode(entryHash), bytes)
}
