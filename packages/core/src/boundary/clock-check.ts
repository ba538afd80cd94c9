// Checks the clock before an approval is requested, because the ledger decides by its own clock whether it is late.
import { memberOf } from '../check.js'
import { LEDGER_AHEAD_MS_MAX } from '../limits.js'
import type { EngineParts } from '../options.js'
import { within } from './deadline.js'
import { Refusal } from './refusal.js'

/**
 * Refuses to ask if the ledger's clock is far ahead: by that clock, the approval could expire before its use.
 *
 * @throws Refusal CLOCK_BEHIND_LEDGER; APPROVAL_PROCESS_FAILED when the ledger's time cannot be read
 */
export async function requireClock({ ledger, timeoutMs }: Pick<EngineParts, 'ledger' | 'timeoutMs'>): Promise<void> {
  if (typeof memberOf(ledger, 'aheadMs') !== 'function') return
  let aheadMs: unknown
  try {
    aheadMs = await within(timeoutMs, 'ledger', async () => ledger.aheadMs?.())
  } catch (cause) {
    const reason = 'the time of the ledger cannot be read'
    throw new Refusal({ kind: 'approval', code: 'APPROVAL_PROCESS_FAILED', reason, cause })
  }
  if (typeof aheadMs === 'number' && aheadMs <= LEDGER_AHEAD_MS_MAX) return
  const reason = `the ledger is ${Math.round(Number(aheadMs) / 1000)} s ahead of the clock`
  throw new Refusal({ code: 'CLOCK_BEHIND_LEDGER', reason })
}
