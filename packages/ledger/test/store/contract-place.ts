// Defines where contract tests store their ledgers, and how they read them.
import type { PublicKey } from '@sudoagent/crypto'
import { isCallEntry } from '../../src/entry/entry.js'
import type { LedgerReader } from '../../src/port/reader.js'
import type { ControlWriter, LedgerWriter } from '../../src/port/writer.js'
import { select } from '../../src/read/query.js'
import type { Report } from '../../src/verify/report.js'
import { verify } from '../../src/verify/verify.js'
import type { WriterOptions } from '../../src/write/advance.js'

/** A place for one ledger. Tests may call `open` repeatedly. `read` opens a snapshot of the current entries. */
export interface Place {
  readonly open: (options?: WriterOptions) => LedgerWriter & ControlWriter
  readonly read: () => Promise<LedgerReader>
}

/** Returns all entries about calls in the ledger. */
export async function readAll(
  place: Place,
): Promise<{ readonly position: number; readonly requestId: string; readonly recordedAt: string }[]> {
  const reader = await place.read()
  const all = []
  for await (const { position, entry } of select(reader)) {
    if (!isCallEntry(entry)) continue
    all.push({ position, requestId: String(entry.request_id), recordedAt: String(entry.recorded_at) })
  }
  await reader.close()
  return all
}

/** Verifies the ledger, with or without public keys. */
export async function report(place: Place, publicKeys: readonly PublicKey[] = []): Promise<Report> {
  const reader = await place.read()
  const result = await verify(reader, { publicKeys })
  await reader.close()
  return result
}
