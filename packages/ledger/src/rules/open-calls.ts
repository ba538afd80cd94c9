// Lists the calls without an outcome for reports.
import type { Lifecycle } from './lifecycle.js'

/** An allowed call without an outcome. The call may have run. */
export interface ListedCall {
  /** Position of the decision. */
  readonly position: number
  readonly request_id: string
}

/** The first `max` open calls. */
export function firstOpenCalls(lifecycle: Lifecycle, max: number): readonly ListedCall[] {
  const calls: ListedCall[] = []
  for (const { position, requestId } of lifecycle.openCalls()) {
    if (calls.length === max) break
    calls.push({ position, request_id: requestId })
  }
  return calls
}
