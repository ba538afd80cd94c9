// filter and search: criteria as a person typed them → entries that fit → delivered.
import {
  type Criteria,
  type CriteriaInput,
  type EntryRecord,
  LedgerError,
  type LedgerReader,
  parseCriteria,
  select,
} from '@sudoagent/ledger'
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

/** Lines that may fit and cannot be read. */
interface Unreadable {
  count: number
  /** Position of the first of them. */
  first: number
}

/** Criteria whose option has another name than the criterion in kebab-case. */
const OPTION_OF: ReadonlyMap<string, string> = new Map([['text', 'query']])

/**
 * Delivers the entries that fit; exit 1 when there is none.
 *
 * @throws CliError usage for a criterion that cannot be, and whatever opening the ledger and the output throw
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
  if (count === 0) await printMessage(io, 'note', noneWritten('no entry fits', output))
  else if (toTerminal && chosen === 'table')
    await printMessage(io, 'hint', "`sudoagent show <ledger> <#>` tells a call's whole story")
  if (unreadable.count === 0) return count === 0 ? EXIT.no : EXIT.ok
  const { count: many, first } = unreadable
  const what = many === 1 ? `entry ${first} cannot be read` : `${many} entries cannot be read, the first is ${first}`
  await printMessage(io, 'error', `${what}, so it is unknown whether more fit`)
  await printMessage(io, 'hint', '`sudoagent verify` says what is wrong with them')
  return EXIT.failed
}

/** What can be read of the ledger and fits. Says so when the store itself shows that there was more. */
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

/** A server finds a call by its index: reading all of a ledger to find two entries would send all of it over the network. */
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
    // The message begins with the criterion; the person typed an option.
    const [criterion = '', ...rest] = error.message.split(' ')
    const option = OPTION_OF.get(criterion) ?? criterion.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    throw new CliError(
      EXIT.usage,
      [`--${option}`, ...rest].join(' '),
      error.hint ?? '`--help` says what it takes',
      error,
    )
  }
}
