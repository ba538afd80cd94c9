// A ledger that a command writes decisions to: the one that is there, or a new one.
import { statSync } from 'node:fs'
import type { Signer } from '@sudoagent/crypto'
import { type LedgerWriter, openLedger, recognise, withCounter } from '@sudoagent/ledger'

/**
 * Opens the ledger at `path` for writing, and begins it: an empty one gets its genesis. Where there is none, it is made: JSONL when its name ends in `.jsonl`, else SQLite.
 *
 * @param counter - a file that says how far this writer has written; an older ledger is refused
 * @throws LedgerError
 */
export async function openLedgerWriter(
  path: string,
  signer: Signer | undefined,
  counter: string | undefined,
): Promise<LedgerWriter> {
  const options = signer === undefined ? {} : { signer }
  const opened =
    kindOf(path) === 'jsonl'
      ? (await import('@sudoagent/ledger/jsonl')).JsonlLedger.open(path, options)
      : (await import('@sudoagent/ledger/sqlite')).SqliteLedger.open(path, options)
  const ledger =
    counter === undefined ? opened : await withCounter(opened, { file: counter, openReader: () => openLedger(path) })
  try {
    await ledger.begin?.()
    return ledger
  } catch (error) {
    await ledger.close()
    throw error
  }
}

/** Asks the file, and opens nothing: another guard may be making its ledger there right now, and an empty file says nothing about its kind. */
function kindOf(path: string): 'sqlite' | 'jsonl' {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size > 0) return recognise(path)
  return path.endsWith('.jsonl') ? 'jsonl' : 'sqlite'
}
