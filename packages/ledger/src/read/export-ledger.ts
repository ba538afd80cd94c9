// A whole ledger in a format: every entry of it, or an error.

import { recordOf } from '../entry/record.js'
import { framed, type RowMaker } from '../export/format.js'
import { type ExportFormat, FORMATS } from '../export/formats.js'
import type { LedgerReader } from '../port/reader.js'
import { scan } from '../range/scan.js'

export interface ExportOptions {
  /** How many threads may make rows at a time; as many as there are cores unless told. */
  readonly threads?: number | undefined
  /** One text for each entry, as it is read, for somebody who looks at them; else many at a time. */
  readonly isOneByOne?: boolean
  /** Called with the position of an entry that cannot be read; what it throws ends the export. Without it, such an entry is left out. */
  readonly onUnreadable?: (position: number) => void
  /** Awaited when every entry has been read, before the end of the format; what it throws ends the export. */
  readonly beforeEnd?: () => Promise<void>
  /** Told, now and then, how many entries have been handed out or left out. */
  readonly onProgress?: (entries: number) => void
}

/**
 * Every entry of a ledger, in order. What comes out is what `exportCsv`, `exportJson` or `exportNdjson` make of `select(reader)`, several times as
 * fast.
 *
 * @throws LedgerError when the store cannot be read
 */
export function exportLedger(
  reader: LedgerReader,
  format: ExportFormat,
  options: ExportOptions = {},
): AsyncGenerator<string> {
  return framed(FORMATS[format], rowsOf(reader, format, options))
}

async function* rowsOf(reader: LedgerReader, format: ExportFormat, options: ExportOptions): AsyncGenerator<string> {
  const { threads, isOneByOne = false, onUnreadable, beforeEnd, onProgress } = options
  const maker: RowMaker = FORMATS[format].rowMaker()
  let entries = 0
  for await (const scanned of scan(reader, isOneByOne ? null : { kind: 'export', format }, { threads })) {
    if ('texts' in scanned) {
      entries = scanned.lines
      onProgress?.(entries)
      yield* scanned.texts
      continue
    }
    for (const line of scanned) {
      const record = recordOf(line)
      entries += 1
      if (record === null) {
        onUnreadable?.(line.position)
        continue
      }
      onProgress?.(entries)
      yield maker.row(record)
    }
  }
  await beforeEnd?.()
}
