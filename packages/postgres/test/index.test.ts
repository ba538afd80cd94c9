import { expect, it } from 'vitest'
import * as postgres from '../src/index.js'

it('exports what the documentation names, and nothing else', () => {
  expect(Object.keys(postgres).sort()).toEqual([
    'PostgresApprovalStore',
    'PostgresBudget',
    'PostgresLedger',
    'SCHEMA_VERSION',
    'applySchema',
    'grantWriter',
    'holdsPassword',
    'isLedgerName',
    'isPostgresUrl',
    'keepPostgresCosigned',
    'ledgerIn',
    'listLedgers',
    'maskUrl',
    'openPostgresLedger',
    'openPostgresSink',
    'openRights',
    'parseTarget',
    'postgresDriver',
    'schemaSql',
  ])
})
