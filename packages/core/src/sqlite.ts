/**
 * `@sudoagent/core/sqlite`: the stores that several processes can share. This entry is separate, so that the main entry
 * does not load native code.
 */
export { SqliteApprovalStore } from './approval/sqlite-store.js'
export { SqliteBudget } from './budget/sqlite.js'
export { BUSY_TIMEOUT_MS_DEFAULT, BUSY_TIMEOUT_MS_MAX, type SqliteStoreOptions } from './sqlite-options.js'
