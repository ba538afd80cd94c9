// Makes the tables on a server.
import { asLedgerError } from './failure.js'
import { openWriteSession } from './ledger-sink.js'
import { schemaSql } from './schema.js'
import { parseTarget } from './target.js'

/**
 * Applies the statements of `schemaSql`: all of them, or none.
 *
 * @param url - of the database, with a user who may make schemas, and roles if they are wanted
 * @throws LedgerError LEDGER_WRITE_FAILED, LEDGER_NOT_READABLE, LEDGER_NOT_FOUND
 */
export async function applySchema(url: string, { roles = true }: { readonly roles?: boolean } = {}): Promise<void> {
  const target = parseTarget(url)
  const session = await openWriteSession(target, false)
  try {
    await session.askAll(schemaSql({ schema: target.schema, roles }))
  } catch (error) {
    await session.isRefusal()
    throw asLedgerError(error, target.shown, 'LEDGER_WRITE_FAILED')
  } finally {
    await session.close()
  }
}
