// Judges a stretch of a ledger, line by line: everything that can be known of a line without the ones before it. It finds nothing: where there is
// anything out of the ordinary it gives up, and the walk looks at every line itself. So there is one place that knows what a finding is.
import {
  createVerifier,
  decodeBase64,
  HASH_BYTES,
  type Hash,
  isPypiEntry,
  type PublicKey,
  PYPI_ACTOR,
  parametersText,
  sha256Hex,
  type Verifier,
} from '@sudoagent/crypto'
import { hashProblems } from '../entry/decision-hash.js'
import { approvalOf, isCallEntry } from '../entry/entry.js'
import { parseLine } from '../entry/line.js'
import { isCreatedLate } from '../entry/timestamp.js'
import { LINE_BYTES_MAX } from '../limits.js'
import { approvalProblems, hasTimes } from '../rules/approval.js'
import { HASH_WORDS, isUuid, uuidHex } from '../rules/call-key.js'
import { PartCalls } from './chunk-calls.js'
import { ALLOWED, CALL_WORDS, DENIED, OUTCOME, type PartFacts } from './chunk-summary.js'
import { LineCursor } from './line-cursor.js'
import { type LineFacts, PlainLines } from './plain-line.js'
import { countLines, plainText } from './plain-text.js'

const LF = 10

/** What is turned into a string at a time. V8 keeps strings of more than 128 KiB in another space, where making one costs five times as much. */
const TEXT_BYTES = 64 * 1024

const HASH_CHARS = 64

/** What stood beside the lines in a database, one text of 64 hex digits a row. */
export interface PartColumns {
  readonly entryHashes: string
  /** One less when the part begins with the first entry, whose predecessor is null. */
  readonly prevEntryHashes: string
}

/** The keys under which signatures are to hold, by id; null where nobody asks for signatures. */
export type PartKeys = ReadonlyMap<string, Verifier> | null

/** @throws CryptoError for a key that is none */
export function partKeysOf(keys: readonly PublicKey[] | null): PartKeys {
  return keys === null ? null : new Map(keys.map((key) => [key.keyId as string, createVerifier(key)]))
}

export class PartJudge {
  readonly #keys: PartKeys
  readonly #plain = new PlainLines()

  constructor(keys: PartKeys) {
    this.#keys = keys
  }

  /**
   * @param bytes - whole lines, each with its line feed
   * @returns null when a line is not of the usual kind, or does not hold
   */
  judge(bytes: Buffer, columns: PartColumns | null = null): PartFacts | null {
    const part = new PartWriter(bytes)
    for (let from = 0; from < bytes.length; ) {
      // The last line that ends within a text; a longer one is a text of its own.
      const end = bytes.lastIndexOf(LF, from + TEXT_BYTES) + 1
      const to = end > from ? end : bytes.indexOf(LF, from) + 1
      if (to === 0 || !this.#judgeText(bytes.subarray(from, to), part, columns)) return null
      from = to
    }
    return part.facts(columns)
  }

  #judgeText(bytes: Buffer, part: PartWriter, columns: PartColumns | null): boolean {
    const plain = plainText(bytes)
    const cursor = plain === null ? null : new LineCursor(plain)
    const facts = emptyFacts()
    for (let at = 0; at < bytes.length; ) {
      cursor?.moveTo(at)
      const isRead = cursor !== null && this.#plain.read(cursor, facts)
      const next = isRead ? cursor.at : bytes.indexOf(LF, at) + 1
      if (!isRead && !readAnyLine(bytes.subarray(at, next - 1), facts)) return false
      if (!this.#isSignedAsAsked(facts) || !part.add(facts, columns)) return false
      at = next
    }
    return true
  }

  #isSignedAsAsked({ signature, keyId, entryHash }: LineFacts): boolean {
    if (this.#keys === null) return true
    const verifier = keyId === null ? undefined : this.#keys.get(keyId)
    const bytes = signature === null ? null : decodeBase64(signature)
    return verifier !== undefined && bytes !== null && verifier.verify(Buffer.from(entryHash, 'latin1'), bytes)
  }
}

/** The long way: whatever a line may look like. False for what is not a call, does not hold, or does not fit into facts. */
function readAnyLine(line: Buffer, facts: LineFacts): boolean {
  if (line.length > LINE_BYTES_MAX) return false
  const parsed = parseLine(line)
  if (!parsed.ok) return false
  const { entry, text, members } = parsed
  if (!isCallEntry(entry) || hashProblems(entry, text, members).length > 0) return false
  const isDecision = entry.event === 'decision'
  if (isDecision && approvalProblems(entry).length > 0) return false
  if (entry.recorded_at === undefined || !isUuid(entry.request_id)) return false
  facts.isDecision = isDecision
  facts.isAllowed = isDecision && entry.decision.effect === 'allow'
  facts.entryHash = entry.entry_hash
  facts.previous = entry.prev_entry_hash
  facts.decisionHash = entry.decision.decision_hash
  facts.requestId = entry.request_id
  facts.createdAt = entry.created_at
  facts.recordedAt = entry.recorded_at
  facts.keyId = entry.key_id ?? null
  facts.signature = entry.entry_signature ?? null
  const actor = entry.actor ?? (isPypiEntry(entry) ? PYPI_ACTOR : { principal: entry.agent_id, source: 'python' })
  facts.agentId = entry.agent_id
  facts.action = entry.action
  facts.principal = actor.principal
  facts.source = actor.source
  facts.policyHash = entry.decision.policy_hash
  facts.parameters = parametersText(text, members) ?? 'null'
  const approval = facts.isAllowed ? approvalOf(entry) : null
  facts.approval =
    approval === null || approval.approval_id === null
      ? null
      : { id: approval.approval_id, hasTimes: hasTimes(approval) }
  return true
}

/** Puts the facts of lines together, and holds neighbours against one another. */
class PartWriter {
  readonly #hashes: Buffer
  readonly #leaves: Buffer
  readonly #calls: Uint32Array
  readonly #callBytes: Buffer
  readonly #leaf = Buffer.alloc(1 + HASH_BYTES)
  readonly #keyIds = new Set<string>()
  #lines = 0
  #decisions = 0
  #signed = 0
  #previous: Hash | null = null
  #last: Hash | null = null
  #decisionHash = ''
  #requestId = ''
  #firstCreatedAt = ''
  #lastCreatedAt = ''
  #firstRecordedAt = ''
  #lastRecordedAt = ''
  #createdLate = 0
  readonly #partCalls = new PartCalls()

  constructor(bytes: Buffer) {
    const lines = countLines(bytes)
    this.#hashes = Buffer.from(new ArrayBuffer(lines * HASH_BYTES))
    this.#leaves = Buffer.from(new ArrayBuffer(lines * HASH_BYTES))
    this.#calls = new Uint32Array(lines * CALL_WORDS)
    this.#callBytes = Buffer.from(this.#calls.buffer)
  }

  add(facts: LineFacts, columns: PartColumns | null): boolean {
    const { entryHash, previous, createdAt, recordedAt, decisionHash, requestId } = facts
    const line = this.#lines
    if (line === 0) {
      this.#previous = previous
      this.#firstCreatedAt = createdAt
      this.#firstRecordedAt = recordedAt
      // Its predecessor is in another part, so nothing has shown yet that this is a hash at all.
      if (previous !== null && !/^[0-9a-f]{64}$/.test(previous)) return false
    } else if (previous !== this.#last || recordedAt < this.#lastRecordedAt) return false
    if (columns !== null && columns.entryHashes.slice(line * HASH_CHARS, (line + 1) * HASH_CHARS) !== entryHash)
      return false
    if (!this.#partCalls.add(facts, line)) return false
    if (isCreatedLate(createdAt, recordedAt)) this.#createdLate += 1
    this.#hashes.write(entryHash, line * HASH_BYTES, 'hex')
    this.#hashes.copy(this.#leaf, 1, line * HASH_BYTES, (line + 1) * HASH_BYTES)
    this.#leaves.write(sha256Hex(this.#leaf), line * HASH_BYTES, 'hex')
    const word = line * CALL_WORDS
    this.#calls[word] = facts.isDecision ? (facts.isAllowed ? ALLOWED : DENIED) : OUTCOME
    // An outcome stands behind its decision more often than not.
    if (decisionHash === this.#decisionHash && requestId === this.#requestId)
      this.#calls.copyWithin(word + 1, word - CALL_WORDS + 1, word)
    else {
      this.#callBytes.write(decisionHash, 4 * (word + 1), 'hex')
      this.#callBytes.write(uuidHex(requestId), 4 * (word + 1 + HASH_WORDS), 'hex')
      this.#decisionHash = decisionHash
      this.#requestId = requestId
    }
    if (facts.isDecision) this.#decisions += 1
    if (facts.signature !== null) this.#signed += 1
    if (facts.keyId !== null) this.#keyIds.add(facts.keyId)
    this.#lastCreatedAt = createdAt
    this.#lastRecordedAt = recordedAt
    this.#last = entryHash
    this.#lines += 1
    return true
  }

  facts(columns: PartColumns | null): PartFacts | null {
    const lines = this.#lines
    if (this.#last === null || (columns !== null && !this.#areColumnsWhole(columns))) return null
    return {
      lines,
      previous: this.#previous,
      last: this.#last,
      decisions: this.#decisions,
      outcomes: lines - this.#decisions,
      signed: this.#signed,
      keyIds: [...this.#keyIds],
      createdAt: [this.#firstCreatedAt, this.#lastCreatedAt],
      recordedAt: [this.#firstRecordedAt, this.#lastRecordedAt],
      hashes: this.#hashes,
      leaves: this.#leaves,
      calls: this.#calls,
      createdLate: this.#createdLate,
      ...this.#partCalls.facts(),
    }
  }

  /** The column of predecessors is that of hashes, moved by one. */
  #areColumnsWhole({ entryHashes, prevEntryHashes }: PartColumns): boolean {
    const first = this.#previous ?? ''
    return (
      entryHashes.length === this.#lines * HASH_CHARS &&
      prevEntryHashes === first + entryHashes.slice(0, (this.#lines - 1) * HASH_CHARS)
    )
  }
}

const emptyFacts = (): LineFacts => ({
  isDecision: false,
  isAllowed: false,
  entryHash: '' as Hash,
  previous: null,
  decisionHash: '' as Hash,
  requestId: '',
  createdAt: '',
  recordedAt: '',
  keyId: null,
  signature: null,
  agentId: '',
  action: '',
  principal: '',
  source: '',
  policyHash: '',
  parameters: '',
  approval: null,
})
