// A ledger for the length of one command: opened, read with progress, closed whatever happens.
import { LedgerError, type LedgerReader, type StoreFault } from '@sudoagent/ledger'
import { CliError, EXIT } from '../exit.js'
import type { Io } from '../terminal/io.js'
import { printMessage } from '../terminal/message.js'
import { NO_PROGRESS, type Progress, startProgress } from '../terminal/progress.js'
import { openLedgerReader } from './place.js'

/** How often the progress line is drawn anew, in milliseconds: fast enough to look alive. */
const PROGRESS_MS = 40

export interface LedgerUse {
  readonly reader: LedgerReader
  /** For a reading that does not go through `batches`: tells how many entries it has seen so far. */
  readonly showProgress: (entries: number) => void
  /** Takes the progress line away: what follows is written to the same terminal. */
  readonly hideProgress: () => void
}

/**
 * Opens the ledger at `path`, a file or a URL, hands it to `use`, and closes it.
 *
 * @param quiet whether to show no progress
 * @throws LedgerError of `openLedgerReader`, and whatever `use` throws
 */
export async function withLedger<T>(
  path: string,
  io: Io,
  quiet: boolean,
  use: (ledger: LedgerUse) => Promise<T>,
): Promise<T> {
  const opened = await openLedgerReader(path)
  // Closing removes the private copy that some ledgers are read from; it does so before its first wait.
  const forget = io.atExit(() => void opened.close())
  const progress = quiet ? NO_PROGRESS : startProgress(io, opened.sizeHint)
  try {
    return await use({
      reader: withProgress(opened, progress),
      showProgress: throttled(progress),
      hideProgress: () => progress.stop(),
    })
  } finally {
    progress.stop()
    forget()
    await opened.close()
  }
}

function throttled(progress: Progress): (entries: number) => void {
  let shown = performance.now()
  return (entries) => {
    if (performance.now() - shown < PROGRESS_MS) return
    shown = performance.now()
    void progress.update(entries)
  }
}

function withProgress(opened: LedgerReader, progress: Progress): LedgerReader {
  return {
    kind: opened.kind,
    sizeHint: opened.sizeHint,
    faults: () => opened.faults(),
    warnings: () => opened.warnings?.() ?? [],
    close: () => opened.close(),
    lineAt: (position) => opened.lineAt(position),
    linesOfCall: (requestId) => opened.linesOfCall(requestId),
    evidence: () => opened.evidence(),
    treeReader: (size) => opened.treeReader(size),
    ...(opened.ranges === undefined ? {} : { ranges: opened.ranges }),
    async *batches(after) {
      let entries = after ?? 0
      let shown = performance.now()
      for await (const batch of opened.batches(after)) {
        yield batch
        entries += batch.length
        if (performance.now() - shown < PROGRESS_MS) continue
        await progress.update(entries)
        shown = performance.now()
      }
    },
  }
}

/**
 * For a command that hands out what it read: the store must have let it read everything.
 *
 * @throws CliError when the file is damaged, so that nobody takes the readable part for the whole
 */
export async function requireWholeStore(reader: LedgerReader, io: Io): Promise<void> {
  const damage = reader.faults().find(({ code }) => code === 'STORE_DAMAGED')
  if (damage !== undefined) throw damaged(damage)
  for (const { message } of reader.faults())
    await printMessage(io, 'note', `${message}; \`sudoagent verify\` says more`)
}

/** "Not found" is only true of a ledger that could be read to its end. */
export async function findIn<T>(reader: LedgerReader, find: () => Promise<T>): Promise<T> {
  try {
    return await find()
  } catch (error) {
    const damage = reader.faults().find(({ code }) => code === 'STORE_DAMAGED')
    if (damage === undefined || !(error instanceof LedgerError) || error.code !== 'ENTRY_NOT_FOUND') throw error
    throw damaged(damage)
  }
}

function damaged({ message }: StoreFault): CliError {
  return new CliError(
    EXIT.failed,
    `the ledger cannot be read to its end: ${message}`,
    '`sudoagent verify` says what can still be read',
  )
}
