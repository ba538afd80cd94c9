// Creates the tables on a server, and lists excess rights.
import { LedgerError } from '@sudoagent/ledger'
import { openWriteSession } from './ledger/sink.js'
import { RIGHTS_TRIGGERS } from './schema/rights.js'
import { schemaSql } from './schema/schema.js'
import { asLedgerError } from './session/failure.js'
import type { Session } from './session/session.js'
import { isRoleName, parseTarget, type Target } from './session/target.js'

export interface ApplyOptions {
  /** See `SchemaOptions`. Default: true. */
  readonly roles?: boolean
  /** See `SchemaOptions`. Default: true for new tables; existing tables keep their setting. */
  readonly separateRoles?: boolean
}

/**
 * Executes the statements of `schemaSql`: all or none.
 *
 * @param url - database URL with a user who can create schemas and, if requested, roles
 * @returns whether the database now has separate roles
 * @throws LedgerError LEDGER_WRITE_FAILED, LEDGER_NOT_READABLE, LEDGER_NOT_FOUND
 */
export async function applySchema(url: string, { roles = true, separateRoles }: ApplyOptions = {}): Promise<boolean> {
  return withSession(url, false, async (session, { schema }) => {
    const [there] = await session.ask<{ readonly tables: boolean }>(
      `SELECT to_regclass('${schema}.meta') IS NOT NULL AS tables`,
    )
    const isSeparate =
      roles && (separateRoles ?? (there?.tables !== true || (await missingTriggers(session, schema)) === 0))
    await session.askAll(schemaSql({ schema, roles, separateRoles: isSeparate }))
    return isSeparate
  })
}

/**
 * Allows an additional login, or every member of a group, to write a ledger in a database with separate roles.
 *
 * @param url - database URL with a login that owns the tables
 * @throws LedgerError LEDGER_NOT_FOUND if the ledger or role does not exist, LEDGER_NOT_A_LEDGER without separate
 *   roles
 */
export async function grantWriter(url: string, ledger: string, role: string): Promise<void> {
  await withSession(url, true, async (session, { schema, shown }) => {
    const refuse = (why: string): never => {
      throw new LedgerError('LEDGER_NOT_FOUND', `\`${shown}\` ${why}`)
    }
    if ((await missingTriggers(session, schema)) > 0)
      throw new LedgerError('LEDGER_NOT_A_LEDGER', `\`${shown}\` does not have separate roles`, {
        hint: '`sudoagent postgres init --separate-roles --apply` creates them',
      })
    const [known] = await session.ask<{ readonly role: boolean; readonly ledger: number | null }>({
      text: `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS role, (SELECT id FROM ${schema}.ledger WHERE name = $2) AS ledger`,
      values: [role, ledger],
    })
    if (!isRoleName(role) || known?.role !== true) refuse(`has no role \`${role}\``)
    if (known?.ledger == null) refuse(`has no ledger \`${ledger}\``)
    await session.write({
      text: `INSERT INTO ${schema}.ledger_writer (ledger, role) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
      values: [known?.ledger, role],
    })
  })
}

/**
 * Lists excess rights in a database, one line each.
 *
 * @param url - database URL with any login that can read
 * @returns an empty list if each writer is restricted to its ledgers and no writer can approve
 */
export async function openRights(url: string): Promise<readonly string[]> {
  return withSession(url, true, async (session, { schema }) => {
    if ((await missingTriggers(session, schema)) > 0)
      return [
        `every login of \`${schema}_writer\` can append to every ledger, and block it`,
        `every login of \`${schema}_writer\` can approve its own requests`,
        `every login of \`${schema}_writer\` can delete the charges of shared budgets`,
      ]
    const unbound = await session.ask<{ readonly name: string }>(
      `SELECT name FROM ${schema}.ledger WHERE NOT EXISTS (SELECT FROM ${schema}.ledger_writer WHERE ledger = id) ORDER BY name COLLATE "C"`,
    )
    const both = await session.ask<{ readonly name: string }>(
      `SELECT rolname AS name FROM pg_roles WHERE rolcanlogin AND NOT rolsuper
         AND pg_has_role(oid, '${schema}_writer', 'MEMBER') AND pg_has_role(oid, '${schema}_approver', 'MEMBER') ORDER BY rolname`,
    )
    return [
      ...unbound.map(({ name }) => `every login of \`${schema}_writer\` can append to the ledger \`${name}\``),
      ...both.map(({ name }) => `the login \`${name}\` can both write and approve`),
    ]
  })
}

/** The tables that a database of an earlier release does not have. */
const LATER_TABLES = ['control', 'open_question', 'question'] as const

/**
 * Counts the missing and disabled triggers in a schema with separate roles. A table that an earlier release did not
 * have needs none until it exists.
 */
async function missingTriggers(session: Session, schema: string): Promise<number> {
  const rows = await session.ask<{ readonly name: string }>({
    text: `SELECT c.relname || '.' || t.tgname AS name FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND t.tgenabled IN ('O', 'A')`,
    values: [schema],
  })
  const found = new Set(rows.map(({ name }) => name))
  const later = await session.ask<{ readonly name: string }>({
    text: 'SELECT name FROM unnest($2::text[]) AS name WHERE to_regclass($1 || name) IS NULL',
    values: [`${schema}.`, LATER_TABLES],
  })
  const missing = new Set(later.map(({ name }) => name))
  const needed = RIGHTS_TRIGGERS.filter(([table]) => !missing.has(table))
  return needed.filter(([table, name]) => !found.has(`${table}.${name}`)).length
}

async function withSession<T>(
  url: string,
  requireSchema: boolean,
  work: (session: Session, target: Target) => Promise<T>,
): Promise<T> {
  const target = parseTarget(url)
  const session = await openWriteSession(target, requireSchema)
  try {
    return await work(session, target)
  } catch (error) {
    await session.isRefusal()
    throw asLedgerError(error, target.shown, 'LEDGER_WRITE_FAILED')
  } finally {
    await session.close()
  }
}
