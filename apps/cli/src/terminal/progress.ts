// Shows the progress line of long operations on stderr. Short operations show no progress line and do not load `ora`.
import type { Ora } from 'ora'
import type { Io } from './io.js'

/** Delay before the progress line appears, in milliseconds; most ledgers are read by then. */
const QUIET_MS = 300

export interface Progress {
  /** Shows the number of entries read. The first call loads the spinner. */
  update(entries: number): Promise<void>
  /** Removes the progress line. May be called more than once. */
  stop(): void
}

export const NO_PROGRESS: Progress = { update: async () => {}, stop: () => {} }

/**
 * Starts a progress line that appears after QUIET_MS if stderr is a terminal.
 *
 * @param total - approximate number of entries; undefined if unknown
 */
export function startProgress(io: Io, total: number | undefined): Progress {
  if (!io.stderr.isTerminal) return NO_PROGRESS
  const startedAt = performance.now()
  const of = total === undefined ? '' : ` of ${total.toLocaleString('en')}`
  let starting: Promise<Ora> | undefined
  let spinner: Ora | undefined
  let isStopped = false
  // Shows the cursor again, which the spinner hides.
  const forget = io.atExit(() => spinner?.stop())
  return {
    async update(entries) {
      if (isStopped || performance.now() - startedAt < QUIET_MS) return
      const text = `${entries.toLocaleString('en')}${of} entries read`
      starting ??= startSpinner(text, io)
      spinner = await starting
      // The operation may have ended while the spinner was loading.
      if (isStopped) spinner.stop()
      else spinner.text = text
    },
    stop() {
      isStopped = true
      spinner?.stop()
      forget()
    },
  }
}

async function startSpinner(text: string, io: Io): Promise<Ora> {
  const { default: ora } = await import('ora')
  // Ora must not read standard input, which a pipeline may use. Ora ignores NO_COLOR, so the colour is set here.
  return ora({ text, discardStdin: false, color: io.stderr.colour ? 'cyan' : false }).start()
}
