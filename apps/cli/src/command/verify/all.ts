// `verify --all` verifies every ledger in a database, and compares each with its recorded heads in the registry.

import { escapeForTerminal } from '@sudoagent/crypto/text'
import { type VerifyOptions as Checks, LedgerError, type Report, verify } from '@sudoagent/ledger'
import { listLedgers, openPostgresLedger } from '@sudoagent/postgres'
import { isLedgerName } from '@sudoagent/postgres/url'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { openLedgerReader, requireServer } from '../../ledger/place.js'
import { recordedHeads, registryIn } from '../../ledger/registry.js'
import { type Io, print } from '../../terminal/io.js'
import { printMessage } from '../../terminal/message.js'
import { readChecks, type VerifyOptions } from './options.js'

/** The result of one ledger. A recorded ledger that is missing has no report. */
interface ShardVerdict {
  readonly ledger: string
  /** Number of recorded heads of this ledger. */
  readonly recorded: number
  readonly report: Report | null
  readonly problem: string | null
}

/** Maximum number of recorded heads that a ledger is compared with: the first head and the latest heads. */
const HEADS_MAX = 500

/** Verifies every ledger in a database. Prints one line per ledger and the findings on stderr, or one JSON value. */
export async function verifyAll(options: VerifyOptions, io: Io): Promise<ExitCode> {
  const { ledger, registry, json = false, quiet = false } = options
  const single = (['checkpoint', 'receipt', 'state', 'origin'] as const).find((name) => options[name] !== undefined)
  if (single !== undefined)
    throw new CliError(EXIT.usage, `--${single} cannot be combined with --all`, 'verify the ledger on its own')
  requireServer(ledger)
  if (registry !== undefined && options.publicKey === undefined)
    throw new CliError(
      EXIT.usage,
      '--registry needs --public-key',
      'an unsigned registry proves nothing: give the key that signs it',
    )
  const verdicts = await verdictsOn(ledger, registry, await readChecks(options, io))
  const plain = verdicts.map(({ ledger: name, recorded, report, problem }) => ({
    ledger: name,
    recorded,
    problem,
    report,
  }))
  if (json) await print(io.stdout, `${JSON.stringify(plain, null, 2)}\n`)
  for (const { ledger: name, problem } of verdicts) {
    if (problem !== null) await printMessage(io, 'error', `ledger ${escapeForTerminal(name)}: ${problem}`)
  }
  if (!json && !quiet) {
    const lines = verdicts.map(({ ledger: name, report, recorded }) => {
      const compared = registry === undefined ? '' : `, compared with ${recorded} recorded heads`
      return `${report?.verdict ?? 'broken'}: ${escapeForTerminal(name)}, ${report?.entries ?? 0} entries${compared}\n`
    })
    await print(io.stdout, lines.join(''))
  }
  if (verdicts.length === 0) await printMessage(io, 'note', 'the database has no ledgers')
  return verdicts.length > 0 && verdicts.every(({ problem }) => problem === null) ? EXIT.ok : EXIT.no
}

/**
 * Verifies all ledgers in a database.
 *
 * @param registry - the ledger with the recorded heads; undefined skips the comparison
 * @throws CliError if the registry is invalid
 */
async function verdictsOn(
  database: string,
  registry: string | undefined,
  checks: Checks,
): Promise<readonly ShardVerdict[]> {
  const heads = registry === undefined ? new Map<string, readonly string[]>() : await readRegistry(registry, checks)
  const itself = registry === undefined ? null : registryIn(database, registry)
  const listed = (await listLedgers(database)).map(({ name }) => name)
  const verdicts: ShardVerdict[] = []
  for (const name of new Set([...listed, ...heads.keys()])) {
    if (name === itself) continue
    verdicts.push(await verdictOn(database, name, heads.get(name) ?? [], checks))
  }
  return verdicts
}

async function verdictOn(
  database: string,
  ledger: string,
  recorded: readonly string[],
  checks: Checks,
): Promise<ShardVerdict> {
  // The name may be hostile: it comes from the server or the registry, so it is never put into a URL.
  if (!isLedgerName(ledger)) {
    const problem =
      'this is not a valid ledger name: the tables or the registry were not created by sudoagent, or were changed'
    return { ledger, recorded: recorded.length, report: null, problem }
  }
  const checkpoints =
    recorded.length > HEADS_MAX ? [...recorded.slice(0, 1), ...recorded.slice(1 - HEADS_MAX)] : recorded
  try {
    const reader = await openPostgresLedger(database, { ledger })
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
      error.code === 'LEDGER_NOT_FOUND' && recorded.length > 0
        ? 'it is in the registry, but missing from the database'
        : error.message
    return { ledger, recorded: recorded.length, report: null, problem }
  }
}

async function readRegistry(registry: string, checks: Checks): Promise<ReadonlyMap<string, readonly string[]>> {
  const reader = await openLedgerReader(registry)
  try {
    const { findings, ok, verdict } = await verify(reader, { publicKeys: checks.publicKeys ?? [] })
    if (ok && verdict !== 'signed')
      throw new CliError(EXIT.no, 'the registry is not signed by the given key', 'its heads are not used')
    if (!ok) {
      const [finding] = findings
      const why = finding === undefined ? 'it is empty' : `${finding.message} (${finding.code})`
      throw new CliError(EXIT.no, `the registry does not verify: ${why}`, 'its heads are not used')
    }
    return await recordedHeads(reader)
  } finally {
    await reader.close()
  }
}
