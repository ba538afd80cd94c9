// Applies the connection settings, and checks the required server settings.
import { LedgerError } from '@sudoagent/ledger'
import { SCHEMA_VERSION } from '../schema/schema.js'
import { type Asking, lockText, requireTables } from './schema-check.js'
import type { Target } from './target.js'

/** The durability of an acknowledged commit. Values other than `on` and `remote_apply` must be requested explicitly. */
export type SynchronousCommit = 'on' | 'remote_apply' | 'remote_write' | 'local' | 'off'

export interface SessionSettings {
  readonly target: Target
  /** A reader needs neither a writable server nor durable commits. */
  readonly access: 'write' | 'read'
  readonly synchronousCommit: SynchronousCommit
  /** How long the server waits for a lock of another transaction, in milliseconds. */
  readonly lockTimeoutMs: number
  /** Whether the tables must exist; false while they are created. */
  readonly requireSchema: boolean
}

/**
 * The server aborts a transaction that is idle for this time, in milliseconds, so that a stopped writer does not
 * block the other writers. This timeout is longer than the time limit of a signer.
 */
const IDLE_IN_TRANSACTION_MS = 15_000

const SETTINGS = `SELECT current_setting('synchronous_commit') AS commit, current_setting('fsync') AS fsync, current_setting('server_encoding') AS encoding,
  pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS readonly`

/**
 * Prepares a new connection. All statements of a reader run in a read-only transaction, so that objects planted by
 * the owner of the tables cannot write with the reader's rights.
 *
 * @throws LedgerError LEDGER_WRITE_FAILED if the server does not have the required settings; LEDGER_NOT_A_LEDGER if
 *   the tables do not have the expected form
 */
export async function prepareSession(
  session: Asking,
  { target, access, synchronousCommit, lockTimeoutMs, requireSchema }: SessionSettings,
): Promise<void> {
  const refuse = (why: string, hint: string): never => {
    throw new LedgerError('LEDGER_WRITE_FAILED', `\`${target.shown}\` ${why}`, { hint })
  }
  const begin = access === 'read' ? 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY' : commitSetting(synchronousCommit)
  // `search_path`: an object in a different schema cannot replace an expected object. `force_generic_plan`: the same
  // statements are executed repeatedly.
  const [settings] = await session.ask<
    Record<'commit' | 'fsync' | 'encoding', string> & { readonly readonly: boolean }
  >(
    `${begin}; SET search_path TO pg_catalog; SET client_encoding TO 'UTF8'; SET client_min_messages TO warning; SET plan_cache_mode TO force_generic_plan;
     SET lock_timeout TO ${lockTimeoutMs}; SET idle_in_transaction_session_timeout TO ${access === 'read' ? 0 : IDLE_IN_TRANSACTION_MS};
     SET default_transaction_isolation TO 'read committed'; ${access === 'read' && requireSchema ? `${lockText(target.schema)};` : ''} ${SETTINGS}`,
  )
  if (settings === undefined) throw new Error('the server did not return its settings')
  if (settings.encoding !== 'UTF8')
    refuse(`stores text as ${settings.encoding}`, 'create the database with ENCODING UTF8')
  if (access === 'write') {
    if (settings.readonly) refuse('cannot be written: the server is read-only', 'use the URL of the primary')
    if (settings.commit !== synchronousCommit && !(settings.commit === 'remote_apply' && synchronousCommit === 'on')) {
      refuse(
        `uses synchronous_commit = ${settings.commit}: an acknowledged commit can be lost`,
        `allow \`SET synchronous_commit\`, or set the option \`synchronousCommit: '${settings.commit}'\``,
      )
    }
    requireFsync(settings.fsync, synchronousCommit, target)
  }
  if (!requireSchema) return
  await requireTables(session, target)
  await requireVersion(session, target)
}

/**
 * The session sets `synchronous_commit`, so that neither a reload nor a role or database setting can weaken it.
 * `remote_apply` is stronger than `on` and is kept.
 */
function commitSetting(asked: SynchronousCommit): string {
  const kept =
    asked === 'on'
      ? `CASE WHEN current_setting('synchronous_commit') = 'remote_apply' THEN 'remote_apply' ELSE 'on' END`
      : `'${asked}'`
  return `SELECT set_config('synchronous_commit', ${kept}, false)`
}

/**
 * Only the server configuration sets `fsync`, and a reload can change it at any time. Every transaction that reads
 * under a lock therefore checks `fsync`.
 *
 * @throws LedgerError LEDGER_WRITE_FAILED if `fsync` is off and `synchronousCommit: 'off'` was not requested
 */
export function requireFsync(fsync: string, synchronousCommit: SynchronousCommit, { shown }: Target): void {
  if (fsync === 'on' || synchronousCommit === 'off') return
  throw new LedgerError('LEDGER_WRITE_FAILED', `\`${shown}\` has fsync = off: an acknowledged commit can be lost`, {
    hint: "set it to `on`, or set the option `synchronousCommit: 'off'`",
  })
}

async function requireVersion(session: Asking, { schema, shown }: Target): Promise<void> {
  const [meta] = await session.ask<{ readonly version: unknown }>(`SELECT version FROM ${schema}.meta`)
  if (meta?.version === SCHEMA_VERSION) return
  const newer = typeof meta?.version === 'number' && meta.version > SCHEMA_VERSION
  throw new LedgerError(
    'LEDGER_NOT_A_LEDGER',
    `\`${shown}\` has tables of version ${meta?.version}, not ${SCHEMA_VERSION}`,
    {
      hint: newer
        ? 'use the release of sudoagent that created them, or a later one'
        : '`sudoagent postgres init` updates them',
    },
  )
}
