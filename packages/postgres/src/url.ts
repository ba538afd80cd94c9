/** `@sudoagent/postgres/url`: the URLs of ledgers and stores, and what of them may be shown. */

export {
  holdsPassword,
  isLedgerName,
  isPostgresUrl,
  ledgerIn,
  maskUrl,
  parseTarget,
  type Target,
} from './session/target.js'
