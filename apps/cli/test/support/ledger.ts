import { createSigner, type PrivateKey } from '@sudoagent/crypto'
import type { EntryDraft } from '@sudoagent/ledger'
import { JsonlLedger } from '@sudoagent/ledger/jsonl'
import { SqliteLedger } from '@sudoagent/ledger/sqlite'
import { decisionDraft, outcomeDraft } from './draft.js'

const ONE_BY_ONE_MAX = 32

/** Writes a ledger. The file extension of `path` selects the store. */
export async function writeLedger(path: string, drafts: readonly EntryDraft[], key?: PrivateKey): Promise<void> {
  // In a short ledger, the recording time of each entry is its creation time. In a long ledger, all entries have the
  // same recording time, because they can then be appended together, which is faster.
  let now = new Date('2026-11-22T20:00:00Z')
  const clock = (): Date => now
  const options = key === undefined ? { clock } : { clock, signer: createSigner(key) }
  const ledger = path.endsWith('.jsonl') ? JsonlLedger.open(path, options) : SqliteLedger.open(path, options)
  if (drafts.length > 0) await ledger.begin()
  if (drafts.length > ONE_BY_ONE_MAX) await Promise.all(drafts.map((draft) => ledger.append(draft)))
  else
    for (const draft of drafts) {
      now = new Date(draft.created_at)
      await ledger.append(draft)
    }
  await ledger.close()
}

/** Ten entries about six calls, which follow the genesis entry. The calls include a case for each command. */
export const SAMPLE: readonly EntryDraft[] = [
  decisionDraft({ n: 1 }), // 2
  outcomeDraft({ n: 1 }), // 3
  decisionDraft({ n: 2, effect: 'deny', reason: 'above the limit', kwargs: { amount: 9000 } }), // 4
  decisionDraft({ n: 3, approverId: 'alice', cost: 5, kwargs: { note: 'ticket 4711' } }), // 5
  outcomeDraft({ n: 3, kwargs: { note: 'ticket 4711' } }), // 6
  decisionDraft({ n: 4, action: 'delete_user' }), // 7
  outcomeDraft({ n: 4, action: 'delete_user' }, { type: 'TimeoutError', message: 'no answer' }), // 8
  decisionDraft({ n: 5, agentId: 'billing-bot' }), // 9: open
  decisionDraft({ n: 6, reason: '退款在限额内 🤖', kwargs: { note: 'wide' } }), // 10
  outcomeDraft({ n: 6, reason: '退款在限额内 🤖', kwargs: { note: 'wide' } }), // 11
]

/** Returns the entries of `calls` calls, each with an outcome. */
export function manyCalls(calls: number): readonly EntryDraft[] {
  return Array.from({ length: calls }, (_, n) => [decisionDraft({ n }), outcomeDraft({ n })]).flat()
}
