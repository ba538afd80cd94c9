// Limits the time of untrusted code that may hang, such as a policy, a store or a ledger. After the limit, the call
// fails.
import { withTimeout } from '@sudoagent/ledger/store'

/** Thrown by `within` after the time limit. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

/**
 * Returns the result of `work`, or throws a DeadlineError after `ms` milliseconds. Later results and errors are
 * ignored.
 *
 * The timer keeps the process alive while a guarded call waits.
 *
 * @param what - the name in the error message, e.g. `policy`
 */
export async function within<T>(ms: number, what: string, work: () => T | Promise<T>): Promise<T> {
  const result = work()
  if (!isThenable(result)) return result
  return withTimeout(result, ms, () => new DeadlineError(`${what} did not answer within ${ms} ms`))
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value
}
