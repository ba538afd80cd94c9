// Where the contract's ledgers live, and what can be seen of them from outside.
import type { PublicKey, Signer } from '@sudoagent/crypto'
import type { LedgerReader, LedgerWriter } from '../../src/ledger.js'
import { select } from '../../src/query.js'
import type { Report } from '../../src/report.js'
import { verify } from '../../src/verify.js'

export interface WriterOptions {
  readonly signer?: Signer
  readonly clock?: () => Date
}

/** One place where a ledger lives. `open` opens it again and again; `read` sees what is on record at that moment. */
export interface Place {
  readonly open: (options?: WriterOptions) => LedgerWriter
  readonly read: () => Promise<LedgerReader>
}

/** Every entry on record. */
export async function readAll(
  place: Place,
): Promise<{ readonly position: number; readonly requestId: string; readonly recordedAt: string }[]> {
  const reader = await place.read()
  const all = []
  for await (const { position, entry } of select(reader)) {
    all.push({ position, requestId: String(entry.request_id), recordedAt: String(entry.recorded_at) })
  }
  await reader.close()
  return all
}

/** What verify says, with the keys given or with none. */
export async function report(place: Place, publicKeys: readonly PublicKey[] = []): Promise<Report> {
  const reader = await place.read()
  const result = await verify(reader, { publicKeys })
  await reader.close()
  return result
}
