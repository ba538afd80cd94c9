// The authority of a call: for whom the agent called.
import { authorityMisfit } from '@sudoagent/crypto/entry'
import type { Problem } from './line-facts.js'

/** @param authority - the member of a parsed entry; undefined if the entry does not have it */
export function authorityProblemOf(authority: unknown): Problem | null {
  const field = authority === undefined ? null : authorityMisfit(authority)
  return field === null ? null : { code: 'AUTHORITY_INVALID', message: `field \`${field}\` is not valid` }
}
