// Recognises decisions and outcomes that have the exact form in which this package writes them. The recogniser reads
// the members in one pass and does not build an object. The result is the offsets of the values. A line that is not
// recognised may still be valid, so `checkLine` reads it.

import type { ApprovalBlock } from '../entry/entry.js'
import { NAME_LENGTH_MAX, REASON_LENGTH_MAX } from '../limits.js'
import { readApproval } from './approval-block.js'
import { readAuthority } from './authority-block.js'
import { readCommitment, readResult } from './commitment-block.js'
import { type LineCursor, unescaped } from './line-cursor.js'
import { M, MEMBERS, type Member, OPTIONAL } from './member.js'
import { SpanCache } from './span-cache.js'
import { TimestampParser } from './timestamp-parser.js'
import { isCount, isNotNegative, textOrNull } from './token.js'

const NO_APPROVAL = ',"approval":null'
const REQUEST_ID_CHARS = 36
const HASH_CHARS = 64
const KEY_ID_CHARS = 16
/** Length of an Ed25519 signature in base64. */
const SIGNATURE_CHARS = 88
const KEY_ID = /^[0-9a-f]{16}$/
const OPEN_ARRAY = 0x5b
const OPEN_OBJECT = 0x7b

/** Reads text line by line. `parseLine` accepts what `read` accepts, if the caller checks the form of the hashes. */
export class PlainMembers {
  #text = ''
  #lineStart = 0
  #lineEnd = 0
  readonly #starts = new Int32Array(MEMBERS)
  readonly #ends = new Int32Array(MEMBERS)
  readonly #openings = new SpanCache(
    [M.action, M.principal, M.source, M.agentId, M.authority, M.budgetCost],
    (cursor) => this.#opening(cursor),
  )
  readonly #verdicts = new SpanCache(
    [M.effect, M.policyHash, M.policyId, M.policyVersion, M.reason, M.reasonCode],
    (cursor) => this.#verdict(cursor),
  )
  readonly #middles = new SpanCache([M.event, M.keyId, M.metadata, M.error, M.errorType], (at) => this.#middle(at))
  #isFull = false
  #approval: ApprovalBlock | null = null
  readonly #created = new TimestampParser()
  readonly #recorded = new TimestampParser()

  /**
   * Reads the line that begins at the cursor, including its line feed.
   *
   * @returns false if the line is not recognised; the position of the cursor is then undefined
   */
  read(cursor: LineCursor): boolean {
    this.#text = cursor.text
    this.#lineStart = cursor.at
    // The line feed is found first: in canonical text, a string never contains a line feed, so a string that extends
    // past the line feed is not valid.
    this.#lineEnd = cursor.text.indexOf('\n', cursor.at)
    for (const member of OPTIONAL) this.#starts[member] = -1
    this.#isFull = cursor.isFull
    this.#approval = null
    return (
      this.#stretch(this.#openings, cursor) &&
      this.#birth(cursor) &&
      this.#stretch(this.#verdicts, cursor) &&
      this.#seal(cursor) &&
      this.#stretch(this.#middles, cursor) &&
      (this.isDecision ? this.has(M.effect) : this.#status(cursor)) &&
      cursor.word('parameters":') &&
      this.#parameters(cursor) &&
      this.#ending(cursor)
    )
  }

  /** The line without its line feed. */
  get text(): string {
    return this.#text.slice(this.#lineStart, this.#lineEnd)
  }

  has(member: Member): boolean {
    return this.start(member) !== -1
  }

  /** The stored text of a value, without the quotes of a string; empty if the member is absent. */
  get(member: Member): string {
    const start = this.start(member)
    return start === -1 ? '' : this.#text.slice(start, this.end(member))
  }

  /** The stored text of a string, with its quotes. */
  json(member: Member): string {
    return this.#text.slice(this.start(member) - 1, this.end(member) + 1)
  }

  /** The value of a string. */
  value(member: Member): string {
    return unescaped(this.get(member), this.#isFull)
  }

  /** The approval of the line; null if it has none. */
  get approval(): ApprovalBlock | null {
    return this.#approval
  }

  /** The text between two values, or from the beginning of the line to a value. */
  between(from: Member | null, to: Member): string {
    return this.#text.slice(from === null ? this.#lineStart : this.end(from), this.start(to))
  }

  start(member: Member): number {
    return this.#starts[member] ?? -1
  }

  end(member: Member): number {
    return this.#ends[member] ?? -1
  }

  /** Records the offsets of the last string read. */
  #mark(member: Member, cursor: LineCursor): true {
    this.#starts[member] = cursor.start
    this.#ends[member] = cursor.end
    return true
  }

  /** Records the offsets from `start` to the cursor. */
  #markFrom(start: number, member: Member, cursor: LineCursor): true {
    this.#starts[member] = start
    this.#ends[member] = cursor.at
    return true
  }

  #name(member: Member, cursor: LineCursor): boolean {
    return cursor.name(NAME_LENGTH_MAX) && this.#mark(member, cursor)
  }

  #textOrNull(member: Member, maxLength: number, cursor: LineCursor): boolean {
    return cursor.word('null') || (cursor.word('"') && cursor.string(maxLength) && this.#mark(member, cursor))
  }

  /** Reads a span: from the cache if an earlier line had the same text, otherwise member by member. */
  #stretch(stretches: SpanCache, cursor: LineCursor): boolean {
    // The cache has the offsets of members only; in full mode, values such as the approval are read from the
    // span as well.
    if (cursor.isFull) return stretches.read(cursor)
    if (stretches.again(cursor, this.#starts, this.#ends)) return true
    const from = cursor.at
    if (!stretches.read(cursor)) return false
    stretches.keep(from, cursor, this.#starts, this.#ends)
    return true
  }

  /** The span from the beginning of the line to the name of `commitment` or `created_at`, which differ in each line. */
  #opening(cursor: LineCursor): boolean {
    if (!cursor.word('{"action":"') || !this.#name(M.action, cursor)) return false
    if (!cursor.word(',"actor":{"principal":"') || !this.#name(M.principal, cursor)) return false
    if (!cursor.word(',"source":"') || !this.#name(M.source, cursor)) return false
    if (!cursor.word('},"agent_id":"') || !this.#name(M.agentId, cursor)) return false
    // Approvals are rare and have separate rules, so they are read in full mode only.
    if (!cursor.word(NO_APPROVAL) && cursor.isFull && cursor.word(',"approval":{')) {
      this.#approval = readApproval(cursor)
      if (this.#approval === null) return false
    }
    if (cursor.word(',"authority":')) {
      const start = cursor.at
      if (!readAuthority(cursor)) return false
      this.#markFrom(start, M.authority, cursor)
    }
    if (cursor.word(',"budget":') && !cursor.word('null') && !this.#budget(cursor)) return false
    return cursor.word(',"c')
  }

  /** The commitment, `created_at` and `decision_hash`. */
  #birth(cursor: LineCursor): boolean {
    if (cursor.word('ommitment":')) {
      const start = cursor.at
      if (!readCommitment(cursor) || !this.#markFrom(start, M.commitment, cursor) || !cursor.word(',"c')) return false
    }
    if (!cursor.word('reated_at":"')) return false
    if (!this.#created.read(cursor)) return false
    this.#mark(M.createdAt, cursor)
    return (
      cursor.word(',"decision":{"decision_hash":"') && cursor.string(HASH_CHARS) && this.#mark(M.decisionHash, cursor)
    )
  }

  #budget(cursor: LineCursor): boolean {
    return (
      cursor.word('{"action":"') &&
      cursor.name(NAME_LENGTH_MAX) &&
      cursor.word(',"agent_id":"') &&
      cursor.name(NAME_LENGTH_MAX) &&
      cursor.word(',"budget_key":') &&
      textOrNull(cursor, NAME_LENGTH_MAX) &&
      cursor.word(',"checked":') &&
      (cursor.word('true') || cursor.word('false')) &&
      cursor.word(',"cost":') &&
      this.#count(M.budgetCost, cursor) &&
      cursor.word(',"window_seconds":') &&
      isNotNegative(cursor) &&
      cursor.number() &&
      cursor.word('}')
    )
  }

  #count(member: Member, cursor: LineCursor): boolean {
    const start = cursor.at
    return isCount(cursor) && this.#markFrom(start, member, cursor)
  }

  /** The rest of `decision`: the effect, the policy and the reasons. */
  #verdict(cursor: LineCursor): boolean {
    if (cursor.word(',"effect":"') && !this.#oneOf('allow"', 'deny"', M.effect, cursor)) return false
    if (!cursor.word(',"policy_hash":"') || !this.#name(M.policyHash, cursor)) return false
    if (!cursor.word(',"policy_id":"') || !this.#name(M.policyId, cursor)) return false
    if (!cursor.word(',"policy_version":') || !this.#textOrNull(M.policyVersion, NAME_LENGTH_MAX, cursor)) return false
    if (!cursor.word(',"reason":"') || !cursor.string(REASON_LENGTH_MAX)) return false
    this.#mark(M.reason, cursor)
    return (
      cursor.word(',"reason_code":') &&
      this.#textOrNull(M.reasonCode, NAME_LENGTH_MAX, cursor) &&
      cursor.word('},"entry_hash":"')
    )
  }

  /** Reads one of two words and the closing quote. */
  #oneOf(word: string, other: string, member: Member, cursor: LineCursor): boolean {
    const start = cursor.at
    if (!cursor.word(word) && !cursor.word(other)) return false
    this.#markFrom(start, member, cursor)
    this.#ends[member] = cursor.at - 1
    return true
  }

  /** `entry_hash` and `entry_signature`. */
  #seal(cursor: LineCursor): boolean {
    if (!cursor.string(HASH_CHARS)) return false
    this.#mark(M.entryHash, cursor)
    return !cursor.word(',"entry_signature":"') || (cursor.name(SIGNATURE_CHARS) && this.#mark(M.signature, cursor))
  }

  /** The span from `event` to the quote before the name of `parameters`, or of `result` or `status` in an outcome. */
  #middle(cursor: LineCursor): boolean {
    if (!cursor.word(',"event":"') || !this.#oneOf('decision"', 'outcome"', M.event, cursor)) return false
    if (cursor.word(',"key_id":"')) {
      if (!cursor.string(KEY_ID_CHARS) || !KEY_ID.test(cursor.taken())) return false
      this.#mark(M.keyId, cursor)
    }
    if (!cursor.word(',"ledger_version":"2.0"')) return false
    if (cursor.word(',"metadata":')) {
      const start = cursor.at
      if (cursor.text.charCodeAt(start) !== OPEN_OBJECT || !cursor.value()) return false
      this.#markFrom(start, M.metadata, cursor)
    }
    // An outcome has a member `outcome`. In a decision, a member with this name could have any type, so such a
    // decision is not recognised.
    return (this.isDecision || this.#outcome(cursor)) && cursor.word(',"')
  }

  get isDecision(): boolean {
    return this.end(M.event) - this.start(M.event) === 'decision'.length
  }

  #outcome(cursor: LineCursor): boolean {
    return (
      cursor.word(',"outcome":{"error":') &&
      this.#textOrNull(M.error, REASON_LENGTH_MAX, cursor) &&
      cursor.word(',"error_type":') &&
      this.#textOrNull(M.errorType, NAME_LENGTH_MAX, cursor) &&
      cursor.word(',"reason":') &&
      textOrNull(cursor, REASON_LENGTH_MAX) &&
      cursor.word(',"reason_code":') &&
      textOrNull(cursor, NAME_LENGTH_MAX)
    )
  }

  /** The rest of `outcome`: the result, which differs in each line, and the status. */
  #status(cursor: LineCursor): boolean {
    if (cursor.word('result":') && !(readResult(cursor) && cursor.word(',"'))) return false
    return cursor.word('status":"') && this.#oneOf('success"', 'error"', M.status, cursor) && cursor.word('},"')
  }

  /** `{"args":[…],"kwargs":{…}}` */
  #parameters(cursor: LineCursor): boolean {
    const { text, at: start } = cursor
    if (!cursor.word('{"args":') || text.charCodeAt(cursor.at) !== OPEN_ARRAY || !cursor.value()) return false
    if (!cursor.word(',"kwargs":') || text.charCodeAt(cursor.at) !== OPEN_OBJECT || !cursor.value()) return false
    return cursor.word('}') && this.#markFrom(start, M.parameters, cursor)
  }

  #ending(cursor: LineCursor): boolean {
    if (!cursor.word(',"prev_entry_hash":"') || !cursor.string(HASH_CHARS)) return false
    this.#mark(M.previous, cursor)
    if (!cursor.word(',"recorded_at":"') || !this.#recorded.read(cursor)) return false
    this.#mark(M.recordedAt, cursor)
    if (!cursor.word(',"request_id":"') || !cursor.name(REQUEST_ID_CHARS)) return false
    this.#mark(M.requestId, cursor)
    return cursor.word(',"schema_version":"2.0"}\n') && cursor.at - 1 === this.#lineEnd
  }
}
