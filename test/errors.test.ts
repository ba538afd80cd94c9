// Checks that all errors that the packages throw have the same base class and a code from a closed set. If the user can
// fix the problem, the error must also have a hint.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { EngineOptions, Policy, SudoEngine } from '../packages/core/dist/index.js'
import * as core from '../packages/core/dist/index.js'
import * as stores from '../packages/core/dist/sqlite.js'
import * as crypto from '../packages/crypto/dist/index.js'
import * as copying from '../packages/ledger/dist/copying.js'
import * as ledger from '../packages/ledger/dist/index.js'
import * as memory from '../packages/ledger/dist/store/memory.js'
import * as mcp from '../packages/mcp/dist/index.js'
import * as pins from '../packages/mcp/dist/sqlite.js'
import * as policies from '../packages/policy/dist/index.js'
import * as postgres from '../packages/postgres/dist/index.js'
import * as witnessStores from '../packages/witness/dist/sqlite-store.js'
import { Declarations, ENTRY_POINTS, entryPoint } from './fixtures/entry-point.js'

const declared = new Declarations(
  ['crypto', 'ledger', 'core', 'policy', 'mcp', 'witness'].map((name) => entryPoint(`@sudoagent/${name}`)),
)
const codesOf = (name: string, type: string): readonly string[] => declared.literalsOf(entryPoint(name), type)

/**
 * The closed set of codes of each class. An `ApprovalDenied` can have any code, because policies choose the codes of
 * their denials.
 */
const CODES: Readonly<Record<string, readonly string[]>> = {
  CryptoError: codesOf('@sudoagent/crypto', 'CryptoErrorCode'),
  LedgerError: codesOf('@sudoagent/ledger', 'LedgerErrorCode'),
  PolicyFileError: codesOf('@sudoagent/policy', 'PolicyFileErrorCode'),
  WitnessError: codesOf('@sudoagent/witness', 'WitnessErrorCode'),
  GuardError: codesOf('@sudoagent/mcp', 'GuardErrorCode'),
  ApprovalStoreError: codesOf('@sudoagent/core', 'ApprovalStoreErrorCode'),
  BudgetStoreError: codesOf('@sudoagent/core', 'BudgetStoreErrorCode'),
  ApprovalDenied: codesOf('@sudoagent/core', 'ReasonCode'),
  PolicyError: ['POLICY_EVALUATION_FAILED'],
  ApprovalError: ['APPROVAL_PROCESS_FAILED'],
  AuditLogError: ['LEDGER_WRITE_FAILED_DECISION'],
  ParametersError: ['PARAMETERS_INVALID', 'AUTHORITY_INVALID'],
  BoundaryError: ['BOUNDARY_FAILED'],
}

const folder = mkdtempSync(join(tmpdir(), 'sudoagent-errors-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string): string => join(folder, name)
mkdirSync(at('folder'))
writeFileSync(at('text'), 'a text that is neither a database nor a ledger')
writeFileSync(at('shared'), '')
chmodSync(at('shared'), 0o666)
writeFileSync(at('bad.yaml'), 'rules: [')

const fails = (): never => {
  throw new Error('broken')
}
const policyOf = (evaluate: () => unknown): Policy => ({ policyId: 'test', evaluate }) as Policy

function engineOf(options: Partial<EngineOptions>): SudoEngine {
  return new core.SudoEngine({
    policy: policyOf(() => core.allow('fine')),
    agentId: 'agent',
    ledger: new memory.MemoryLedger(),
    approver: new core.ImmediateApprover(false),
    ...options,
  })
}
const call = (options: Partial<EngineOptions>, argument: unknown = {}): Promise<unknown> =>
  engineOf(options).execute((_: unknown) => 'ran', [argument], { action: 'tool' })

const broken = { append: () => Promise.reject(new ledger.LedgerError('LEDGER_BUSY', 'busy')), close: async () => {} }

const LIMITS = { windowMs: 1, perAgent: 1 }

/** No server listens on this port. */
const NO_SERVER = 'postgres://127.0.0.1:1/db'

const emptyCopy = async (): Promise<unknown> =>
  copying.copyLedger(new memory.MemoryLedger().reader(), copying.openFileSink(at('copy.sqlite'), 'sqlite'))

async function closedLedger(): Promise<void> {
  const closed = new memory.MemoryLedger()
  await closed.close()
  await call({ ledger: closed }).catch((error: Error) => {
    throw error.cause
  })
}

const brokenApprover = (): Promise<unknown> =>
  call({ policy: policyOf(() => core.ask('look')), approver: { approve: fails } })

const THROWN: readonly [name: string, code: string, what: string, how: () => unknown][] = [
  ['CryptoError', 'KEY_INVALID', 'a private key that is none', () => crypto.parsePrivateKey('key')],
  ['CryptoError', 'KEY_INVALID', 'a public key that is none', () => crypto.parsePublicKey('key')],
  ['LedgerError', 'LEDGER_NOT_FOUND', 'a missing ledger', () => ledger.openLedgerReader(at('none.sqlite'))],
  ['LedgerError', 'LEDGER_NOT_A_LEDGER', 'a text', () => ledger.openLedgerReader(at('text'))],
  ['LedgerError', 'LEDGER_IS_DIRECTORY', 'a folder', () => ledger.openLedgerWriter(at('folder'))],
  ['LedgerError', 'DRIVER_MISSING', 'a server without its package', () => ledger.openLedgerReader('postgres://h/db')],
  ['LedgerError', 'ENTRY_NOT_FOUND', 'a copy of nothing', emptyCopy],
  ['LedgerError', 'LEDGER_CLOSED', 'a closed ledger', closedLedger],
  ['LedgerError', 'QUERY_INVALID', 'criteria', () => ledger.parseCriteria({ start: 'some day' })],
  ['PolicyFileError', 'POLICY_FILE_UNREADABLE', 'no policy file', () => policies.loadPolicy(at('none.yaml'))],
  ['PolicyFileError', 'POLICY_SYNTAX', 'a bad policy file', () => policies.loadPolicy(at('bad.yaml'))],
  [
    'WitnessError',
    'STORE_NOT_A_STORE',
    'a folder as a store',
    () => witnessStores.SqliteWitnessStore.open(at('folder')),
  ],
  ['WitnessError', 'STORE_NOT_A_STORE', 'a text as a store', () => witnessStores.SqliteWitnessStore.open(at('text'))],
  ['ApprovalStoreError', 'APPROVAL_STORE_FAILED', 'a folder', () => stores.SqliteApprovalStore.open(at('folder'))],
  ['ApprovalStoreError', 'APPROVAL_STORE_FAILED', 'others write', () => stores.SqliteApprovalStore.open(at('shared'))],
  ['ApprovalStoreError', 'APPROVAL_STORE_FAILED', 'no server', () => postgres.PostgresApprovalStore.open(NO_SERVER)],
  ['BudgetStoreError', 'BUDGET_STORE_FAILED', 'a text', () => stores.SqliteBudget.open(at('text'), LIMITS)],
  ['BudgetStoreError', 'BUDGET_STORE_FAILED', 'no server', () => postgres.PostgresBudget.open(NO_SERVER, LIMITS)],
  ['LedgerError', 'LEDGER_WRITE_FAILED', 'no server', () => postgres.PostgresLedger.open(`${NO_SERVER}?ledger=a`)],
  [
    'GuardError',
    'SERVER_NOT_STARTED',
    'no command',
    () => new mcp.ChildUpstream({ command: at('none'), args: [] }).start(),
  ],
  ['GuardError', 'TOOL_PINS_FAILED', 'a text as pins', () => pins.SqliteToolPins.open(at('text'))],
  ['GuardError', 'TOOL_PINS_FAILED', 'others write', () => pins.SqliteToolPins.open(at('shared'))],
  ['PolicyError', 'POLICY_EVALUATION_FAILED', 'a policy that throws', () => call({ policy: policyOf(fails) })],
  ['ApprovalDenied', 'APPROVAL_DENIED', 'an approver’s no', () => call({ policy: policyOf(() => core.ask('look')) })],
  ['ApprovalError', 'APPROVAL_PROCESS_FAILED', 'an approver that throws', brokenApprover],
  ['AuditLogError', 'LEDGER_WRITE_FAILED_DECISION', 'a ledger that fails', () => call({ ledger: broken })],
  ['ParametersError', 'PARAMETERS_INVALID', 'NaN', () => call({}, Number.NaN)],
  [
    'ParametersError',
    'AUTHORITY_INVALID',
    'authority.session',
    () =>
      engineOf({})
        .with({ session: '' })
        .execute(async () => {}, [], { action: 'pay' }),
  ],
  ['BoundaryError', 'BOUNDARY_FAILED', 'a clock that throws', () => call({ clock: fails })],
]

describe('what is thrown', () => {
  it.each(THROWN)('%s %s: %s', async (name, code, _what, how) => {
    const error = await (async () => how())().then(
      () => null,
      (thrown: unknown) => thrown as InstanceType<typeof crypto.SudoAgentError>,
    )
    expect(error).toBeInstanceOf(crypto.SudoAgentError)
    expect(error).toMatchObject({ name, code })
    expect(CODES[name]).toContain(code)
    expect(error?.message).toMatch(/^[^\n]+[^.\n]$/)
    expect(error?.hint, `of ${error?.message}`).toMatch(/^[^\n]*\w[^\n]*[^.\n]$/)
    expect(error?.message).not.toContain(error?.hint)
  })

  it('covers every class that the packages export', () => {
    expect(new Set(THROWN.map(([name]) => name))).toEqual(new Set(Object.keys(CODES)))
  })

  it('names the call, where there is one', async () => {
    const error = await call({ policy: policyOf(fails) }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ action: 'tool', requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) })
    expect(await Promise.resolve(error)).toBeInstanceOf(core.CallDenied)
  })
})

it('every error class of every entry point is of the family, and has its row here', async () => {
  const known = new Set([...Object.keys(CODES), 'SudoAgentError', 'CallDenied', 'CallCancelled', 'DamagedFile'])
  const found = new Set<string>()
  // The adapters are omitted, because they need their frameworks.
  for (const entry of ENTRY_POINTS.filter(({ package: home }) => home !== 'adapters')) {
    for (const [name, value] of Object.entries((await import(entry.url)) as Record<string, unknown>)) {
      if (typeof value !== 'function' || !(value.prototype instanceof Error)) continue
      found.add(name)
      if (name !== 'SudoAgentError') expect(value.prototype, name).toBeInstanceOf(crypto.SudoAgentError)
    }
  }
  expect(found).toEqual(known)
})
