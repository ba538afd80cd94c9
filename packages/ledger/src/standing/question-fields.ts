// An open question as a list of its members, in a fixed order: in a saved state, and in the rows of the stores.
import { isHash } from '@sudoagent/crypto'
import { isTimestamp } from '@sudoagent/crypto/entry'
import { NAME_LENGTH_MAX, REQUEST_ID_LENGTH_MAX } from '../limits.js'
import type { OpenQuestion } from './questions.js'

/** Maximum length of a commitment, which has a fixed form. */
const COMMITMENT_LENGTH_MAX = 256

/** The names of the members, which are the columns of the stores. */
export const QUESTION_FIELDS = [
  'request_id',
  'position',
  'decision_hash',
  'authority_hash',
  'policy_hash',
  'requirement_hash',
  'registry_position',
  'expires_at',
  'agent_id',
  'redacted',
  'commitment',
] as const

export type QuestionFields = readonly (string | number | null)[]

export function questionFields(question: OpenQuestion): QuestionFields {
  const { requestId, position, decisionHash, authorityHash, policyHash, requirementHash } = question
  const { registryPosition, expiresAt, agentId, redacted, commitment } = question
  const hashes = [decisionHash, authorityHash, policyHash, requirementHash]
  return [requestId, position, ...hashes, registryPosition, expiresAt, agentId, redacted, commitment]
}

/** Reads the members of a question from untrusted fields. @returns null if they do not have the form of a question */
export function questionOf(fields: readonly unknown[]): OpenQuestion | null {
  const [requestId, position, decisionHash, authorityHash, policyHash, requirementHash, ...others] = fields
  const [registryPosition, expiresAt, agentId, redacted, commitment, ...more] = others
  const fits =
    isText(requestId, REQUEST_ID_LENGTH_MAX) &&
    isCount(position) &&
    position > 0 &&
    isHash(decisionHash) &&
    (authorityHash === null || isHash(authorityHash)) &&
    isText(policyHash, NAME_LENGTH_MAX) &&
    isHash(requirementHash) &&
    (registryPosition === null || (isCount(registryPosition) && registryPosition > 0)) &&
    isTimestamp(expiresAt) &&
    isText(agentId, NAME_LENGTH_MAX) &&
    isCount(redacted) &&
    (commitment === null || isText(commitment, COMMITMENT_LENGTH_MAX)) &&
    more.length === 0
  if (!fits) return null
  const hashes = { decisionHash, authorityHash, policyHash, requirementHash }
  return { requestId, position, ...hashes, registryPosition, expiresAt, agentId, redacted, commitment }
}

const isText = (value: unknown, maxLength: number): value is string =>
  typeof value === 'string' && value.length >= 1 && value.length <= maxLength
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
