// A store that must not be opened, as a reader: it has no lines, and says what is wrong. So a report about it is a report like any other.
import type { LedgerKind, LedgerReader, StoreFault } from '../port/reader.js'

/**
 * @param kind - of the store
 * @param message - what is wrong with it
 * @param remove - called when it is closed
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
