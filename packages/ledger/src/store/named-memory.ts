// Finds in-memory ledgers by name, so that a reader can open the ledger of a writer in the same process.
import { LedgerError } from '../error.js'
import type { LedgerReader } from '../port/reader.js'
import type { WriterOptions } from '../write/advance.js'
import { MemoryLedger } from './memory.js'

const ledgers = new Map<string, MemoryLedger>()

/** @throws LedgerError LEDGER_NOT_FOUND */
export function readNamed(place: string): LedgerReader {
  const ledger = ledgers.get(place)
  if (ledger === undefined) throw new LedgerError('LEDGER_NOT_FOUND', `\`${place}\` has no writer in this process`)
  return ledger.reader()
}

/** @throws LedgerError LEDGER_LOCKED if the name already has a writer */
export function writeNamed(place: string, options: WriterOptions): MemoryLedger {
  if (ledgers.has(place)) throw new LedgerError('LEDGER_LOCKED', `\`${place}\` already has a writer`)
  const ledger = new MemoryLedger(options)
  ledgers.set(place, ledger)
  return ledger
}
