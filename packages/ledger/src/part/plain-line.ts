// The lines that a ledger is full of: decisions and outcomes as this package writes them, in ASCII, with nothing out of the ordinary. They are
// recognised member by member in one pass, without building an object. What is not recognised may be right all the same: then `parseLine` looks
// at it. What is recognised here, `parseLine` accepts, and reads the same in it (the tests hold the two against one another).
import { type Hash, hashDecisionFacts, isHash, sha256Hex } from '@sudoagent/crypto'
import { isUuid } from '../lifecycle.js'
import { NAME_LENGTH_MAX, REASON_LENGTH_MAX } from '../limits.js'
import { isTimestamp } from '../timestamp.js'
import type { LineCursor } from './line-cursor.js'

/** What the checks need of a line about a call, once it holds by itself: canonical, of the right shape, both hashes right. */
export interface LineFacts {
  isDecision: boolean
  isAllowed: boolean
  entryHash: Hash
  previous: Hash | null
  decisionHash: Hash
  requestId: string
  createdAt: string
  recordedAt: string
  keyId: string | null
  signature: string | null
}

/** Approvals have rules of their own, and are rare enough to be looked at in the long way. */
const NO_APPROVAL = ',"approval":null'
const REQUEST_ID_CHARS = 36
const HASH_CHARS = 64
const TIMESTAMP_CHARS = 27
/** `2026-11-22T20:18:29` */
const SECOND_CHARS = 19
const KEY_ID_CHARS = 16
/** Of an Ed25519 signature in base64. */
const SIGNATURE_CHARS = 88
const KEY_ID = /^[0-9a-f]{16}$/
const OPEN_ARRAY = 0x5b
const OPEN_OBJECT = 0x7b

/** Who did what. */
interface Opening {
  readonly action: string
  readonly principal: string
  readonly source: string
}

interface Verdict {
  readonly effect: 'allow' | 'deny' | null
  readonly policyHash: string
}

interface Middle {
  readonly isDecision: boolean
  readonly keyId: string | null
}

/** Recognises line after line of one text. */
export class PlainLines {
  readonly #created = new Seconds()
  readonly #recorded = new Seconds()
  #decisionHash = ''

  /**
   * Reads the line that begins at the cursor, its line feed included.
   *
   * @param facts - filled in
   * @returns false when it is not plainly recognised, or does not hold; the cursor then stands anywhere
   */
  read(cursor: LineCursor, facts: LineFacts): boolean {
    const { text, at: lineStart } = cursor
    const opening = readOpening(cursor)
    if (opening === null || !this.#created.read(cursor)) return false
    facts.createdAt = cursor.taken()
    if (!cursor.word(',"decision":{"decision_hash":"') || !cursor.string(HASH_CHARS)) return false
    const decisionHash = cursor.taken()
    const verdict = readVerdict(cursor)
    if (verdict === null) return false

    // What the hash is not taken over: its own place, and the signature.
    const hashAt = cursor.at - 1
    if (!cursor.string(HASH_CHARS)) return false
    const entryHash = cursor.taken()
    facts.signature = null
    if (cursor.word(',"entry_signature":"')) {
      if (!cursor.string(SIGNATURE_CHARS)) return false
      facts.signature = cursor.taken()
    }
    const restAt = cursor.at

    const middle = readMiddle(cursor)
    if (middle === null) return false
    const parametersAt = cursor.at
    if (!parameters(cursor)) return false
    const parametersEnd = cursor.at

    if (!cursor.word(',"prev_entry_hash":"') || !cursor.string(HASH_CHARS)) return false
    facts.previous = cursor.taken() as Hash
    if (!cursor.word(',"recorded_at":"') || !this.#recorded.read(cursor)) return false
    facts.recordedAt = cursor.taken()
    if (!cursor.word(',"request_id":"') || !cursor.string(REQUEST_ID_CHARS)) return false
    const requestId = cursor.taken()
    if (!cursor.word(',"schema_version":"2.0"}\n')) return false

    const hashed = `${text.slice(lineStart, hashAt)}null${text.slice(restAt, cursor.at - 1)}`
    if (sha256Hex(hashed) !== entryHash) return false
    const { isDecision } = middle
    if (isDecision) {
      if (verdict.effect === null || !isUuid(requestId)) return false
      const { action, ...actor } = opening
      const call = { requestId, decisionAt: facts.createdAt, policyHash: verdict.policyHash, action, actor }
      if (hashDecisionFacts(call, text.slice(parametersAt, parametersEnd)) !== decisionHash) return false
    } else {
      if (requestId !== facts.requestId && !isUuid(requestId)) return false
      if (decisionHash !== this.#decisionHash && !isHash(decisionHash)) return false
    }
    this.#decisionHash = decisionHash
    facts.isDecision = isDecision
    facts.isAllowed = verdict.effect === 'allow'
    facts.entryHash = entryHash as Hash
    facts.decisionHash = decisionHash as Hash
    facts.requestId = requestId
    facts.keyId = middle.keyId
    return true
  }
}

/** Up to the time at which the entry was made. */
function readOpening(cursor: LineCursor): Opening | null {
  if (!cursor.word('{"action":"') || !cursor.name(NAME_LENGTH_MAX)) return null
  const action = cursor.taken()
  if (!cursor.word(',"actor":{"principal":"') || !cursor.name(NAME_LENGTH_MAX)) return null
  const principal = cursor.taken()
  if (!cursor.word(',"source":"') || !cursor.name(NAME_LENGTH_MAX)) return null
  const source = cursor.taken()
  if (!cursor.word('},"agent_id":"') || !cursor.name(NAME_LENGTH_MAX)) return null
  cursor.word(NO_APPROVAL)
  if (cursor.word(',"budget":') && !cursor.word('null') && !budget(cursor)) return null
  return cursor.word(',"created_at":"') ? { action, principal, source } : null
}

/** From the hash of the decision to that of the entry: what was decided, and why. */
function readVerdict(cursor: LineCursor): Verdict | null {
  const effect = cursor.word(',"effect":"allow"') ? 'allow' : cursor.word(',"effect":"deny"') ? 'deny' : null
  if (!cursor.word(',"policy_hash":"') || !cursor.name(NAME_LENGTH_MAX)) return null
  const policyHash = cursor.taken()
  if (!cursor.word(',"policy_id":"') || !cursor.name(NAME_LENGTH_MAX)) return null
  if (!cursor.word(',"policy_version":') || !textOrNull(cursor, NAME_LENGTH_MAX)) return null
  if (!cursor.word(',"reason":"') || !cursor.string(REASON_LENGTH_MAX)) return null
  if (!cursor.word(',"reason_code":') || !textOrNull(cursor, NAME_LENGTH_MAX)) return null
  return cursor.word('},"entry_hash":"') ? { effect, policyHash } : null
}

/** From the hash of the entry, or its signature, to the parameters. */
function readMiddle(cursor: LineCursor): Middle | null {
  const isDecision = cursor.word(',"event":"decision"')
  if (!isDecision && !cursor.word(',"event":"outcome"')) return null
  let keyId: string | null = null
  if (cursor.word(',"key_id":"')) {
    if (!cursor.string(KEY_ID_CHARS)) return null
    keyId = cursor.taken()
    if (!KEY_ID.test(keyId)) return null
  }
  if (!cursor.word(',"ledger_version":"2.0"')) return null
  if (cursor.word(',"metadata":') && !(cursor.text.charCodeAt(cursor.at) === OPEN_OBJECT && cursor.value())) return null
  // An outcome has a block of that name; a decision may have a member of any kind there, which is not plain.
  if (!isDecision && !outcome(cursor)) return null
  return cursor.word(',"parameters":') ? { isDecision, keyId } : null
}

/** Reads timestamps of one member, line after line: most of them are of the same second as the one before. */
class Seconds {
  #second = ''

  read(cursor: LineCursor): boolean {
    if (!cursor.string(TIMESTAMP_CHARS)) return false
    const { text, start, end } = cursor
    if (end - start !== TIMESTAMP_CHARS) return false
    if (
      this.#second !== '' &&
      text.slice(start, start + SECOND_CHARS) === this.#second &&
      isFraction(text, start + SECOND_CHARS)
    )
      return true
    const timestamp = cursor.taken()
    if (!isTimestamp(timestamp)) return false
    this.#second = timestamp.slice(0, SECOND_CHARS)
    return true
  }
}

/** `.260673Z` */
function isFraction(text: string, at: number): boolean {
  if (text.charCodeAt(at) !== 0x2e || text.charCodeAt(at + 7) !== 0x5a) return false
  for (let i = at + 1; i < at + 7; i += 1) {
    const unit = text.charCodeAt(i)
    if (unit < 0x30 || unit > 0x39) return false
  }
  return true
}

function textOrNull(cursor: LineCursor, charsMax: number): boolean {
  return cursor.word('null') || (cursor.word('"') && cursor.string(charsMax))
}

function budget(cursor: LineCursor): boolean {
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
    isCount(cursor) &&
    cursor.word(',"window_seconds":') &&
    isCount(cursor) &&
    cursor.word('}')
  )
}

/** Not negative. */
function isCount(cursor: LineCursor): boolean {
  return cursor.text.charCodeAt(cursor.at) !== 0x2d && cursor.integer()
}

function outcome(cursor: LineCursor): boolean {
  return (
    cursor.word(',"outcome":{"error":') &&
    textOrNull(cursor, REASON_LENGTH_MAX) &&
    cursor.word(',"error_type":') &&
    textOrNull(cursor, NAME_LENGTH_MAX) &&
    cursor.word(',"reason":') &&
    textOrNull(cursor, REASON_LENGTH_MAX) &&
    cursor.word(',"reason_code":') &&
    textOrNull(cursor, NAME_LENGTH_MAX) &&
    cursor.word(',"status":"') &&
    (cursor.word('success"}') || cursor.word('error"}'))
  )
}

/** `{"args":[…],"kwargs":{…}}` */
function parameters(cursor: LineCursor): boolean {
  const { text } = cursor
  if (!cursor.word('{"args":') || text.charCodeAt(cursor.at) !== OPEN_ARRAY || !cursor.value()) return false
  if (!cursor.word(',"kwargs":') || text.charCodeAt(cursor.at) !== OPEN_OBJECT || !cursor.value()) return false
  return cursor.word('}')
}
