/** `@sudoagent/postgres/url`: parses ledger and store URLs, and masks the passwords in them. */

export {
  holdsPassword,
  isLedgerName,
  isPostgresUrl,
  ledgerIn,
  maskUrl,
  parseTarget,
  type Target,
} from './session/target.js'
