// A plain line that holds by itself: of the right shape, its hashes right. What is recognised here, `parseLine` accepts, and reads the same in it
// (the tests hold the two against one another).
import { type Hash, hashDecisionFacts, isHash, sha256Hex } from '@sudoagent/crypto'
import { isUuid } from '../rules/call-key.js'
import type { LineCursor } from './line-cursor.js'
import { M } from './member.js'
import { PlainMembers } from './plain-members.js'

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
  agentId: string
  action: string
  principal: string
  source: string
  policyHash: string
  /** Canonical JSON. */
  parameters: string
  /** Of an allow; null without one. */
  approval: { readonly id: string; readonly hasTimes: boolean } | null
}

/** Recognises line after line of one text. */
export class PlainLines {
  readonly #members = new PlainMembers()
  #decisionHash: string | null = null

  /**
   * Reads the line that begins at the cursor, its line feed included.
   *
   * @param facts - filled in
   * @returns false when it is not plainly recognised, or does not hold; the cursor then stands anywhere
   */
  read(cursor: LineCursor, facts: LineFacts): boolean {
    const members = this.#members
    const { text, at: lineStart } = cursor
    if (!members.read(cursor)) return false

    // What the hash is not taken over: its own place, and the signature.
    const hashAt = members.start(M.entryHash) - 1
    const restAt = members.end(members.has(M.signature) ? M.signature : M.entryHash) + 1
    const entryHash = members.get(M.entryHash)
    const hashed = `${text.slice(lineStart, hashAt)}null${text.slice(restAt, cursor.at - 1)}`
    if (sha256Hex(hashed) !== entryHash) return false

    const { isDecision } = members
    const requestId = members.get(M.requestId)
    const decisionHash = members.get(M.decisionHash)
    const createdAt = members.get(M.createdAt)
    const action = members.get(M.action)
    const principal = members.get(M.principal)
    const source = members.get(M.source)
    const policyHash = members.get(M.policyHash)
    const parameters = members.get(M.parameters)
    if (isDecision) {
      if (!isUuid(requestId)) return false
      const call = { requestId, decisionAt: createdAt, policyHash, action, actor: { principal, source } }
      if (hashDecisionFacts(call, parameters) !== decisionHash) return false
    } else {
      if (requestId !== facts.requestId && !isUuid(requestId)) return false
      if (decisionHash !== this.#decisionHash && !isHash(decisionHash)) return false
    }
    this.#decisionHash = decisionHash
    facts.isDecision = isDecision
    facts.isAllowed = members.get(M.effect) === 'allow'
    facts.entryHash = entryHash as Hash
    facts.previous = members.get(M.previous) as Hash
    facts.decisionHash = decisionHash as Hash
    facts.requestId = requestId
    facts.createdAt = createdAt
    facts.recordedAt = members.get(M.recordedAt)
    facts.keyId = members.has(M.keyId) ? members.get(M.keyId) : null
    facts.signature = members.has(M.signature) ? members.get(M.signature) : null
    facts.agentId = members.get(M.agentId)
    facts.action = action
    facts.principal = principal
    facts.source = source
    facts.policyHash = policyHash
    facts.parameters = parameters
    facts.approval = null
    return true
  }
}
