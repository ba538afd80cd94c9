// A reader for a store that must not be opened. It returns one fault and no lines, so that `verify` can report the
// damage as usual.
import type { LedgerKind, LedgerReader, StoreFault } from '../port/reader.js'

/**
 * @param kind - the kind of the store
 * @param message - the damage
 * @param remove - called on close
 */
export function damagedReader(kind: LedgerKind, message: string, remove: () => void): LedgerReader {
  const faults: readonly StoreFault[] = [{ code: 'STORE_DAMAGED', message }]
  return {
    kind,
    sizeHint: undefined,
    async *batches() {},
    lineAt: async () => null,
    linesOfCall: async () => [],
    evidence: async () => ({ head: null, cosigned: null }),
    treeReader: () => null,
    faults: () => faults,
    close: async () => remove(),
  }
}
