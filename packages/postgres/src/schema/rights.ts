// Defines the rights that table grants cannot express: which login can write which ledger, who can answer an
// approval, and which changes to shared charges are forbidden. Triggers enforce these rights: a trigger checks the
// effect of a statement after it ran, and rejects the whole statement.
//
//   head            the login is a writer of this ledger; the head grows at most by one group of appends, and only
//                   together with its entries
//   entry           no entry is after the head of its ledger
//   tile, cosigned, control, open_question
//                   the login is a writer of this ledger
//   approval, question   created unanswered; answered once, with approval only by a login of `<schema>_approver`; used
//                   once; deleted long after it expired. Only an engine changes the lease of a question
//   budget_charge   charged now, and again when committed; released while reserved or committed;
//                   deleted outside all windows
//   budget          the window never shrinks
//
// The login that creates a ledger becomes its writer; `ledger_writer` lists additional logins or groups. A ledger
// that was created before these rights existed has no row in `ledger_writer`: every login of `<schema>_writer` can
// write it, and `postgres check` reports it.
import { APPROVAL_RETENTION_MS, QUESTION_COLUMNS } from '@sudoagent/core/store'

/**
 * Maximum number of entries in one statement: a full group of appends, and the genesis entry of a new ledger. A
 * copy inserts fewer entries.
 */
const GROWTH_MAX = 512 + 1

/** Maximum age of a charge time, which comes from the database clock: allows for the duration of a transaction. */
const CHARGE_AHEAD_MS = 60_000

const NOW_MS = '(extract(epoch FROM clock_timestamp()) * 1000)::bigint'

/** The triggers that enforce separate roles, each with its table. */
export const RIGHTS_TRIGGERS = [
  ['ledger', 'ledger_is_bound'],
  ['head', 'head_fits'],
  ['entry', 'entries_fit'],
  ['tile', 'tile_is_ours'],
  ['cosigned', 'cosigned_is_ours'],
  ['control', 'control_is_ours'],
  ['open_question', 'question_is_ours'],
  ['open_question', 'question_was_ours'],
  ['approval', 'approval_moves'],
  ['approval', 'approval_goes'],
  ['question', 'question_moves'],
  ['question', 'question_goes'],
  ['budget', 'budget_moves'],
  ['budget_charge', 'charge_moves'],
  ['budget_charge', 'charge_goes'],
] as const

/**
 * Whether the login is a writer of a ledger, by name or as a member of a group. Uses `session_user`: in these
 * functions, `current_user` is the owner.
 */
const isWriter = (s: string, ledger: string): string =>
  `(NOT EXISTS (SELECT FROM ${s}.ledger_writer WHERE ledger = ${ledger}) OR EXISTS (
    SELECT FROM ${s}.ledger_writer AS w JOIN pg_roles AS r ON r.rolname = w.role WHERE w.ledger = ${ledger} AND pg_has_role(session_user, r.oid, 'MEMBER')))`

const requireWriter = (s: string, row: 'NEW' | 'OLD' = 'NEW'): string =>
  `  IF NOT ${isWriter(s, `${row}.ledger`)} THEN
    RAISE EXCEPTION 'the login % is not a writer of this ledger', session_user USING ERRCODE = 'insufficient_privilege';
  END IF;`

const refuse = (what: string): string => `RAISE EXCEPTION '${what}' USING ERRCODE = 'restrict_violation';`

function checkFunction(s: string, name: string, body: string): string {
  return `CREATE OR REPLACE FUNCTION ${s}.${name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
${body}
  RETURN NULL;
END $$;`
}

const trigger = (s: string, table: string, name: string, when: string, call = name): string =>
  `CREATE OR REPLACE TRIGGER ${name} AFTER ${when} EXECUTE FUNCTION ${s}.${call}();`.replace(
    ' ON ',
    ` ON ${s}.${table} `,
  )

const row = (of: 'OLD' | 'NEW', columns: string): string =>
  `(${columns
    .split(', ')
    .map((column) => `${of}.${column}`)
    .join(', ')})`

const same = (columns: string): string => `${row('OLD', columns)} IS NOT DISTINCT FROM ${row('NEW', columns)}`

const ANSWER = 'state, approver_id, note, resolved_at_ms'
const LEASE = 'lease_holder, leased_until_ms'
const RESULT: readonly string[] = [...ANSWER.split(', '), 'consumed_at_ms']

/** The columns that never change after a request was created. */
const APPROVAL_FIXED =
  'approval_id, policy_hash, decision_hash, action, agent_id, reason, parameters_json, created_at_ms, expires_at_ms'
const QUESTION_FIXED = QUESTION_COLUMNS.map(([, column]) => column)
  .filter((column) => !RESULT.includes(column) && !LEASE.split(', ').includes(column))
  .join(', ')

/** The waiters of questions are engines. An approver could otherwise keep other engines from waiting for an answer. */
const leaseCheck = (
  s: string,
): string => `  IF NOT (${same(LEASE)}) AND NOT (pg_has_role(session_user, '${s}_writer', 'MEMBER') OR pg_has_role(session_user, '${s}_owner', 'MEMBER')) THEN
    RAISE EXCEPTION 'the login % is not allowed to wait for an answer', session_user USING ERRCODE = 'insufficient_privilege';
  END IF;
`

/** The rights of a table of requests: who creates, answers, uses and deletes a row. */
function requestRights(s: string, table: 'approval' | 'question', fixed: string): string {
  const what = `${table === 'approval' ? 'an' : 'a'} ${table}`
  return `${checkFunction(
    s,
    `${table}_moves`,
    `${table === 'question' ? leaseCheck(s) : ''}  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'pending' OR ${row('NEW', 'approver_id, note, resolved_at_ms, consumed_at_ms')} IS DISTINCT FROM (NULL::text, NULL::text, NULL::bigint, NULL::bigint) THEN
      ${refuse(`a new ${table} must be unanswered`)}
    END IF;
  ELSIF NOT (${same(fixed)}) THEN
    ${refuse(`the subject of ${what} cannot be changed`)}
  ELSIF ${same(`${ANSWER}, consumed_at_ms`)} THEN
    RETURN NULL;
  ELSIF OLD.state = 'pending' AND NEW.state <> 'pending' AND NEW.consumed_at_ms IS NULL THEN
    IF NEW.state = 'approved' AND NOT pg_has_role(session_user, '${s}_approver', 'MEMBER') THEN
      RAISE EXCEPTION 'the login % is not allowed to approve', session_user USING ERRCODE = 'insufficient_privilege';
    END IF;
  ELSIF NOT (OLD.state = 'approved' AND OLD.consumed_at_ms IS NULL AND NEW.consumed_at_ms IS NOT NULL AND ${same(ANSWER)}) THEN
    ${refuse(`${what} can be answered once and used once`)}
  END IF;`,
  )}
${trigger(s, table, `${table}_moves`, 'INSERT OR UPDATE ON FOR EACH ROW')}

${checkFunction(
  s,
  `${table}_goes`,
  `  IF OLD.expires_at_ms > ${NOW_MS} - ${APPROVAL_RETENTION_MS} THEN ${refuse(`${what} cannot be deleted until a day after it expired`)} END IF;`,
)}
${trigger(s, table, `${table}_goes`, 'DELETE ON FOR EACH ROW')}`
}

/**
 * Returns the statements that give a schema separate roles. Running the statements again changes nothing. The
 * tables and roles must exist.
 *
 * @param s - a schema name accepted by `parseTarget`: it is inserted unquoted
 */
export function rightsSql(s: string): string {
  return `CREATE TABLE IF NOT EXISTS ${s}.ledger_writer (ledger integer NOT NULL REFERENCES ${s}.ledger, role name NOT NULL, PRIMARY KEY (ledger, role));

${checkFunction(s, 'ledger_is_bound', `  INSERT INTO ${s}.ledger_writer (ledger, role) VALUES (NEW.id, session_user) ON CONFLICT DO NOTHING;`)}
${trigger(s, 'ledger', 'ledger_is_bound', 'INSERT ON FOR EACH ROW')}

${checkFunction(
  s,
  'head_fits',
  `  IF NEW.size = OLD.size + 1 AND EXISTS (SELECT FROM ${s}.ledger_writer AS w, ${s}.entry AS e
    WHERE w.ledger = NEW.ledger AND w.role = session_user AND e.ledger = NEW.ledger AND e.position = NEW.size) THEN
    RETURN NULL;
  END IF;
${requireWriter(s)}
  IF NEW.size > OLD.size AND (NEW.size - OLD.size > ${GROWTH_MAX} OR
    (SELECT count(*) FROM ${s}.entry WHERE ledger = NEW.ledger AND position > OLD.size AND position <= NEW.size) <> NEW.size - OLD.size) THEN
    ${refuse('a head can grow only together with its entries')}
  END IF;`,
)}
${trigger(s, 'head', 'head_fits', 'UPDATE ON FOR EACH ROW')}

${checkFunction(
  s,
  'entries_fit',
  `  IF EXISTS (SELECT FROM (SELECT ledger, min(position) AS first, max(position) AS last FROM added GROUP BY ledger) AS a
    LEFT JOIN ${s}.head USING (ledger) WHERE head.ledger IS NULL OR a.last > head.size OR a.first < 1) THEN
    ${refuse('an entry must not be after the head of its ledger')}
  END IF;`,
)}
${trigger(s, 'entry', 'entries_fit', 'INSERT ON REFERENCING NEW TABLE AS added FOR EACH STATEMENT')}

${checkFunction(s, 'is_ours', requireWriter(s))}
${trigger(s, 'tile', 'tile_is_ours', 'INSERT OR UPDATE ON FOR EACH ROW', 'is_ours')}
${trigger(s, 'cosigned', 'cosigned_is_ours', 'INSERT OR UPDATE ON FOR EACH ROW', 'is_ours')}
${trigger(s, 'control', 'control_is_ours', 'INSERT ON FOR EACH ROW', 'is_ours')}
${trigger(s, 'open_question', 'question_is_ours', 'INSERT OR UPDATE ON FOR EACH ROW', 'is_ours')}

${checkFunction(s, 'was_ours', requireWriter(s, 'OLD'))}
${trigger(s, 'open_question', 'question_was_ours', 'UPDATE OR DELETE ON FOR EACH ROW', 'was_ours')}

${requestRights(s, 'approval', APPROVAL_FIXED)}

${requestRights(s, 'question', QUESTION_FIXED)}

${checkFunction(
  s,
  'budget_moves',
  `  IF TG_OP = 'DELETE' OR NEW.budget_key <> OLD.budget_key OR NEW.window_ms < OLD.window_ms THEN ${refuse('the window of a budget cannot be shortened')} END IF;`,
)}
${trigger(s, 'budget', 'budget_moves', 'UPDATE OR DELETE ON FOR EACH ROW')}

${checkFunction(
  s,
  'charge_moves',
  `  IF NEW.charged_at_ms > ${NOW_MS} + ${CHARGE_AHEAD_MS} THEN ${refuse('a charge must have the current time')} END IF;
  IF TG_OP = 'UPDATE' AND NOT (${same('budget_key, request_id')} AND (OLD.state = 'released' OR OLD.state = NEW.state OR NEW.state = 'released' OR OLD.state = 'reserved')
    AND (OLD.state = 'released' OR ${same('agent_id, action, cost')} AND (NEW.charged_at_ms = OLD.charged_at_ms
      OR OLD.state = 'reserved' AND NEW.charged_at_ms > OLD.charged_at_ms))) THEN
    ${refuse('the subject of a charge cannot be changed')}
  END IF;`,
)}
${trigger(s, 'budget_charge', 'charge_moves', 'INSERT OR UPDATE ON FOR EACH ROW')}

${checkFunction(
  s,
  'charge_goes',
  `  IF OLD.charged_at_ms > ${NOW_MS} - coalesce((SELECT window_ms FROM ${s}.budget WHERE budget_key = OLD.budget_key), 0) THEN ${refuse('a charge cannot be deleted while a window includes it')} END IF;`,
)}
${trigger(s, 'budget_charge', 'charge_goes', 'DELETE ON FOR EACH ROW')}`
}

/** Returns the grants for a schema with separate roles. */
export function rightsGrants(s: string): string {
  return `GRANT USAGE ON SCHEMA ${s} TO ${s}_approver;
GRANT SELECT ON ${s}.ledger_writer TO ${s}_writer, ${s}_reader;
GRANT SELECT ON ${s}.meta TO ${s}_approver;
GRANT SELECT, INSERT, UPDATE, DELETE ON ${s}.approval, ${s}.question TO ${s}_approver;`
}
