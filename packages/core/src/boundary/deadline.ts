// Foreign code (a policy, a store, a ledger) may never come back. Then the call must fail, not hang.
import { withTimeout } from '@sudoagent/ledger/store'

/** Thrown by `within`: what was waited for did not come in time. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

/**
 * The result of `work`, or a DeadlineError after `ms` milliseconds. Work that comes to an end later is not heard; a late failure is swallowed.
 *
 * The timer keeps the process alive: a guarded call that waits is work under way.
 *
 * @param what - named in the error, e.g. `policy`
 */
export async function within<T>(ms: number, what: string, work: () => T | Promise<T>): Promise<T> {
  const result = work()
  if (!isThenable(result)) return result
  return withTimeout(result, ms, () => new DeadlineError(`${what} did not answer within ${ms} ms`))
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value
}
