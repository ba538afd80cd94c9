/** `@sudoagent/postgres/url`: parses the URLs of ledgers and stores, and masks their passwords. */

export {
  holdsPassword,
  isLedgerName,
  isPostgresUrl,
  ledgerIn,
  maskUrl,
  parseTarget,
  type Target,
} from './session/target.js'
