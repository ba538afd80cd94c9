/**
 * The tables of the stores in SQLite files, statement by statement. What SQLite keeps of a statement is its text: a file whose text differs is not
 * opened, so a change here needs a new name.
 */

/**
 * Times are milliseconds since 1970. No STRICT and nothing else that an old SQLite cannot parse: another tool may open the
 * file. Every row is checked when it is read, so the schema promises nothing.
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
 * `sudoagent_budget` remembers the longest window that anyone has opened a budget with: two processes with different
 * windows may share one, and the shorter must not delete what the longer still counts. A budget without a name is ''.
 * No STRICT and nothing else that an old SQLite cannot parse: another tool may open the file.
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
