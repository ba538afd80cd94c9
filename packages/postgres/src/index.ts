export { PostgresApprovalStore, type PostgresApprovalStoreOptions } from './approval/store.js'
export { PostgresBudget, type PostgresBudgetOptions } from './budget/budget.js'
export { postgresDriver } from './driver.js'
export { PostgresLedger, type PostgresLedgerOptions } from './ledger/ledger.js'
export { type ListedLedger, listLedgers } from './ledger/name.js'
export { openPostgresLedger } from './ledger/reader.js'
export { keepPostgresCosigned, openPostgresSink } from './ledger/sink.js'
export { SCHEMA_VERSION, type SchemaOptions, schemaSql } from './schema/schema.js'
export { type ApplyOptions, applySchema, grantWriter, openRights } from './schema-apply.js'
export type { SynchronousCommit } from './session/session-settings.js'
export {
  holdsPassword,
  isLedgerName,
  isPostgresUrl,
  ledgerIn,
  maskUrl,
  parseTarget,
  type Target,
} from './session/target.js'
