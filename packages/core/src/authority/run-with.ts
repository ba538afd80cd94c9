// The authority of the calls within a function, without passing it along: for frameworks that do not hand their
// context to the tools.
import { AsyncLocalStorage } from 'node:async_hooks'
import { type CallAuthority, mergeAuthority, readAuthority } from './authority.js'

const current = new AsyncLocalStorage<CallAuthority>()

/**
 * Runs a function whose guarded calls, of every engine, have this authority, also after an `await`. `engine.with` and
 * the options of a call take precedence, member by member.
 *
 * @returns the result of the function
 * @throws TypeError for an unknown member; the error of the function
 * @example await runWith({ onBehalfOf: { id: user.id }, session: chat.id }, () => agent.run(prompt))
 */
export function runWith<T>(authority: CallAuthority, fn: () => T): T {
  return current.run(mergeAuthority(currentAuthority(), readAuthority(authority)), fn)
}

export function currentAuthority(): CallAuthority {
  return current.getStore() ?? {}
}
