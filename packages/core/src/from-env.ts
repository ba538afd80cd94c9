// The engine that the environment asks for: which ledger, where, and whether approvals are given without asking.
import { dirname, join } from 'node:path'
import type { LedgerWriter } from '@sudoagent/ledger'
import { ownFields } from '@sudoagent/ledger/store'
import { ImmediateApprover } from './approval/immediate.js'
import { JsonlAuditLog } from './audit-log.js'
import type { EngineOptions } from './options.js'

/** What the environment cannot say: the policy and the agent. Everything else may be given as well, and then counts. */
export type FromEnvOptions = Omit<EngineOptions, 'ledger'> & {
  readonly ledger?: LedgerWriter
  /** `process.env` unless given. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/**
 * Engine options from the environment. The audit log stands beside the ledger as `sudo_audit.jsonl`.
 *
 * | variable | values | unless set |
 * |---|---|---|
 * | `SUDOAGENT_LEDGER` | `sqlite`, `jsonl` | `sqlite` |
 * | `SUDOAGENT_LEDGER_PATH` | a file | `sudo_ledger.sqlite`, `sudo_ledger.jsonl` |
 * | `SUDOAGENT_AUTO_APPROVE` | `1`: approve without asking, for demos and CI | ask |
 *
 * @throws TypeError for another value; LedgerError when the ledger cannot be opened
 */
export async function partsFromEnv(given: FromEnvOptions): Promise<EngineOptions> {
  const { env = process.env, ...rest } = ownFields(given)
  const options = ownFields(rest)
  const kind = oneOf('SUDOAGENT_LEDGER', variable(env, 'SUDOAGENT_LEDGER'), ['sqlite', 'jsonl'])
  const approve = oneOf('SUDOAGENT_AUTO_APPROVE', variable(env, 'SUDOAGENT_AUTO_APPROVE'), ['1', '0'])
  const path = variable(env, 'SUDOAGENT_LEDGER_PATH') || `sudo_ledger.${kind ?? 'sqlite'}`
  const approver =
    approve === '1' ? { approver: new ImmediateApprover(true, { approverId: 'SUDOAGENT_AUTO_APPROVE' }) } : {}
  const ledger = options.ledger ?? (await openLedger(kind ?? 'sqlite', path))
  return { auditLog: new JsonlAuditLog(join(dirname(path), 'sudo_audit.jsonl')), ...approver, ...options, ledger }
}

/** Loaded when needed, so that whoever brings a ledger of their own never loads the native module. */
async function openLedger(kind: string, path: string): Promise<LedgerWriter> {
  if (kind === 'jsonl') return (await import('@sudoagent/ledger/jsonl')).JsonlLedger.open(path)
  return (await import('@sudoagent/ledger/sqlite')).SqliteLedger.open(path)
}

/** The environment inherits from the prototype of all objects, too: only its own variables count. */
function variable(env: NonNullable<FromEnvOptions['env']>, name: string): string | undefined {
  return Object.hasOwn(env, name) ? env[name] : undefined
}

function oneOf(name: string, value: string | undefined, values: readonly string[]): string | undefined {
  if (value === undefined || value === '') return undefined
  if (values.includes(value)) return value
  throw new TypeError(`${name} must be ${values.map((known) => `\`${known}\``).join(' or ')}`)
}
