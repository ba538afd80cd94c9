// The part of an allowed call that is compared with open stops.
import type { CallFacts } from './line-facts.js'

/** An agent, an action and the canonical text of an authority. */
export type AllowedCall = Pick<CallFacts, 'agentId' | 'action' | 'authority'>

/**
 * A key that two calls share exactly if all three texts are equal. A name may contain any character, a line feed too,
 * so the lengths say where each text ends.
 */
export const allowedKey = ({ agentId, action, authority }: AllowedCall): string =>
  `${agentId.length} ${action.length} ${agentId}${action}${authority ?? ''}`
