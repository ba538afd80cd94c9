// A ledger that a command writes decisions to: the one that is there, or a new one.
import { statSync } from 'node:fs'
import type { Signer } from '@sudoagent/crypto'
import { type LedgerWriter, recognise } from '@sudoagent/ledger'

/**
 * Opens the ledger at `path` for writing; where there is none, it is made: JSONL when its name ends in `.jsonl`, else SQLite.
 *
 * @throws LedgerError
 */
export async function openForDecisions(path: string, signer: Signer | undefined): Promise<LedgerWriter> {
  const options = signer === undefined ? {} : { signer }
  if (kindOf(path) === 'jsonl') return (await import('@sudoagent/ledger/jsonl')).JsonlLedger.open(path, options)
  return (await import('@sudoagent/ledger/sqlite')).SqliteLedger.open(path, options)
}

/** Asks the file, and opens nothing: another guard may be making its ledger there right now, and an empty file says nothing about its kind. */
function kindOf(path: string): 'sqlite' | 'jsonl' {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size > 0) return recognise(path)
  return path.endsWith('.jsonl') ? 'jsonl' : 'sqlite'
}
