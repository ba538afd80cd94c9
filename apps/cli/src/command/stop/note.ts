// The options that `stop` and `resume` share.
import type { ControlNote } from '@sudoagent/ledger'
import type { Command } from 'commander'
import { CliError, EXIT } from '../../exit.js'
import type { Io } from '../../terminal/io.js'

export interface NoteOptions {
  readonly ledger: string
  readonly reason: string
  readonly by?: string
  readonly privateKey?: string
  readonly json?: boolean
}

export function addNoteOptions(command: Command): Command {
  return command
    .requiredOption('--reason <text>', 'why, recorded in the ledger (up to 1,024 characters)')
    .option('--by <name>', 'required: who decides this, recorded in the ledger. Default: SUDOAGENT_APPROVER')
    .option('--private-key <file>', 'a signing key of the ledger; required if the ledger is signed')
    .option('--json', 'print one JSON value')
}

export function noteOf({ reason, by }: NoteOptions, io: Io): ControlNote {
  const name = by ?? io.approver
  if (name === undefined || name === '')
    throw new CliError(EXIT.usage, '--by is missing', 'give --by <name>, or set SUDOAGENT_APPROVER')
  return { reason, by: name }
}
