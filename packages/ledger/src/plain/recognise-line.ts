// The fast path of verification: recognises decisions and outcomes that this package wrote, in one pass and without
// building an object.
//
// Every line of a ledger is canonical JSON (RFC 8785), so the order and the spelling of the members are fixed:
//
//   {"action":"refund","actor":{…},"agent_id":"bot","approval":null,"budget":null,"created_at":"…","decision":{…},
//    "entry_hash":"…","event":"decision",…,"schema_version":"2.0"}
//
// `LineCursor` reads such a line token by token, `PlainMembers` records where each value begins and ends, and
// `LineRecogniser` hashes slices of the text (LEDGER-FORMAT §3). For `entry_hash`, the hashed text is
//
//   line up to `"entry_hash":`  +  null  +  line after `entry_hash` and `entry_signature`
//
// A recognised line has the right shape, correct hashes and a valid approval, and `checkLine` returns the same facts.
// Tests compare both functions on arbitrary bytes, on mutated ledgers and on every test vector. A line that is not
// recognised may still be valid, so `checkLine` reads it. `ChunkChecker` does the same for thousands of lines at a
// time.
import { type Hash, isHash, sha256Hex } from '@sudoagent/crypto'
import { hashDecisionTexts } from '@sudoagent/crypto/entry'
import { LINE_BYTES_MAX } from '../limits.js'
import { answerOf, approvalProblems, hasTimes } from '../rules/approval.js'
import { isUuid } from '../rules/call-key.js'
import { type ApprovalUse, type CallFacts, NO_PROBLEMS } from '../rules/line-facts.js'
import { LineCursor } from './line-cursor.js'
import { M } from './member.js'
import { PlainMembers } from './plain-members.js'
import { lineText } from './plain-text.js'

/** Recognises the lines of one text, in order. */
export class LineRecogniser {
  readonly #members = new PlainMembers()
  // Values of the previous line: an outcome often follows its decision directly, so the hashes that both lines
  // contain need not be checked again.
  #requestId = ''
  #decisionHash = ''
  #entryHash = ''

  /**
   * Reads the line that begins at the cursor, including its line feed.
   *
   * @returns null if the line is not recognised; the position of the cursor is then undefined
   */
  next(cursor: LineCursor): CallFacts | null {
    const members = this.#members
    const { text, at: lineStart } = cursor
    if (!members.read(cursor) || cursor.at - 1 - lineStart > LINE_BYTES_MAX) return null

    // The entry hash does not cover itself or the signature.
    const hashAt = members.start(M.entryHash) - 1
    const restAt = members.end(members.has(M.signature) ? M.signature : M.entryHash) + 1
    const entryHash = members.get(M.entryHash)
    const hashed = `${text.slice(lineStart, hashAt)}null${text.slice(restAt, cursor.at - 1)}`
    if (sha256Hex(hashed) !== entryHash) return null

    const { isDecision } = members
    const requestId = members.value(M.requestId)
    const decisionHash = members.get(M.decisionHash)
    const previous = members.get(M.previous)
    const createdAt = members.get(M.createdAt)
    const action = members.value(M.action)
    const principal = members.value(M.principal)
    const source = members.value(M.source)
    const policyHash = members.value(M.policyHash)
    const parameters = members.get(M.parameters)
    if (requestId !== this.#requestId && !isUuid(requestId)) return null
    if (isDecision) {
      // The line is canonical, so its texts are hashed as stored.
      const texts = {
        requestId: members.json(M.requestId),
        decisionAt: members.json(M.createdAt),
        policyHash: members.json(M.policyHash),
        action: members.json(M.action),
        actor: { principal: members.json(M.principal), source: members.json(M.source) },
        parameters,
      }
      if (hashDecisionTexts(texts) !== decisionHash) return null
    } else if (decisionHash !== this.#decisionHash && !isHash(decisionHash)) return null
    if (previous !== this.#entryHash && !isHash(previous)) return null
    const recordedAt = members.get(M.recordedAt)
    const isAllowed = isDecision && members.get(M.effect) === 'allow'
    let approval: ApprovalUse | null = null
    if (isAllowed && members.approval !== null) {
      const call = { requestId, policyHash, decisionHash: decisionHash as Hash, recordedAt }
      if (approvalProblems(members.approval, call).length > 0) return null
      approval = { id: members.approval.approval_id, hasTimes: hasTimes(members.approval) }
    }
    this.#requestId = requestId
    this.#decisionHash = decisionHash
    this.#entryHash = entryHash
    return {
      kind: 'call',
      isDecision,
      isAllowed,
      entryHash: entryHash as Hash,
      previous: previous as Hash,
      decisionHash: decisionHash as Hash,
      requestId,
      createdAt,
      recordedAt,
      keyId: members.has(M.keyId) ? members.get(M.keyId) : null,
      signature: members.has(M.signature) ? members.value(M.signature) : null,
      agentId: members.value(M.agentId),
      action,
      principal,
      source,
      policyHash,
      parameters,
      approval,
      isApproved: isAllowed && members.approval !== null,
      answer: isDecision
        ? answerOf(members.approval, members.has(M.commitment) ? members.get(M.commitment) : null)
        : null,
      hashProblems: NO_PROBLEMS,
      approvalProblems: NO_PROBLEMS,
      authority: members.has(M.authority) ? members.get(M.authority) : null,
      authorityProblem: null,
    }
  }
}

const single = new LineRecogniser()

/**
 * Recognises a single line in full mode, which also accepts approvals, escapes, fractions, deep nesting and text that
 * is not ASCII.
 *
 * @param line - without its line feed
 * @returns the facts that `checkLine` returns, with empty problem lists; null if the line is not recognised
 */
export function recogniseLine(line: Uint8Array): CallFacts | null {
  if (line.length > LINE_BYTES_MAX) return null
  const text = lineText(Buffer.from(line.buffer, line.byteOffset, line.length))
  return text === null ? null : single.next(new LineCursor(`${text}\n`, true))
}
