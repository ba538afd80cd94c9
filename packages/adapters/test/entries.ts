import { select } from '@sudoagent/ledger'
import type { EntryRecord } from '@sudoagent/ledger/entry'
import type { MemoryLedger } from '@sudoagent/ledger/memory'

type CallEntry = Exclude<EntryRecord['entry'], { readonly event: 'checkpoint' }>

/** Returns the entries of a ledger, without the genesis entry. */
export async function entriesOf(ledger: MemoryLedger): Promise<readonly CallEntry[]> {
  const entries: CallEntry[] = []
  for await (const { entry } of select(ledger.reader())) if (entry.event !== 'checkpoint') entries.push(entry)
  return entries
}
