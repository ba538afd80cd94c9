// Shared by `sudoagent filter` and `sudoagent search`: parses the criteria, selects the matching entries and
// outputs them.
//
//   options → parseCriteria → select(reader, criteria) → deliver: table, JSON, NDJSON or CSV
//
// Conditions on one entry are combined with AND. `--effect` applies to decisions and `--outcome` to outcomes;
// together they apply to the call, and both of its entries match. Times are compared with `recorded_at`. The ledger is
// read in one pass. On a server, `--request-id` uses an index instead.
//
//   $ sudoagent filter ledger.sqlite --effect allow --outcome error     both entries of every failed call
//   $ sudoagent search ledger.sqlite --query 'ticket 4711'              entries that contain the text, ignoring case
//
// An unreadable line might match. Unreadable lines are therefore counted and reported, and the exit code is 3.
import {
  type Criteria,
  type CriteriaInput,
  LedgerError,
  type LedgerReader,
  parseCriteria,
  select,
} from '@sudoagent/ledger'
import type { EntryRecord } from '@sudoagent/ledger/entry'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { requireWholeStore, withLedger } from '../../ledger/ledger-file.js'
import { chooseFormat, deliver, type Format, noneWritten } from '../../terminal/deliver.js'
import type { Io } from '../../terminal/io.js'
import { printMessage } from '../../terminal/message.js'
import { isStdout } from '../../terminal/output.js'

export interface SelectionOptions {
  readonly ledger: string
  readonly criteria: CriteriaInput
  readonly format: Format | undefined
  readonly output: string | undefined
}

/** Number of unreadable lines, which might match. */
interface Unreadable {
  count: number
  /** Position of the first unreadable line. */
  first: number
}

/** Criteria whose option name is not the kebab-case form of the criterion. */
const OPTION_OF: ReadonlyMap<string, string> = new Map([['text', 'query']])

/**
 * Outputs the matching entries. @returns 1 if no entry matches, 3 if an entry cannot be read
 *
 * @throws CliError with exit code 2 for an invalid criterion; any error from opening the ledger or the output
 */
export async function runSelection({ ledger, criteria, format, output }: SelectionOptions, io: Io): Promise<ExitCode> {
  const wanted = readCriteria(criteria)
  const toTerminal = isStdout(output) && io.stdout.isTerminal
  const chosen = chooseFormat(format, output, toTerminal ? 'table' : 'ndjson')
  const unreadable: Unreadable = { count: 0, first: 0 }
  const count = await withLedger(ledger, io, false, async ({ reader, showProgress, hideProgress }) => {
    const delivery = { ledger, format: chosen, output, beforeTerminal: hideProgress }
    return deliver(readable(reader, wanted, { showProgress, unreadable }, io), delivery, io)
  })
  if (count === 0) await printMessage(io, 'note', noneWritten('no matching entries', output))
  else if (toTerminal && chosen === 'table')
    await printMessage(io, 'hint', '`sudoagent show <ledger> <#>` shows everything about one call')
  if (unreadable.count === 0) return count === 0 ? EXIT.no : EXIT.ok
  const { count: many, first } = unreadable
  const what =
    many === 1 ? `entry ${first} cannot be read` : `${many} entries cannot be read; the first is entry ${first}`
  await printMessage(io, 'error', `${what}; more entries may match`)
  await printMessage(io, 'hint', '`sudoagent verify` shows the problems')
  return EXIT.failed
}

/**
 * Yields the readable matching entries. If the store shows that entries are missing, throws an error or prints a note.
 */
async function* readable(
  reader: LedgerReader,
  criteria: Criteria,
  { showProgress: onProgress, unreadable }: { showProgress: (entries: number) => void; unreadable: Unreadable },
  io: Io,
): AsyncGenerator<EntryRecord> {
  const onUnreadable = (position: number): void => {
    if (unreadable.count === 0) unreadable.first = position
    unreadable.count += 1
  }
  yield* select(byIndex(reader, criteria), criteria, { onProgress, onUnreadable })
  await requireWholeStore(reader, io)
}

/** Reads one call through the server's index instead of transferring the whole ledger. */
function byIndex(reader: LedgerReader, { requestId }: Criteria): LedgerReader {
  if (reader.kind !== 'postgres' || requestId === undefined || requestId === null) return reader
  return {
    ...asObject(reader),
    async *batches() {
      yield (await reader.linesOfCall(requestId)) ?? []
    },
  }
}

function asObject(reader: LedgerReader): Omit<LedgerReader, 'batches'> {
  return {
    kind: reader.kind,
    sizeHint: reader.sizeHint,
    faults: () => reader.faults(),
    close: () => reader.close(),
    lineAt: (position) => reader.lineAt(position),
    linesOfCall: (requestId) => reader.linesOfCall(requestId),
    evidence: () => reader.evidence(),
    treeReader: (size) => reader.treeReader(size),
  }
}

function readCriteria(input: CriteriaInput): Criteria {
  try {
    return parseCriteria(input)
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error
    // The message names the criterion, but the user typed an option: the option name replaces the criterion name.
    const [criterion = '', ...rest] = error.message.split(' ')
    const option = OPTION_OF.get(criterion) ?? criterion.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    throw new CliError(EXIT.usage, [`--${option}`, ...rest].join(' '), error.hint ?? 'see `--help`', error)
  }
}
