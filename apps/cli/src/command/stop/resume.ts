import type { Command } from 'commander'
import { EXIT, type ExitCode } from '../../exit.js'
import { type Io, print } from '../../terminal/io.js'
import { addNoteOptions, type NoteOptions, noteOf } from './note.js'

export interface ResumeOptions extends NoteOptions {
  readonly stopId: string
}

export function register(program: Command, io: Io): void {
  const resume = program
    .command('resume')
    .summary('end a stop')
    .description(
      'Appends an entry that ends a stop, so that the calls can be allowed again. Exits with 1 if there is no such open stop.',
    )
    .argument('<ledger>', 'SQLite or JSONL file, or postgres://host/database?ledger=name')
    .argument('<stop-id>', 'id of the stop (`sudoagent stops` lists the open stops)')
  addNoteOptions(resume)
    .addHelpText(
      'after',
      `
Example:
  $ sudoagent resume ledger.sqlite 083a0f8c-664e-4692-9c0d-fb611024f7a4 --reason 'prices corrected' --by alice`,
    )
    .action(async (ledger: string, stopId: string, options: Omit<ResumeOptions, 'ledger' | 'stopId'>) => {
      io.exitCode = await run({ ledger, stopId, ...options }, io)
    })
}

export async function run(options: ResumeOptions, io: Io): Promise<ExitCode> {
  const stopId = options.stopId.toLowerCase()
  const note = noteOf(options, io)
  const { withControls } = await import('./controls.js')
  const { position } = await withControls(options, io, (writer) => writer.resume(stopId, note))
  await print(
    io.stdout,
    options.json === true
      ? `${JSON.stringify({ stop_id: stopId, position }, null, 2)}\n`
      : `resumed: entry ${position} ends the stop ${stopId}\n`,
  )
  return EXIT.ok
}
