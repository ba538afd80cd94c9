/**
 * Defines the tables of the SQLite stores. SQLite stores the text of each statement. A file whose stored text differs
 * from the text here is rejected, so a changed table needs a new name.
 */

/**
 * Times are Unix times in milliseconds. STRICT and other features that an old SQLite cannot parse are avoided, because
 * other tools may open the file. Every row is validated when it is read, so correctness does not depend on the schema.
 */
export const APPROVAL_SCHEMA = `
  CREATE TABLE IF NOT EXISTS sudoagent_approval (
    approval_id TEXT PRIMARY KEY NOT NULL,
    policy_hash TEXT NOT NULL,
    decision_hash TEXT NOT NULL,
    action TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    parameters_json TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'expired', 'failed')),
    approver_id TEXT,
    note TEXT,
    resolved_at_ms INTEGER,
    consumed_at_ms INTEGER
  );
  CREATE INDEX IF NOT EXISTS sudoagent_approval_created ON sudoagent_approval (created_at_ms);
  CREATE INDEX IF NOT EXISTS sudoagent_approval_expires ON sudoagent_approval (expires_at_ms);
`

/**
 * The questions: requests of which the ledger has an entry `asked`. The statement has neither a CHECK nor an index of
 * its own: an earlier release accepts plain tables only, and the indexes of UNIQUE belong to the table. Columns that
 * can be large come last, so that a scan does not read them. The last index has the columns of a list's filter, so that
 * a list of one agent's calls of one action reads only the rows that it returns.
 */
export const QUESTION_SCHEMA = `
  CREATE TABLE IF NOT EXISTS sudoagent_question (
    approval_id TEXT PRIMARY KEY NOT NULL,
    ledger TEXT NOT NULL,
    position INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    resolved_at_ms INTEGER,
    consumed_at_ms INTEGER,
    lease_holder TEXT,
    leased_until_ms INTEGER,
    approver_id TEXT,
    decision_at TEXT NOT NULL,
    source TEXT NOT NULL,
    action TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    policy_id TEXT NOT NULL,
    policy_version TEXT,
    policy_hash TEXT NOT NULL,
    decision_hash TEXT NOT NULL,
    authority_hash TEXT,
    requirement_hash TEXT NOT NULL,
    redacted INTEGER NOT NULL,
    note TEXT,
    reason TEXT NOT NULL,
    authority_json TEXT,
    requirement_json TEXT NOT NULL,
    commitment_json TEXT,
    metadata_json TEXT NOT NULL,
    parameters_json TEXT NOT NULL,
    UNIQUE (created_at_ms, position, approval_id),
    UNIQUE (expires_at_ms, approval_id),
    UNIQUE (lease_holder, approval_id),
    UNIQUE (agent_id, action, created_at_ms, position, approval_id, state, expires_at_ms)
  );
`

/**
 * `sudoagent_budget` stores the longest window with which a budget was opened. Two processes with different windows may
 * share a budget, and the process with the shorter window must not delete charges that the other process still counts.
 * The key of an unnamed budget is ''. STRICT and other features that an old SQLite cannot parse are avoided, because
 * other tools may open the file.
 */
export const BUDGET_SCHEMA = `
  CREATE TABLE IF NOT EXISTS sudoagent_budget (budget_key TEXT PRIMARY KEY NOT NULL, window_ms INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS sudoagent_budget_charge (
    budget_key TEXT NOT NULL,
    request_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    action TEXT NOT NULL,
    cost INTEGER NOT NULL CHECK (typeof(cost) = 'integer' AND cost BETWEEN 0 AND 9007199254740991),
    charged_at_ms INTEGER NOT NULL CHECK (typeof(charged_at_ms) = 'integer'),
    state TEXT NOT NULL CHECK (state IN ('reserved', 'committed', 'released')),
    PRIMARY KEY (budget_key, request_id)
  );
  CREATE INDEX IF NOT EXISTS sudoagent_budget_charge_agent ON sudoagent_budget_charge (budget_key, agent_id, charged_at_ms, state, cost);
  CREATE INDEX IF NOT EXISTS sudoagent_budget_charge_tool ON sudoagent_budget_charge (budget_key, action, charged_at_ms, state, cost);
  CREATE INDEX IF NOT EXISTS sudoagent_budget_charge_time ON sudoagent_budget_charge (budget_key, charged_at_ms);
`
