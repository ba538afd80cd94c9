// `verify --all`: every ledger of a database, held against the registry of their heads.
import { LedgerError, type Report, type VerifyOptions, verify } from '@sudoagent/ledger'
import { ledgerUrlOf, listLedgers, openPostgresLedger } from '@sudoagent/postgres'
import { CliError, EXIT } from './exit.js'
import { openPlace } from './io/place.js'
import { recordedHeads } from './registry.js'

/** What became of one ledger. A ledger that is on record and not there has no report. */
export interface ShardVerdict {
  readonly ledger: string
  /** How many of its heads are in the registry. */
  readonly recorded: number
  readonly report: Report | null
  readonly problem: string | null
}

/** Heads of one ledger that are held against it: the first, and the latest. */
const HEADS_MAX = 500

/**
 * Verifies all ledgers of a database.
 *
 * @param registry - where their heads are on record; undefined leaves out what only a registry can show
 * @throws CliError when the registry itself does not verify
 */
export async function verifyAll(
  database: string,
  registry: string | undefined,
  checks: VerifyOptions,
): Promise<readonly ShardVerdict[]> {
  const heads = registry === undefined ? new Map<string, readonly string[]>() : await readRegistry(registry, checks)
  const listed = (await listLedgers(database)).map(({ name }) => name)
  const verdicts: ShardVerdict[] = []
  for (const name of new Set([...listed, ...heads.keys()])) {
    if (ledgerUrlOf(database, name) === registry) continue
    const recorded = heads.get(name) ?? []
    verdicts.push(await verifyOne(ledgerUrlOf(database, name), name, recorded, checks))
  }
  return verdicts
}

async function verifyOne(
  url: string,
  ledger: string,
  recorded: readonly string[],
  checks: VerifyOptions,
): Promise<ShardVerdict> {
  const checkpoints =
    recorded.length > HEADS_MAX ? [...recorded.slice(0, 1), ...recorded.slice(1 - HEADS_MAX)] : recorded
  try {
    const reader = await openPostgresLedger(url)
    try {
      const report = await verify(reader, { ...checks, checkpoints })
      const [finding] = report.findings
      const problem = report.ok ? null : finding === undefined ? 'it is empty' : `${finding.message} (${finding.code})`
      return { ledger, recorded: recorded.length, report, problem }
    } finally {
      await reader.close()
    }
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error
    const problem =
      error.code === 'LEDGER_NOT_FOUND' && recorded.length > 0 ? 'it is on record, and is not there' : error.message
    return { ledger, recorded: recorded.length, report: null, problem }
  }
}

async function readRegistry(registry: string, checks: VerifyOptions): Promise<ReadonlyMap<string, readonly string[]>> {
  const reader = await openPlace(registry)
  try {
    const { findings, ok } = await verify(reader, { publicKeys: checks.publicKeys ?? [] })
    if (!ok) {
      const [finding] = findings
      const why = finding === undefined ? 'it is empty' : `${finding.message} (${finding.code})`
      throw new CliError(EXIT.no, `the registry does not verify: ${why}`, 'what it says is not believed')
    }
    return await recordedHeads(reader)
  } finally {
    await reader.close()
  }
}
