// What a connection is set to, and what a server must be set to, so that its answers are worth what is made of them.
import { LedgerError } from '@sudoagent/ledger'
import { SCHEMA_VERSION } from '../schema/schema.js'
import { type Asking, lockText, requireTables } from './schema-check.js'
import type { Target } from './target.js'

/** How long a commit may be lost after it was answered. Anything but `on` and `remote_apply` has to be asked for by name. */
export type SynchronousCommit = 'on' | 'remote_apply' | 'remote_write' | 'local' | 'off'

export interface SessionSettings {
  readonly target: Target
  /** A reader neither needs a server that takes writes nor one whose commits last. */
  readonly access: 'write' | 'read'
  readonly synchronousCommit: SynchronousCommit
  /** How long the server may wait for another transaction's lock, in milliseconds. */
  readonly lockTimeoutMs: number
  /** Whether the tables must be there: not for whoever makes them. */
  readonly requireSchema: boolean
}

/** The server ends a transaction of ours in which nothing happens for so long: a writer that was stopped must not hold up all others. More than a signer has. */
const IDLE_IN_TRANSACTION_MS = 15_000

const SETTINGS = `SELECT current_setting('synchronous_commit') AS commit, current_setting('fsync') AS fsync, current_setting('server_encoding') AS encoding,
  pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS readonly`

/**
 * Prepares a new connection. One that reads is in a read-only transaction from its first statement until it ends: what an owner of the tables
 * might have put in their place can then write nothing with the reader's rights.
 *
 * @throws LedgerError LEDGER_WRITE_FAILED when the server is not set as `settings` ask; LEDGER_NOT_A_LEDGER when the tables are not ours
 */
export async function prepareSession(
  session: Asking,
  { target, access, synchronousCommit, lockTimeoutMs, requireSchema }: SessionSettings,
): Promise<void> {
  const refuse = (why: string, hint: string): never => {
    throw new LedgerError('LEDGER_WRITE_FAILED', `\`${target.shown}\` ${why}`, { hint })
  }
  const begin = access === 'read' ? 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY' : commitSetting(synchronousCommit)
  // `search_path`: no table or function of another schema can replace one that is meant. `force_generic_plan`: our statements are the same every time.
  const [settings] = await session.ask<
    Record<'commit' | 'fsync' | 'encoding', string> & { readonly readonly: boolean }
  >(
    `${begin}; SET search_path TO pg_catalog; SET client_encoding TO 'UTF8'; SET client_min_messages TO warning; SET plan_cache_mode TO force_generic_plan;
     SET lock_timeout TO ${lockTimeoutMs}; SET idle_in_transaction_session_timeout TO ${access === 'read' ? 0 : IDLE_IN_TRANSACTION_MS};
     SET default_transaction_isolation TO 'read committed'; ${access === 'read' && requireSchema ? `${lockText(target.schema)};` : ''} ${SETTINGS}`,
  )
  if (settings === undefined) throw new Error('the server did not tell its settings')
  if (settings.encoding !== 'UTF8')
    refuse(`stores text as ${settings.encoding}`, 'make the database with ENCODING UTF8')
  if (access === 'write') {
    if (settings.readonly) refuse('cannot be written: the server is read-only', 'name the primary')
    if (settings.commit !== synchronousCommit && !(settings.commit === 'remote_apply' && synchronousCommit === 'on')) {
      refuse(
        `keeps synchronous_commit = ${settings.commit}: a commit that was acknowledged can still be lost`,
        `allow \`SET synchronous_commit\`, or ask for \`synchronousCommit: '${settings.commit}'\` by name`,
      )
    }
    requireFsync(settings.fsync, synchronousCommit, target)
  }
  if (!requireSchema) return
  await requireTables(session, target)
  await requireVersion(session, target)
}

/** Set in the session, so that neither a reload nor a setting of the role or database weakens it. `remote_apply` is stronger than `on` and stays. */
function commitSetting(asked: SynchronousCommit): string {
  const kept =
    asked === 'on'
      ? `CASE WHEN current_setting('synchronous_commit') = 'remote_apply' THEN 'remote_apply' ELSE 'on' END`
      : `'${asked}'`
  return `SELECT set_config('synchronous_commit', ${kept}, false)`
}

/**
 * Only the server's own configuration sets `fsync`, and a reload can change it at any time: every transaction that reads under a lock looks again.
 *
 * @throws LedgerError LEDGER_WRITE_FAILED when it is off and `synchronousCommit: 'off'` was not asked for
 */
export function requireFsync(fsync: string, synchronousCommit: SynchronousCommit, { shown }: Target): void {
  if (fsync === 'on' || synchronousCommit === 'off') return
  throw new LedgerError(
    'LEDGER_WRITE_FAILED',
    `\`${shown}\` has fsync = off: a commit that was acknowledged can still be lost`,
    {
      hint: "set it to `on`, or ask for `synchronousCommit: 'off'` by name",
    },
  )
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
        ? 'use the sudoagent that made them, or a later one'
        : '`sudoagent postgres init` brings them up to date',
    },
  )
}
