// Reads engine options from environment variables: the ledger, its key, and the approval and budget stores.
import { dirname, join } from 'node:path'
import { isFilePath, type LedgerWriter } from '@sudoagent/ledger'
import { ownFields } from '@sudoagent/ledger/store'
import type { ApprovalStore } from './approval/approval.js'
import { ImmediateApprover } from './approval/immediate.js'
import { JsonlAuditLog } from './audit-log.js'
import type { BudgetLimits, BudgetStore } from './budget/budget.js'
import { readCommitmentKey } from './commitment/key-file.js'
import { openLedgerAt } from './open-ledger.js'
import type { OpenOptions } from './options.js'

/**
 * The policy and the agent are required, because the environment cannot provide them. All other options are optional
 * and override the environment.
 */
export type FromEnvOptions = Omit<OpenOptions, 'ledger' | 'privateKey' | 'passphrase'> &
  Partial<Pick<OpenOptions, 'ledger'>> & {
    /** The limits for the budget store that `SUDOAGENT_BUDGET` names. */
    readonly budgetLimits?: BudgetLimits
    /** Default: `process.env`. */
    readonly env?: Readonly<Record<string, string | undefined>>
  }

/** Engine options, with a function that closes the stores that `optionsFromEnv` opened. */
export interface EnvParts {
  readonly parts: OpenOptions
  close(): Promise<void>
}

/**
 * Reads the options of `SudoEngine.open` from the environment. The audit log is `sudo_audit.jsonl` in the ledger's
 * folder.
 *
 * | variable | values | default |
 * |---|---|---|
 * | `SUDOAGENT_LEDGER` | `sqlite`, `jsonl`: the kind of a new ledger | `sqlite` |
 * | `SUDOAGENT_LEDGER_PATH` | a file, or a URL (`postgres://…`) | `sudo_ledger.sqlite`, `sudo_ledger.jsonl` |
 * | `SUDOAGENT_PRIVATE_KEY` | PEM, or the path of a PEM file | the ledger is unsigned |
 * | `SUDOAGENT_KEY_PASSPHRASE` | the passphrase of an encrypted private key | none |
 * | `SUDOAGENT_COMMITMENT_KEY_FILE` | the file of the `commitmentKey` | no commitments |
 * | `SUDOAGENT_APPROVALS` | a SQLite file, or a URL | approvals are kept in memory |
 * | `SUDOAGENT_BUDGET` | a SQLite file, or a URL; needs `budgetLimits` | no budget |
 * | `SUDOAGENT_AUTO_APPROVE` | `1`: approve without asking, for demos and CI | ask |
 *
 * @throws TypeError for any other value; errors from opening a store and from `readCommitmentKey`
 */
export async function partsFromEnv(given: FromEnvOptions): Promise<EnvParts> {
  const { env = process.env, budgetLimits, ...rest } = ownFields(given)
  const options = ownFields(rest)
  const kind = oneOf('SUDOAGENT_LEDGER', variable(env, 'SUDOAGENT_LEDGER'), ['sqlite', 'jsonl'])
  const approve = oneOf('SUDOAGENT_AUTO_APPROVE', variable(env, 'SUDOAGENT_AUTO_APPROVE'), ['1', '0'])
  const path = variable(env, 'SUDOAGENT_LEDGER_PATH') || `sudo_ledger.${kind ?? 'sqlite'}`
  const keyFile = variable(env, 'SUDOAGENT_COMMITMENT_KEY_FILE')
  const commitmentKey = options.commitmentKey ?? (keyFile ? readCommitmentKey(keyFile) : undefined)
  const closers: Closers = []
  const close = async (): Promise<void> => {
    for (const one of closers.splice(0).reverse()) await one()
  }
  try {
    const approvalStore = options.approvalStore ?? (await openApprovals(variable(env, 'SUDOAGENT_APPROVALS'), closers))
    const budget = options.budget ?? (await openBudget(variable(env, 'SUDOAGENT_BUDGET'), budgetLimits, closers))
    const parts: OpenOptions = {
      ...(isFilePath(path) ? { auditLog: new JsonlAuditLog(join(dirname(path), 'sudo_audit.jsonl')) } : {}),
      ...(approve === '1' ? { approver: new ImmediateApprover(true, { approverId: 'SUDOAGENT_AUTO_APPROVE' }) } : {}),
      ...(approvalStore === undefined ? {} : { approvalStore }),
      ...(budget === undefined ? {} : { budget }),
      ...options,
      ...(commitmentKey === undefined ? {} : { commitmentKey }),
      ledger: options.ledger ?? (await openLedger(env, kind, path, closers)),
    }
    return { parts, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function openLedger(
  env: NonNullable<FromEnvOptions['env']>,
  kind: string | undefined,
  place: string,
  closers: Closers,
): Promise<LedgerWriter> {
  const ledger = await openLedgerAt({
    place,
    kind: kind as 'sqlite' | 'jsonl' | undefined,
    privateKey: variable(env, 'SUDOAGENT_PRIVATE_KEY') || undefined,
    passphrase: variable(env, 'SUDOAGENT_KEY_PASSPHRASE') || undefined,
  })
  closers.push(() => ledger.close())
  return ledger
}

/** Imports the store's module only if it is needed, so that programs with their own stores do not load native code. */
async function openApprovals(place: string | undefined, closers: Closers): Promise<ApprovalStore | undefined> {
  if (place === undefined || place === '') return undefined
  const store = isFilePath(place)
    ? (await import('./approval/sqlite-store.js')).SqliteApprovalStore.open(place)
    : await (await postgres()).PostgresApprovalStore.open(place)
  closers.push(() => store.close())
  return store
}

async function openBudget(
  place: string | undefined,
  limits: BudgetLimits | undefined,
  closers: Closers,
): Promise<BudgetStore | undefined> {
  if (place === undefined || place === '') return undefined
  if (limits === undefined) throw new TypeError('`SUDOAGENT_BUDGET` is set, so `budgetLimits` is required')
  const budget = isFilePath(place)
    ? (await import('./budget/sqlite.js')).SqliteBudget.open(place, limits)
    : await (await postgres()).PostgresBudget.open(place, limits)
  closers.push(() => budget.close())
  return budget
}

type Closers = (() => Promise<void>)[]

/** The part of `@sudoagent/postgres` that this file uses. */
interface PostgresStores {
  readonly PostgresApprovalStore: { open(url: string): Promise<ApprovalStore> }
  readonly PostgresBudget: {
    open(url: string, limits: BudgetLimits): Promise<BudgetStore & { close(): Promise<void> }>
  }
}

const POSTGRES_PACKAGE = '@sudoagent/postgres'

/** Imports the optional package, which depends on this package. */
async function postgres(): Promise<PostgresStores> {
  try {
    return (await import(POSTGRES_PACKAGE)) as PostgresStores
  } catch (cause) {
    throw new TypeError(`a PostgreSQL store requires the package \`${POSTGRES_PACKAGE}\`: install it with npm`, {
      cause,
    })
  }
}

/** Reads an own property only, because the environment object inherits from `Object.prototype`. */
function variable(env: NonNullable<FromEnvOptions['env']>, name: string): string | undefined {
  return Object.hasOwn(env, name) ? env[name] : undefined
}

function oneOf(name: string, value: string | undefined, values: readonly string[]): string | undefined {
  if (value === undefined || value === '') return undefined
  if (values.includes(value)) return value
  throw new TypeError(`${name} must be ${values.map((known) => `\`${known}\``).join(' or ')}`)
}
