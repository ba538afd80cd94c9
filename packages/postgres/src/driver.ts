import type { LedgerDriver } from '@sudoagent/ledger'
import { PostgresLedger } from './ledger/ledger.js'
import { openPostgresLedger } from './ledger/reader.js'
import { isPostgresUrl } from './session/target.js'

/** The driver for `openLedgerReader` and `openLedgerWriter`, which load the driver if this package is installed. */
export const postgresDriver: LedgerDriver = {
  kind: 'postgres',
  matches: isPostgresUrl,
  openReader: (url) => openPostgresLedger(url),
  openWriter: (url, options) => PostgresLedger.open(url, options),
}
