// Checks a chunk of a ledger: each line by itself and against the line before it. The checker does not report
// findings. If a line has a defect or is unusual, the check fails, and the walk reads the chunk line by line. The
// checker and the walk apply the rules in `rules/` to the same facts.
import { createVerifier, type Hash, type PublicKey, type Verifier } from '@sudoagent/crypto'
import { sha256Latin1 } from '@sudoagent/crypto/bytes'
import type { Asked } from '@sudoagent/crypto/entry'
import { HASH_BYTES } from '@sudoagent/crypto/tree'
import { isCreatedLate } from '../entry/timestamp.js'
import { HASH_WORDS, isUuid, uuidHex } from '../rules/call-key.js'
import { checkLine } from '../rules/check-line.js'
import type { CallFacts, ControlFacts } from '../rules/line-facts.js'
import { clockProblem, hashColumnProblem, isSignedBy, linkProblem, previousColumnProblem } from '../rules/succession.js'
import { ChunkCalls } from './chunk-calls.js'
import { ALLOWED, ASKED, CALL_WORDS, type ChunkQuestion, type ChunkSummary, DENIED, OUTCOME } from './chunk-summary.js'
import { LineCursor } from './line-cursor.js'
import { countLines, plainText } from './plain-text.js'
import { LineRecogniser, recogniseLine } from './recognise-line.js'

const LF = 10

/**
 * Number of bytes converted to a string at a time. V8 stores strings of more than 128 KiB in the large object space,
 * where allocation is five times as expensive.
 */
const TEXT_BYTES = 64 * 1024

const HASH_CHARS = 64

/** The hash columns of the rows, concatenated: 64 hex digits for each row. */
export interface ChunkColumns {
  readonly entryHashes: string
  /** The null of the first entry in the ledger is omitted. */
  readonly prevEntryHashes: string
}

/** The keys that may sign, by id; null if signatures are not checked. */
export type ChunkKeys = ReadonlyMap<string, Verifier> | null

/** @throws CryptoError for an invalid key */
export function chunkKeysOf(keys: readonly PublicKey[] | null): ChunkKeys {
  return keys === null ? null : new Map(keys.map((key) => [key.keyId as string, createVerifier(key)]))
}

export class ChunkChecker {
  readonly #keys: ChunkKeys
  readonly #recogniser = new LineRecogniser()

  constructor(keys: ChunkKeys) {
    this.#keys = keys
  }

  /**
   * @param bytes - whole lines, each with its line feed
   * @param listsAllowed - whether the summary lists the calls that are allowed
   * @returns null if a line has a defect, or is not a decision or an outcome
   */
  check(bytes: Buffer, columns: ChunkColumns | null = null, listsAllowed = false): ChunkSummary | null {
    const chunk = new ChunkWriter(bytes, listsAllowed)
    for (let from = 0; from < bytes.length; ) {
      // The end of the last line within `TEXT_BYTES`; a longer line is converted by itself.
      const end = bytes.lastIndexOf(LF, from + TEXT_BYTES) + 1
      const to = end > from ? end : bytes.indexOf(LF, from) + 1
      if (to === 0 || !this.#checkText(bytes.subarray(from, to), chunk, columns)) return null
      from = to
    }
    return chunk.summary(columns)
  }

  #checkText(bytes: Buffer, chunk: ChunkWriter, columns: ChunkColumns | null): boolean {
    const plain = plainText(bytes)
    const cursor = plain === null ? null : new LineCursor(plain)
    for (let at = 0; at < bytes.length; ) {
      cursor?.moveTo(at)
      let facts: CallFacts | AskedFacts | null = cursor === null ? null : this.#recogniser.next(cursor)
      const next = facts === null || cursor === null ? bytes.indexOf(LF, at) + 1 : cursor.at
      facts ??= recogniseLine(bytes.subarray(at, next - 1)) ?? chunk.readInFull(bytes.subarray(at, next - 1))
      if (facts === null || !this.#isSignedAsAsked(facts) || !chunk.add(facts, columns)) return false
      at = next
    }
    return true
  }

  #isSignedAsAsked({ signature, keyId, entryHash }: CallFacts | AskedFacts): boolean {
    if (this.#keys === null) return true
    const verifier = keyId === null ? undefined : this.#keys.get(keyId)
    return verifier !== undefined && signature !== null && isSignedBy(verifier, entryHash, signature)
  }
}

/** The facts of a line with a question. */
type AskedFacts = ControlFacts & { readonly block: Asked; readonly createdAt: string }

/** Collects the facts of the lines, and compares each line with the line before it. */
class ChunkWriter {
  readonly #hashes: Buffer
  readonly #leaves: Buffer
  readonly #calls: Uint32Array
  readonly #callBytes: Buffer
  readonly #leaf = Buffer.alloc(1 + HASH_BYTES)
  readonly #keyIds = new Set<string>()
  #lines = 0
  #readInFull = 0
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
  #outcomes = 0
  #approved = 0
  #approvedRedacted = 0
  readonly #questions: ChunkQuestion[] = []
  readonly #chunkCalls: ChunkCalls

  constructor(bytes: Buffer, listsAllowed: boolean) {
    this.#chunkCalls = new ChunkCalls(listsAllowed)
    const lines = countLines(bytes)
    this.#hashes = Buffer.from(new ArrayBuffer(lines * HASH_BYTES))
    this.#leaves = Buffer.from(new ArrayBuffer(lines * HASH_BYTES))
    this.#calls = new Uint32Array(lines * CALL_WORDS)
    this.#callBytes = Buffer.from(this.#calls.buffer)
  }

  /** Null for a line that has a defect or that a summary cannot represent. */
  readInFull(line: Buffer): CallFacts | AskedFacts | null {
    this.#readInFull += 1
    const facts = checkLine(line)
    if (facts.kind === 'unreadable' || facts.hashProblems.length > 0) return null
    if (facts.kind === 'control') return isAskedFacts(facts) ? facts : null
    if (facts.approvalProblems.length > 0 || facts.authorityProblem !== null) return null
    return facts.recordedAt !== null && isUuid(facts.requestId) ? facts : null
  }

  /**
   * @returns false if the line does not follow the line before it, or if the columns of its row differ from the line
   */
  add(facts: CallFacts | AskedFacts, columns: ChunkColumns | null): boolean {
    const { entryHash, previous, createdAt } = facts
    const recordedAt = facts.recordedAt ?? ''
    const line = this.#lines
    if (line === 0) {
      this.#previous = previous
      this.#firstCreatedAt = createdAt
      this.#firstRecordedAt = recordedAt
    } else if (linkProblem(this.#last, previous) !== null || clockProblem(this.#lastRecordedAt, recordedAt) !== null)
      return false
    if (columns !== null && !this.#isColumnOf(facts, columns)) return false
    if (facts.kind === 'call' ? !this.#addCall(facts, line, recordedAt) : !this.#addQuestion(facts, line)) return false
    this.#hashes.write(entryHash, line * HASH_BYTES, 'hex')
    this.#hashes.copy(this.#leaf, 1, line * HASH_BYTES, (line + 1) * HASH_BYTES)
    this.#leaves.write(sha256Latin1(this.#leaf), line * HASH_BYTES, 'latin1')
    if (facts.signature !== null) this.#signed += 1
    if (facts.keyId !== null) this.#keyIds.add(facts.keyId)
    this.#lastCreatedAt = createdAt
    this.#lastRecordedAt = recordedAt
    this.#last = entryHash
    this.#lines += 1
    return true
  }

  #addCall(facts: CallFacts, line: number, recordedAt: string): boolean {
    const { createdAt, decisionHash, requestId, answer } = facts
    if (!this.#chunkCalls.add(facts, line)) return false
    if (isCreatedLate(createdAt, recordedAt)) this.#createdLate += 1
    const word = line * CALL_WORDS
    this.#calls[word] = facts.isDecision ? (facts.isAllowed ? ALLOWED : DENIED) : OUTCOME
    // An outcome usually follows its decision directly.
    if (decisionHash === this.#decisionHash && requestId === this.#requestId)
      this.#calls.copyWithin(word + 1, word - CALL_WORDS + 1, word)
    else {
      this.#callBytes.write(decisionHash, 4 * (word + 1), 'hex')
      this.#callBytes.write(uuidHex(requestId), 4 * (word + 1 + HASH_WORDS), 'hex')
      this.#decisionHash = decisionHash
      this.#requestId = requestId
    }
    if (facts.isDecision) this.#decisions += 1
    else this.#outcomes += 1
    if (facts.isApproved) this.#approved += 1
    if (answer === null) return true
    if (facts.isApproved && answer.redacted !== 0) this.#approvedRedacted += 1
    const { policyHash, agentId, authority } = facts
    this.#question(line, recordedAt, { answered: { requestId, decisionHash, policyHash, agentId, authority, answer } })
    return true
  }

  #addQuestion({ recordedAt, block }: AskedFacts, line: number): boolean {
    // The words of the line before must not be taken for those of this line.
    this.#decisionHash = ''
    this.#calls[line * CALL_WORDS] = ASKED
    this.#question(line, recordedAt ?? '', { asked: block })
    return true
  }

  #question(line: number, recordedAt: string, found: Partial<Pick<ChunkQuestion, 'asked' | 'answered'>>): void {
    const before = line === 0 ? null : this.#lastRecordedAt
    this.#questions.push({ line, recordedAt, before, asked: null, answered: null, ...found })
  }

  summary(columns: ChunkColumns | null): ChunkSummary | null {
    const lines = this.#lines
    if (this.#last === null || (columns !== null && !this.#areColumnsWhole(columns))) return null
    return {
      lines,
      readInFull: this.#readInFull,
      previous: this.#previous,
      last: this.#last,
      decisions: this.#decisions,
      outcomes: this.#outcomes,
      signed: this.#signed,
      keyIds: [...this.#keyIds],
      createdAt: [this.#firstCreatedAt, this.#lastCreatedAt],
      recordedAt: [this.#firstRecordedAt, this.#lastRecordedAt],
      hashes: this.#hashes,
      leaves: this.#leaves,
      calls: this.#calls,
      createdLate: this.#createdLate,
      questions: this.#questions,
      approved: this.#approved,
      approvedRedacted: this.#approvedRedacted,
      ...this.#chunkCalls.summary(),
    }
  }

  #isColumnOf({ entryHash }: CallFacts | AskedFacts, { entryHashes }: ChunkColumns): boolean {
    const at = this.#lines * HASH_CHARS
    return hashColumnProblem(entryHashes.slice(at, at + HASH_CHARS), entryHash) === null
  }

  /**
   * Checks the column `prev_entry_hash` of all rows in one comparison. The chain and the column `entry_hash` have
   * been checked, so `prev_entry_hash` must equal `entry_hash`, shifted by one row.
   */
  #areColumnsWhole({ entryHashes, prevEntryHashes }: ChunkColumns): boolean {
    const chars = this.#lines * HASH_CHARS
    // The null of the first entry is omitted.
    const moved = (this.#previous ?? '') + entryHashes.slice(0, chars - HASH_CHARS)
    return entryHashes.length === chars && previousColumnProblem(prevEntryHashes, moved) === null
  }
}

/** Whether a control entry is a question that a summary can represent. */
function isAskedFacts(facts: ControlFacts): facts is AskedFacts {
  const { block, createdAt, recordedAt } = facts
  return block?.kind === 'asked' && createdAt !== null && recordedAt !== null && isUuid(block.request_id)
}
