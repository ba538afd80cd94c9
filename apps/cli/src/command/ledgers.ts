import type { Command } from 'commander'
import { EXIT, type ExitCode } from '../exit.js'
import { type Io, print } from '../terminal/io.js'

export interface LedgersOptions {
  readonly database: string
  readonly json?: boolean
}

export function register(program: Command, io: Io): void {
  program
    .command('ledgers')
    .summary('list the ledgers in a PostgreSQL database')
    .description(
      'Lists the ledgers in a database: number of entries, last hash, and time since the last entry. Verifies nothing. Exits with 1 if the database has no ledgers.',
    )
    .argument('<database>', 'postgres://user@host/database')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Example:
  $ sudoagent ledgers postgres://auditor@db.example.com/evidence`,
    )
    .action(async (database: string, options: Omit<LedgersOptions, 'database'>) => {
      io.exitCode = await run({ database, ...options }, io)
    })
}

export async function run({ database, json = false }: LedgersOptions, io: Io): Promise<ExitCode> {
  const { requireServer } = await import('../ledger/place.js')
  requireServer(database)
  const { listLedgers } = await import('@sudoagent/postgres')
  const ledgers = await listLedgers(database)
  if (json) {
    const plain = ledgers.map(({ name, size, entryHash, ageMs }) => ({ name, size, head: entryHash, age_ms: ageMs }))
    await print(io.stdout, `${JSON.stringify(plain, null, 2)}\n`)
  } else {
    const { escapeForTerminal } = await import('@sudoagent/crypto/text')
    const rows = [
      ['LEDGER', 'ENTRIES', 'HEAD', 'GREW'],
      ...ledgers.map((row) => [
        row.name,
        String(row.size),
        row.entryHash?.slice(0, 16) ?? '–',
        `${agoOf(row.ageMs)} ago`,
      ]),
    ]
    const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
    const line = (row: readonly string[]): string =>
      row
        .map((cell, column) => escapeForTerminal(cell).padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()
    if (ledgers.length > 0) await print(io.stdout, `${rows.map(line).join('\n')}\n`)
  }
  if (ledgers.length > 0) return EXIT.ok
  const { printMessage } = await import('../terminal/message.js')
  await printMessage(io, 'note', 'the database has no ledgers')
  return EXIT.no
}

/** A duration in its largest unit: `3 d`. */
function agoOf(ms: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
  ] as const
  const [unit, length] = units.find(([, one]) => ms >= one) ?? ['s', 1_000]
  return `${Math.floor(ms / length)} ${unit}`
}
