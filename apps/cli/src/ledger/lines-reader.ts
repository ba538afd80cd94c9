// A reader of some lines of a ledger, for `select`.
import type { LedgerReader } from '@sudoagent/ledger'

export type Lines = NonNullable<Awaited<ReturnType<LedgerReader['linesOfCall']>>>

/** A reader of `batches` only. Closing it does not close `reader`. */
export function linesReader(reader: LedgerReader, batches: () => AsyncIterable<Lines>): LedgerReader {
  return {
    kind: reader.kind,
    sizeHint: undefined,
    batches,
    lineAt: (position) => reader.lineAt(position),
    linesOfCall: async () => null,
    evidence: () => reader.evidence(),
    treeReader: () => null,
    faults: () => reader.faults(),
    close: async () => {},
  }
}

export async function* batchOf(lines: Lines): AsyncGenerator<Lines, void, undefined> {
  yield lines
}
