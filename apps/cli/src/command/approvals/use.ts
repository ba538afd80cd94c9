// After an approval: says whether a process waits for the answer, and with `--wait`, waits until the approval was used.
import { setTimeout as sleep } from 'node:timers/promises'
import type { ApprovalRecord } from '@sudoagent/core'
import { APPROVAL_USE_GRACE_MS } from '@sudoagent/crypto/entry'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { withApprovals } from '../../ledger/approval-store.js'
import { type Io, print } from '../../terminal/io.js'
import { pollMs } from './recorded.js'

export interface UseOptions {
  readonly store: string
  readonly wait?: boolean
  readonly ledger?: string
  readonly allowOtherWriters?: boolean
}

/** @throws CliError for options that exclude each other */
export function requireUseOptions({ wait, ledger }: Pick<UseOptions, 'wait' | 'ledger'>): void {
  if (wait === true && ledger !== undefined)
    throw new CliError(EXIT.usage, '--wait cannot be combined with --ledger', 'the option --ledger waits as well')
}

/** Whether a process waits for the answer to a question; null for a request without a question. */
export function isWaitedFor({ asked, leasedUntil }: ApprovalRecord): boolean | null {
  return asked === undefined ? null : leasedUntil !== null && leasedUntil > new Date()
}

/** The next step of the call, in words; null for a request without a question, whose process waits. */
export function nextText(record: ApprovalRecord): string | null {
  const isWaited = isWaitedFor(record)
  if (isWaited === null) return null
  if (isWaited) return 'a process waits for the answer'
  return `no process waits for the answer: the call can run when it is repeated or resumed, until ${record.expiresAt.toISOString()}`
}

/**
 * Waits until the approval was used, and prints so.
 *
 * @returns 0 if it was used; 1 if it was not used in time, or the call was denied in another way
 */
export async function waitForUse(approved: ApprovalRecord, options: UseOptions, io: Io): Promise<ExitCode> {
  const { store: place, allowOtherWriters } = options
  const lapsesAtMs = approved.expiresAt.getTime() + APPROVAL_USE_GRACE_MS
  return await withApprovals(place, { allowOtherWriters }, async (store) => {
    for (;;) {
      const now = new Date()
      const record = await store.get(approved.approvalId, now)
      if (record !== undefined && record.consumedAt !== null) {
        await print(io.stdout, `used at ${record.consumedAt.toISOString()}\n`)
        return EXIT.ok
      }
      if (record?.state !== 'approved')
        throw new CliError(EXIT.no, 'the call did not run under this approval', '`sudoagent show` shows the decision')
      if (now.getTime() > lapsesAtMs)
        throw new CliError(EXIT.no, 'the approval was not used in time', 'the agent must ask again')
      await sleep(pollMs(place))
    }
  })
}
