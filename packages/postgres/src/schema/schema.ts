/**
 * Builds the SQL text that creates the tables in a PostgreSQL database and grants the rights.
 *
 *   meta                    version of the tables
 *   ledger, head            names of ledgers; size and head of each
 *   entry, tile, cosigned   the evidence: lines, tree, cosignatures of witnesses
 *   control                 where a writer finds stops and resumes among the entries
 *   open_question           what the decision of each open question must carry
 *   approval, question      requests for approval and their answers; a question has an entry `asked` in a ledger
 *   budget, budget_charge   windows and their charges
 *
 * An entry is written only once. Only the owner has the right to change or delete entries, and a trigger rejects
 * even the owner's changes until the trigger is dropped. `rights.ts` adds the rights that grants cannot express,
 * such as which login writes which ledger. `docs/scaling.md` describes the setup.
 *
 *   $ sudoagent postgres init postgres://admin@db.example.com/evidence | psql
 *   => UPDATE sudoagent.entry SET line = '{}' WHERE position = 11;   -- ERROR, by the trigger
 */
import { rightsGrants, rightsSql } from './rights.js'

/** Version of the tables. Code for a different version refuses to use the tables. */
export const SCHEMA_VERSION = 1

export interface SchemaOptions {
  /** The schema in the URL. */
  readonly schema: string
  /**
   * Whether to create the roles `<schema>_owner`, `_writer` and `_reader` and to grant their rights. Without roles,
   * the user that executes the statements owns everything.
   */
  readonly roles: boolean
  /**
   * With `roles`: whether each writer is restricted to its ledgers, and only logins of `<schema>_approver` can
   * approve (rights.ts). Default: false, because logins in an existing database may depend on their current rights.
   */
  readonly separateRoles?: boolean
}

/**
 * Returns the statements that create missing tables in one transaction. Running the statements again changes
 * nothing.
 *
 * @param schema - a name accepted by `parseTarget`: it is inserted unquoted
 */
export function schemaSql({ schema, roles, separateRoles = false }: SchemaOptions): string {
  const isSeparate = roles && separateRoles
  const parts = [
    'BEGIN;',
    // Without the lock, two concurrent runs would both find the tables missing.
    `SELECT pg_advisory_xact_lock(hashtext('sudoagent:${schema}'));`,
    roles ? makeRoles(schema, isSeparate ? [...ROLES, 'approver'] : ROLES) : `CREATE SCHEMA IF NOT EXISTS ${schema};`,
    tables(schema),
    isSeparate ? rightsSql(schema) : '',
    roles ? `RESET ROLE;\n${grants(schema)}` : '',
    isSeparate ? rightsGrants(schema) : '',
    'COMMIT;',
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

const ROLES = ['owner', 'writer', 'reader'] as const

function makeRoles(schema: string, kinds: readonly string[]): string {
  const make = (role: string): string =>
    `  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}') THEN CREATE ROLE ${role} NOLOGIN; END IF;`
  return `DO $$ BEGIN
${kinds.map((kind) => make(`${schema}_${kind}`)).join('\n')}
END $$;
GRANT ${schema}_owner TO CURRENT_USER;
CREATE SCHEMA IF NOT EXISTS ${schema} AUTHORIZATION ${schema}_owner;
SET LOCAL ROLE ${schema}_owner;`
}

/** All types come from `pg_catalog`, so nothing depends on the search path. */
function tables(s: string): string {
  return `CREATE TABLE IF NOT EXISTS ${s}.meta (only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one), version integer NOT NULL);

CREATE TABLE IF NOT EXISTS ${s}.ledger (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
  made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- One row per ledger, locked by the appending writer. Each writer that takes over raises the epoch: a delayed
-- statement of an earlier writer then finds a different epoch and changes nothing.
CREATE TABLE IF NOT EXISTS ${s}.head (
  ledger integer PRIMARY KEY REFERENCES ${s}.ledger,
  size bigint NOT NULL DEFAULT 0,
  entry_hash text,
  recorded_at text,
  frontier bytea,
  controls text,
  checkpoint text,
  epoch bigint NOT NULL DEFAULT 0,
  writer text,
  moved_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 20);

-- No foreign key: it would be checked for each entry, and the head row already proves that the ledger exists.
CREATE TABLE IF NOT EXISTS ${s}.entry (
  ledger integer NOT NULL,
  position bigint NOT NULL,
  entry_json text NOT NULL,
  entry_hash text NOT NULL,
  prev_entry_hash text,
  call bigint,
  PRIMARY KEY (ledger, position)
);
-- Tables of an earlier release do not have the column; its value is in the last entry.
ALTER TABLE ${s}.head ADD COLUMN IF NOT EXISTS recorded_at text;
UPDATE ${s}.head SET recorded_at = last.entry_json::json ->> 'recorded_at'
  FROM ${s}.entry AS last WHERE last.ledger = head.ledger AND last.position = head.size AND head.recorded_at IS NULL;
CREATE INDEX IF NOT EXISTS entry_call ON ${s}.entry (ledger, call) WHERE call IS NOT NULL;

CREATE TABLE IF NOT EXISTS ${s}.tile (
  ledger integer NOT NULL, level integer NOT NULL, tile bigint NOT NULL, hashes bytea NOT NULL,
  PRIMARY KEY (ledger, level, tile)
);
-- The control entries that took effect, other than those of keys. A writer checks each entry that is named here.
CREATE TABLE IF NOT EXISTS ${s}.control (
  ledger integer NOT NULL, position bigint NOT NULL, kind text NOT NULL, ends bigint,
  PRIMARY KEY (ledger, position)
);
-- The questions without a decision. Rows are written with the entries that they follow from.
CREATE TABLE IF NOT EXISTS ${s}.open_question (
  ledger integer NOT NULL,
  request_id text NOT NULL,
  position bigint NOT NULL,
  decision_hash text NOT NULL,
  authority_hash text,
  policy_hash text NOT NULL,
  requirement_hash text NOT NULL,
  registry_position bigint,
  expires_at text NOT NULL,
  agent_id text NOT NULL,
  redacted bigint NOT NULL,
  commitment text,
  PRIMARY KEY (ledger, request_id)
);
CREATE TABLE IF NOT EXISTS ${s}.cosigned (ledger integer PRIMARY KEY, size bigint NOT NULL, checkpoint text NOT NULL);

-- Times of approvals and charges are milliseconds since 1970, by the clock of the database.
CREATE TABLE IF NOT EXISTS ${s}.approval (
  approval_id text PRIMARY KEY,
  policy_hash text NOT NULL,
  decision_hash text NOT NULL,
  action text NOT NULL,
  agent_id text NOT NULL,
  reason text NOT NULL,
  parameters_json text NOT NULL,
  created_at_ms bigint NOT NULL,
  expires_at_ms bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'expired', 'failed')),
  approver_id text,
  note text,
  resolved_at_ms bigint,
  consumed_at_ms bigint,
  number bigint GENERATED ALWAYS AS IDENTITY
);
CREATE INDEX IF NOT EXISTS approval_created ON ${s}.approval (created_at_ms);
CREATE INDEX IF NOT EXISTS approval_expires ON ${s}.approval (expires_at_ms);
-- Times of questions are by the clock of their ledger. \`ledger\` is the hash of its first entry, which may be in another
-- database.
CREATE TABLE IF NOT EXISTS ${s}.question (
  approval_id text PRIMARY KEY,
  ledger text NOT NULL,
  position bigint NOT NULL,
  created_at_ms bigint NOT NULL,
  expires_at_ms bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'expired', 'failed')),
  resolved_at_ms bigint,
  consumed_at_ms bigint,
  lease_holder text,
  leased_until_ms bigint,
  approver_id text,
  decision_at text NOT NULL,
  source text NOT NULL,
  action text NOT NULL,
  agent_id text NOT NULL,
  policy_id text NOT NULL,
  policy_version text,
  policy_hash text NOT NULL,
  decision_hash text NOT NULL,
  authority_hash text,
  requirement_hash text NOT NULL,
  redacted bigint NOT NULL,
  note text,
  reason text NOT NULL,
  authority_json text,
  requirement_json text NOT NULL,
  commitment_json text,
  metadata_json text NOT NULL,
  parameters_json text NOT NULL
);
CREATE INDEX IF NOT EXISTS question_created ON ${s}.question (created_at_ms, position, approval_id);
CREATE INDEX IF NOT EXISTS question_expires ON ${s}.question (expires_at_ms);
-- Tables of an earlier commit do not have the columns.
ALTER TABLE ${s}.question ADD COLUMN IF NOT EXISTS lease_holder text, ADD COLUMN IF NOT EXISTS leased_until_ms bigint;
CREATE INDEX IF NOT EXISTS question_call ON ${s}.question (agent_id, action, created_at_ms, position, approval_id);
CREATE INDEX IF NOT EXISTS question_lease ON ${s}.question (lease_holder) WHERE lease_holder IS NOT NULL;

CREATE TABLE IF NOT EXISTS ${s}.budget (budget_key text PRIMARY KEY, window_ms bigint NOT NULL);
CREATE TABLE IF NOT EXISTS ${s}.budget_charge (
  budget_key text NOT NULL,
  request_id text NOT NULL,
  agent_id text NOT NULL,
  action text NOT NULL,
  cost bigint NOT NULL CHECK (cost BETWEEN 0 AND 9007199254740991),
  charged_at_ms bigint NOT NULL,
  reserved_until_ms bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('reserved', 'committed', 'released')),
  PRIMARY KEY (budget_key, request_id)
);
CREATE INDEX IF NOT EXISTS budget_charge_agent ON ${s}.budget_charge (budget_key, agent_id, charged_at_ms);
CREATE INDEX IF NOT EXISTS budget_charge_tool ON ${s}.budget_charge (budget_key, action, charged_at_ms);
CREATE INDEX IF NOT EXISTS budget_charge_time ON ${s}.budget_charge (budget_key, charged_at_ms);
CREATE INDEX IF NOT EXISTS budget_charge_open ON ${s}.budget_charge (budget_key, reserved_until_ms) WHERE state = 'reserved';

CREATE OR REPLACE FUNCTION ${s}.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  RAISE EXCEPTION 'recorded data cannot be changed: % of % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE OR REPLACE TRIGGER entry_stays BEFORE UPDATE OR DELETE ON ${s}.entry FOR EACH ROW EXECUTE FUNCTION ${s}.refuse_change();
CREATE OR REPLACE TRIGGER entries_stay BEFORE TRUNCATE ON ${s}.entry FOR EACH STATEMENT EXECUTE FUNCTION ${s}.refuse_change();
CREATE OR REPLACE TRIGGER control_stays BEFORE UPDATE OR DELETE ON ${s}.control FOR EACH ROW EXECUTE FUNCTION ${s}.refuse_change();
CREATE OR REPLACE TRIGGER controls_stay BEFORE TRUNCATE ON ${s}.control FOR EACH STATEMENT EXECUTE FUNCTION ${s}.refuse_change();
-- Checked at every append, so the triggers have conditions and call the function only to refuse. AFTER: a BEFORE
-- trigger would lock and read the row again. Two triggers: a single append does not change the epoch, and a shorter
-- condition is faster.
CREATE OR REPLACE TRIGGER head_goes_on AFTER UPDATE OF size ON ${s}.head FOR EACH ROW
  WHEN (NEW.size < OLD.size) EXECUTE FUNCTION ${s}.refuse_change();
CREATE OR REPLACE TRIGGER epoch_goes_on AFTER UPDATE OF ledger, epoch ON ${s}.head FOR EACH ROW
  WHEN (NEW.ledger <> OLD.ledger OR NEW.epoch < OLD.epoch) EXECUTE FUNCTION ${s}.refuse_change();
CREATE OR REPLACE TRIGGER head_stays BEFORE DELETE ON ${s}.head FOR EACH ROW EXECUTE FUNCTION ${s}.refuse_change();
CREATE OR REPLACE TRIGGER heads_stay BEFORE TRUNCATE ON ${s}.head FOR EACH STATEMENT EXECUTE FUNCTION ${s}.refuse_change();

INSERT INTO ${s}.meta (version) VALUES (${SCHEMA_VERSION}) ON CONFLICT DO NOTHING;`
}

function grants(s: string): string {
  return `GRANT USAGE ON SCHEMA ${s} TO ${s}_writer, ${s}_reader;
GRANT SELECT ON ${s}.meta, ${s}.ledger, ${s}.head, ${s}.entry, ${s}.tile, ${s}.cosigned, ${s}.control TO ${s}_writer, ${s}_reader;
GRANT INSERT ON ${s}.ledger, ${s}.entry, ${s}.tile, ${s}.cosigned, ${s}.control TO ${s}_writer;
GRANT INSERT (ledger) ON ${s}.head TO ${s}_writer;
GRANT UPDATE (size, entry_hash, recorded_at, frontier, controls, checkpoint, epoch, writer, moved_at) ON ${s}.head TO ${s}_writer;
GRANT UPDATE (hashes) ON ${s}.tile TO ${s}_writer;
GRANT UPDATE (size, checkpoint) ON ${s}.cosigned TO ${s}_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON ${s}.open_question, ${s}.approval, ${s}.question, ${s}.budget, ${s}.budget_charge TO ${s}_writer;`
}
