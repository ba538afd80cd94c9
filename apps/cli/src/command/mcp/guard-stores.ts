// Opens the stores of a guard other than its ledger: pending approvals, budget charges, accepted tool definitions.
//
//   ledger in a file   defaults: ledger.sqlite.approvals, ledger.sqlite.budget, ledger.sqlite.tools
//   ledger on a server approvals and charges in the same database; --tools names the file of tool definitions
import { type ApprovalStore, type BudgetLimits, type BudgetStore, SudoAgentError } from '@sudoagent/core'
import type { ToolPins } from '@sudoagent/mcp'
import { CliError, EXIT } from '../../exit.js'
import { accessAdvice } from '../../ledger/approval-store.js'
import { isServer, requireFilePlace } from '../../ledger/place.js'

export interface StorePlaces {
  readonly ledger: string
  readonly approvals?: string
  readonly tools?: string
  readonly acceptTools?: boolean
  readonly allowOtherWriters?: boolean
}

/** Functions that close the stores; each store adds its own when it is opened. */
export type Undos = (() => unknown)[]

/** @throws CliError if a store does not support the given kind of place */
export function requirePlaces({ ledger, approvals, tools }: StorePlaces): void {
  requireFilePlace('--tools', tools, 'accepted tool definitions are stored in a SQLite file')
  if (!isServer(ledger)) {
    requireFilePlace('--approvals', approvals, 'with a ledger in a file, approvals are stored in a SQLite file')
  } else if (tools === undefined) {
    throw new CliError(
      EXIT.usage,
      'a ledger in PostgreSQL needs --tools',
      'accepted tool definitions are stored in a SQLite file: --tools tools.sqlite',
    )
  }
}

/** @throws CliError naming the file; ApprovalStoreError from a server */
export async function openApprovals(
  { ledger, approvals, allowOtherWriters = false }: StorePlaces,
  undos: Undos,
): Promise<ApprovalStore> {
  const place = approvals ?? (isServer(ledger) ? ledger : `${ledger}.approvals`)
  const store = isServer(place)
    ? await (await import('@sudoagent/postgres')).PostgresApprovalStore.open(place)
    : await openFile(place, async (path) =>
        (await import('@sudoagent/core/sqlite')).SqliteApprovalStore.open(path, { allowOtherWriters }),
      )
  undos.push(() => store.close())
  return store
}

/** @throws CliError naming the file; BudgetStoreError from a server; TypeError for invalid limits */
export async function openBudget(
  { ledger, allowOtherWriters = false }: StorePlaces,
  limits: BudgetLimits,
  undos: Undos,
): Promise<BudgetStore> {
  const budget = isServer(ledger)
    ? await (await import('@sudoagent/postgres')).PostgresBudget.open(ledger, limits)
    : await openFile(`${ledger}.budget`, async (path) =>
        (await import('@sudoagent/core/sqlite')).SqliteBudget.open(path, limits, { allowOtherWriters }),
      )
  undos.push(() => budget.close())
  return budget
}

/** @throws CliError naming the file */
export async function openPins(
  { tools, ledger, acceptTools = false, allowOtherWriters = false }: StorePlaces,
  undos: Undos,
): Promise<ToolPins> {
  const { acceptAll } = await import('@sudoagent/mcp')
  const { SqliteToolPins } = await import('@sudoagent/mcp/sqlite')
  const pins = await openFile(tools ?? `${ledger}.tools`, async (path) =>
    SqliteToolPins.open(path, { allowOtherWriters }),
  )
  undos.push(() => pins.close())
  return acceptTools ? acceptAll(pins) : pins
}

async function openFile<T>(path: string, open: (path: string) => Promise<T>): Promise<T> {
  try {
    return await open(path)
  } catch (error) {
    if (error instanceof TypeError) throw error
    const why = error instanceof Error ? error.message : 'unknown'
    const named = error instanceof SudoAgentError && error.code === 'TOOL_PINS_FAILED'
    const hint = accessAdvice(error) ?? 'check the folder and its permissions'
    throw new CliError(EXIT.failed, named ? why : `\`${path}\` cannot be opened: ${why}`, hint, error)
  }
}
