// `sudoagent approvals …`: the calls that wait for somebody's yes or no, and the answer.
import type { Command } from 'commander'
import type { Io } from '../../terminal/io.js'
import * as approveCommand from './approve.js'
import * as denyCommand from './deny.js'
import * as listCommand from './list.js'
import * as showCommand from './show.js'

const COMMANDS = [listCommand, showCommand, approveCommand, denyCommand]

export function register(program: Command, io: Io): void {
  const approvals = program
    .command('approvals')
    .summary('answer the calls that wait for an approval')
    .description(
      'Works on the approval store of an engine, beside it and from another terminal: lists the calls that wait for an answer, shows what would ' +
        'run, and answers.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent approvals list approvals.sqlite --state pending
  $ sudoagent approvals show approvals.sqlite 083a0f8c-664e-4692-9c0d-fb611024f7a4
  $ sudoagent approvals approve --help`,
    )
  for (const { register } of COMMANDS) register(approvals, io)
}
