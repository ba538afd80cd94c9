// Checks that the relations in the schema are plain tables. The schema owner could replace a table with a view,
// whose functions would run with the rights of the reader, such as an auditor or a superuser. The catalogue is
// therefore checked before any relation in the schema is read.
//
// Each table must be an ordinary, permanent table (`relkind` r, `relpersistence` p) without rules, row security,
// parents or children, and its column types must come from `pg_catalog`. All tables must have the same owner, and
// code that runs on writes (triggers, defaults, constraints, index expressions) must not come from a different
// schema.
//
// https://www.postgresql.org/docs/current/catalog-pg-class.html
import { LedgerError } from '@sudoagent/ledger'
import type { Target } from './target.js'

/** The part of a session that the check uses. */
export interface Asking {
  ask<R extends Record<string, unknown>>(
    query: string | { readonly text: string; readonly values: unknown[] },
  ): Promise<R[]>
}

/** The tables that a reader uses. */
const EVIDENCE_TABLES = ['meta', 'ledger', 'head', 'entry', 'tile', 'cosigned'] as const

const TABLES = [
  ...EVIDENCE_TABLES,
  'control',
  'open_question',
  'approval',
  'question',
  'budget',
  'budget_charge',
] as const

/** Locks the checked tables for the transaction, so that the owner cannot replace them. */
export const lockText = (schema: string): string =>
  `LOCK TABLE ${EVIDENCE_TABLES.map((table) => `${schema}.${table}`).join(', ')} IN ACCESS SHARE MODE`

const CHECK = `WITH ours AS (
    SELECT c.oid, c.relname, c.relkind, c.relpersistence, c.relowner, c.relhasrules, c.relrowsecurity OR c.relforcerowsecurity AS is_filtered, n.oid AS home
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = ANY ($2::text[])
  ), code AS (
    SELECT 'pg_trigger'::regclass AS classid, t.oid, t.tgrelid AS relation FROM pg_catalog.pg_trigger t JOIN ours ON ours.oid = t.tgrelid WHERE NOT t.tgisinternal
    UNION ALL SELECT 'pg_attrdef'::regclass, d.oid, d.adrelid FROM pg_catalog.pg_attrdef d JOIN ours ON ours.oid = d.adrelid
    UNION ALL SELECT 'pg_constraint'::regclass, k.oid, k.conrelid FROM pg_catalog.pg_constraint k JOIN ours ON ours.oid = k.conrelid
    UNION ALL SELECT 'pg_class'::regclass, i.indexrelid, i.indrelid FROM pg_catalog.pg_index i JOIN ours ON ours.oid = i.indrelid
  ), foreign_code AS (
    SELECT code.relation FROM code
    JOIN pg_catalog.pg_depend d ON d.classid = code.classid AND d.objid = code.oid AND d.refclassid = 'pg_proc'::regclass
    JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid JOIN ours ON ours.oid = code.relation
    WHERE p.pronamespace NOT IN (ours.home, 'pg_catalog'::regnamespace) OR p.proowner <> ours.relowner AND p.pronamespace = ours.home
  )
  SELECT relname AS name, CASE
    WHEN relkind <> 'r' THEN 'is not a table'
    WHEN relpersistence <> 'p' THEN 'is not a permanent table: a crash of the server empties it'
    WHEN relhasrules THEN 'has a rule'
    WHEN is_filtered THEN 'has row security, which hides rows'
    WHEN EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhparent = ours.oid OR inhrelid = ours.oid) THEN 'shares its rows with another table'
    WHEN EXISTS (SELECT FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
      WHERE a.attrelid = ours.oid AND a.attnum > 0 AND NOT a.attisdropped AND t.typnamespace <> 'pg_catalog'::regnamespace) THEN 'has a column of a type outside pg_catalog'
    WHEN EXISTS (SELECT FROM foreign_code WHERE relation = ours.oid) THEN 'runs a function that sudoagent did not create'
    WHEN relowner <> (SELECT relowner FROM ours WHERE relname = 'meta') THEN 'has a different owner than \`meta\`'
  END AS problem FROM ours ORDER BY relname`

/**
 * Rejects relations that are not the expected tables. Reads only the catalogue.
 *
 * @throws LedgerError LEDGER_NOT_A_LEDGER with the first problem
 */
export async function requireTables(session: Asking, { schema, shown }: Target): Promise<void> {
  const rows = await session.ask<{ readonly name: string; readonly problem: string | null }>({
    text: CHECK,
    values: [schema, TABLES],
  })
  const found = new Set(rows.map(({ name }) => name))
  // A reader needs only the evidence tables.
  const missing = EVIDENCE_TABLES.find((table) => !found.has(table))
  if (missing !== undefined)
    throw new LedgerError(
      'LEDGER_NOT_A_LEDGER',
      `\`${shown}\` has no table \`${missing}\` in the schema \`${schema}\``,
      {
        hint: '`sudoagent postgres init` creates the tables',
      },
    )
  const bad = rows.find(({ problem }) => problem !== null)
  if (bad === undefined) return
  throw new LedgerError('LEDGER_NOT_A_LEDGER', `\`${shown}\`: \`${schema}.${bad.name}\` ${bad.problem}`, {
    hint: 'nothing was read from this table; find out who owns the schema',
  })
}
