// Opens a ledger for one command, shows progress while the ledger is read, and always closes the ledger.
import { LedgerError, type LedgerReader } from '@sudoagent/ledger'
import type { StoreFault } from '@sudoagent/ledger/store'
import { CliError, EXIT } from '../exit.js'
import type { Io } from '../terminal/io.js'
import { printMessage } from '../terminal/message.js'
import { NO_PROGRESS, type Progress, startProgress } from '../terminal/progress.js'
import { openLedgerReader } from './place.js'

/** Interval between updates of the progress line, in milliseconds. */
const PROGRESS_MS = 40

export interface LedgerUse {
  readonly reader: LedgerReader
  /** Reports progress, in entries read so far, for code that does not read through `batches`. */
  readonly showProgress: (entries: number) => void
  /** Removes the progress line before other output goes to the terminal. */
  readonly hideProgress: () => void
}

/**
 * Opens the ledger at `path`, a file or a URL, passes it to `use`, and closes it.
 *
 * @param quiet - true to show no progress
 * @throws LedgerError from `openLedgerReader`; any error from `use`
 */
export async function withLedger<T>(
  path: string,
  io: Io,
  quiet: boolean,
  use: (ledger: LedgerUse) => Promise<T>,
): Promise<T> {
  const opened = await openLedgerReader(path)
  // Closing removes the temporary copy that some ledgers need. The removal is synchronous, before the first await.
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
 * Checks that the store could be read to the end. Called by commands that output entries.
 *
 * @throws CliError if the file is damaged: the readable part must not be mistaken for the whole ledger
 */
export async function requireWholeStore(reader: LedgerReader, io: Io): Promise<void> {
  const damage = reader.faults().find(({ code }) => code === 'STORE_DAMAGED')
  if (damage !== undefined) throw damaged(damage)
  for (const { message } of reader.faults())
    await printMessage(io, 'note', `${message}; run \`sudoagent verify\` for details`)
}

/** Replaces an ENTRY_NOT_FOUND error if the ledger is damaged, because the entry may be in the unreadable part. */
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
    `the ledger cannot be read to the end: ${message}`,
    'run `sudoagent verify` to see what can still be read',
  )
}
