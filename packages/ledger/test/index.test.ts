import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as copying from '../src/copying.js'
import * as ledger from '../src/index.js'
import * as jsonl from '../src/store/jsonl/ledger.js'
import * as memory from '../src/store/memory.js'
import * as sqlite from '../src/store/sqlite/ledger.js'
import * as store from '../src/store.js'
import { decisionDraft } from './fixtures/draft.js'
import { jsonlOf, sqliteOf } from './fixtures/ledger-file.js'
import { runScript } from './fixtures/process/child.js'
import { writtenLines } from './fixtures/seal.js'

const VALUES = [
  'ERROR_LENGTH_MAX',
  'LEDGER_VERSION',
  'LedgerError',
  'NAME_LENGTH_MAX',
  'PUBLIC_KEYS_MAX',
  'REASON_LENGTH_MAX',
  'SCHEMA_VERSION',
  'addLedgerDriver',
  'approvalOf',
  'callStory',
  'decisionHash',
  'encodeState',
  'exportCsv',
  'exportJson',
  'exportLedger',
  'exportNdjson',
  'formatTimestamp',
  'inspect',
  'isCallEntry',
  'isOrigin',
  'isTimestamp',
  'makeReceipt',
  'openLedgerReader',
  'openLedgerWriter',
  'originOf',
  'parseCriteria',
  'parseState',
  'printable',
  'proveConsistency',
  'proveInclusion',
  'provePrefix',
  'readControl',
  'readUnverifiedCheckpoint',
  'residualRisks',
  'select',
  'timestampMs',
  'verify',
  'verifyFrom',
  'withCounter',
]

const TYPES = [
  'Actor',
  'AnchorReport',
  'AppendedEntry',
  'ApprovalBlock',
  'BindingBlock',
  'BudgetBlock',
  'CallEntry',
  'CallStory',
  'CheckpointEntry',
  'Closed',
  'ControlBlock',
  'ControlWriter',
  'CounterOptions',
  'Criteria',
  'CriteriaInput',
  'DecisionBlock',
  'Effect',
  'EntryDraft',
  'EntryRecord',
  'ExportFormat',
  'ExportOptions',
  'FetchedSource',
  'Finding',
  'FindingCode',
  'Genesis',
  'InspectedCheckpoint',
  'InspectedKey',
  'Inspection',
  'JsonObject',
  'KeyAdded',
  'KeyRetired',
  'KnownApproval',
  'LedgerDriver',
  'LedgerEntry',
  'LedgerErrorCode',
  'LedgerKey',
  'LedgerReader',
  'LedgerWriter',
  'LineFault',
  'LineRanges',
  'MadeReceipt',
  'OpenWriterOptions',
  'OutcomeBlock',
  'OutcomeStatus',
  'Parameters',
  'Place',
  'PrefixProof',
  'PreparedEntry',
  'PypiApproval',
  'RangeRows',
  'ReceiptKey',
  'ReceiptOptions',
  'Report',
  'SelectOptions',
  'StatedSignature',
  'StoreFault',
  'StoredColumns',
  'StoredEvidence',
  'StoredLine',
  'StoredText',
  'UnverifiedCheckpoint',
  'Verdict',
  'VerifiedState',
  'VerifyOptions',
  'Warning',
  'WriterOptions',
]

/** The names that index.ts exports. Types are included, although they do not exist at run time. */
function exportedNames(): string[] {
  const source = readFileSync(join(import.meta.dirname, '../src/index.ts'), 'utf8')
  expect(source).not.toMatch(/export \*|export default/)
  const blocks = [...source.matchAll(/export (?:type )?\{([^}]*)\}/g)]
  return blocks
    .flatMap(([, names = '']) => names.split(',').map((name) => name.replace(/^\s*(?:type )?/, '').trim()))
    .filter(Boolean)
}

describe('the public surface', () => {
  it('is what it was', () => {
    expect(Object.keys(ledger).sort()).toEqual(VALUES)
    expect(exportedNames().sort()).toEqual([...VALUES, ...TYPES].sort())
  })

  it('of the stores is one class each', () => {
    expect([memory, jsonl, sqlite].map((module) => Object.keys(module))).toEqual([
      ['MemoryLedger'],
      ['JsonlLedger'],
      ['SqliteLedger'],
    ])
  })

  it('for those who write a store is what one is made of', () => {
    expect(Object.keys(store).sort()).toEqual([
      'BATCH_BYTES_MAX',
      'BATCH_LINES',
      'EMPTY_STATE',
      'LINE_BYTES_MAX',
      'POSITIONS_OF_CALL_MAX',
      'SIGNER_TIMEOUT_MS',
      'StoreWriter',
      'advance',
      'aheadOf',
      'callNumber',
      'checkHead',
      'headRefused',
      'isHeadOf',
      'leavesOf',
      'ownFields',
      'readHead',
      'readTail',
      'recover',
      'refuseWriter',
      'ringBehind',
      'shorterThanHead',
      'treeDamaged',
      'withHash',
      'withTimeout',
      'writerOf',
    ])
  })

  it('for copies is what makes one', () => {
    expect(Object.keys(copying).sort()).toEqual(['copyLedger', 'openFileSink'])
  })

  it('is what package.json offers', () => {
    const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
      exports: object
    }
    expect(Object.keys(manifest.exports)).toEqual([
      '.',
      './memory',
      './jsonl',
      './sqlite',
      './store',
      './copy',
      './cosigned',
      './sqlite-file',
    ])
  })
})

describe('the native SQLite module', () => {
  it('is loaded for a SQLite ledger, and only for that', async () => {
    const lines = await writtenLines([decisionDraft(1)])
    expect(await runScript('loaded.mjs', ['@sudoagent/ledger'])).toEqual([false])
    expect(await runScript('loaded.mjs', ['@sudoagent/ledger/memory'])).toEqual([false])
    expect(await runScript('loaded.mjs', ['@sudoagent/ledger', jsonlOf(lines)])).toEqual([false])
    expect(await runScript('loaded.mjs', ['@sudoagent/ledger', sqliteOf(lines)])).toEqual([true])
    expect(await runScript('loaded.mjs', ['@sudoagent/ledger/sqlite'])).toEqual([true])
  })
})
