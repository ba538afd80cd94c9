// Checks the clock before an approval is requested, because the ledger uses its own clock to decide whether an approval
// is late.
import { LEDGER_AHEAD_MS_MAX } from '@sudoagent/ledger/store'
import { memberOf } from '../check.js'
import type { EngineParts } from '../options.js'
import { within } from './deadline.js'
import { Refusal } from './refusal.js'

/**
 * Refuses to request an approval if the ledger's clock is far ahead: by the ledger's clock, the approval could expire
 * before it is used.
 *
 * @throws Refusal CLOCK_BEHIND_LEDGER; APPROVAL_PROCESS_FAILED if the ledger's time cannot be read
 */
export async function requireClock({ ledger, timeoutMs }: Pick<EngineParts, 'ledger' | 'timeoutMs'>): Promise<void> {
  if (typeof memberOf(ledger, 'aheadMs') !== 'function') return
  let aheadMs: unknown
  try {
    aheadMs = await within(timeoutMs, 'ledger', async () => ledger.aheadMs?.())
  } catch (cause) {
    const reason = "the ledger's time cannot be read"
    throw new Refusal({ kind: 'approval', code: 'APPROVAL_PROCESS_FAILED', reason, cause })
  }
  if (typeof aheadMs === 'number' && aheadMs <= LEDGER_AHEAD_MS_MAX) return
  const reason = `the ledger's clock is ${Math.round(Number(aheadMs) / 1000)} s ahead of the system clock`
  throw new Refusal({ code: 'CLOCK_BEHIND_LEDGER', reason })
}
