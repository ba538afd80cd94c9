// Implements `verify` for one ledger. The imports are static, because all of them are needed, and because the bundler
// then includes only the imported parts of the packages.

import type { Report } from '@sudoagent/ledger'
import { encodeState, verifyFrom } from '@sudoagent/ledger/state'
import { EXIT, type ExitCode } from '../../exit.js'
import { withLedger } from '../../ledger/ledger-file.js'
import { type Io, print } from '../../terminal/io.js'
import { printMessage } from '../../terminal/message.js'
import { painter } from '../../text/paint.js'
import { readChecks, type VerifyOptions } from './options.js'
import { hintsOf, renderFindings, renderReport, renderWarnings } from './report-text.js'

/** Verifies one ledger. Prints text on stdout and findings on stderr, or one JSON value on stdout. */
export async function verifyOne(options: VerifyOptions, io: Io): Promise<ExitCode> {
  const { ledger, json = false, quiet = false, state } = options
  const checks = await readChecks(options, io)
  const [{ report, state: verified }, kind] = await withLedger(
    ledger,
    io,
    quiet,
    async ({ reader, showProgress: onProgress }) =>
      [await verifyFrom(reader, { ...checks, onProgress }), reader.kind] as const,
  )
  if (json) await print(io.stdout, `${JSON.stringify(report, null, 2)}\n`)
  else await tell(report, { ledger, kind, quiet }, io)
  if (state !== undefined && verified !== null) {
    const { writeOutput } = await import('../../terminal/output.js')
    await writeOutput(state, encodeState(verified), ledger, io)
  }
  return report.ok ? EXIT.ok : EXIT.no
}

/** Prints findings and hints on stderr, and the verdict and its basis on stdout. */
async function tell(report: Report, about: { ledger: string; kind: string; quiet: boolean }, io: Io): Promise<void> {
  for (const { kind, text } of renderFindings(report)) await printMessage(io, kind, text)
  if (about.quiet) return
  for (const { kind, text } of renderWarnings(report)) await printMessage(io, kind, text)
  await print(
    io.stdout,
    renderReport(report, { ...about, columns: io.stdout.columns }, await painter(io.stdout.colour)),
  )
  for (const hint of hintsOf(report)) await printMessage(io, 'hint', hint)
}
