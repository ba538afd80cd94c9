import { select } from '@sudoagent/ledger'
import type { EntryRecord } from '@sudoagent/ledger/entry'
import type { MemoryLedger } from '@sudoagent/ledger/memory'

type CallEntry = Exclude<EntryRecord['entry'], { readonly event: 'checkpoint' }>

/** The entries of a ledger, without its genesis. */
export async function entriesOf(ledger: MemoryLedger): Promise<readonly CallEntry[]> {
  const entries: CallEntry[] = []
  for await (const { entry } of select(ledger.reader())) if (entry.event !== 'checkpoint') entries.push(entry)
  return entries
}
