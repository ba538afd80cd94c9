// Progress of long work, on stderr, for a person who waits. Short work shows none, and never loads what would show it.
import type { Ora } from 'ora'
import type { Io } from './io.js'

/** Below this a person does not wonder; most ledgers are done by then. In milliseconds. */
const QUIET_MS = 300

export interface Progress {
  /** Says how many entries have been read so far. Waits once, for the spinner to be loaded. */
  update(entries: number): Promise<void>
  /** Takes the progress line away for good. May be called more than once. */
  stop(): void
}

export const NO_PROGRESS: Progress = { update: async () => {}, stop: () => {} }

/**
 * Progress that shows itself, if stderr is a terminal, once the work has taken long enough.
 *
 * @param total - how many entries there are about; undefined where nobody knows
 */
export function startProgress(io: Io, total: number | undefined): Progress {
  if (!io.stderr.isTerminal) return NO_PROGRESS
  const startedAt = performance.now()
  const of = total === undefined ? '' : ` of ${total.toLocaleString('en')}`
  let starting: Promise<Ora> | undefined
  let spinner: Ora | undefined
  let isStopped = false
  // Gives the cursor back, which a spinner hides.
  const forget = io.atExit(() => spinner?.stop())
  return {
    async update(entries) {
      if (isStopped || performance.now() - startedAt < QUIET_MS) return
      const text = `${entries.toLocaleString('en')}${of} entries read`
      starting ??= startSpinner(text, io)
      spinner = await starting
      // The work may have ended while the spinner was loaded.
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
  // Standard input is left alone: a pipeline may be using it. Ora's own choice of colour knows no NO_COLOR.
  return ora({ text, discardStdin: false, color: io.stderr.colour ? 'cyan' : false }).start()
}
