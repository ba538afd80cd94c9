// The options of `LedgerCommit`, which `PostgresLedger` makes of its own, and the results of its attempts.
import type { CommitPlan, Writer } from '@sudoagent/ledger/store'
import type { SynchronousCommit } from '../session/session-settings.js'
import type { Target } from '../session/target.js'
import type { Known } from './rows.js'

export interface CommitOptions {
  readonly target: Target
  readonly name: string
  readonly writer: Writer
  /** Whether the caller set a clock that replaces the database clock. */
  readonly ownClock: boolean
  /** Identifies this writer in the head row. */
  readonly writerId: string
  readonly busyTimeoutMs: number
  readonly commitTimeoutMs: number
  readonly synchronousCommit: SynchronousCommit
}

/** Result of one attempt. `unknown`: the write may have been applied. `nothing`: there was nothing to write. */
export type Attempt =
  | { readonly kind: 'done' | 'unknown'; readonly step: CommitPlan; readonly after: Known }
  | { readonly kind: 'nothing'; readonly step: CommitPlan }
  | { readonly kind: 'moved' | 'again'; readonly error?: unknown }
