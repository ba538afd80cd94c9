// `sudoagent approvals …` manages the approvals in the store of a running engine: a SQLite file or a PostgreSQL
// database.
//
//   list      the approvals, newest first
//   show      one approval: arguments, reason, expiry, hashes
//   approve   approves a pending call, once
//   deny      denies a pending call
//
// An answer is bound to the approval that was shown: the store's `resolve` compares the request id, the policy
// hash and the decision hash, and succeeds only while the approval is pending. The engine polls the store, checks
// the same binding again, consumes the approval, records the decision and then runs the function:
//
//   $ sudoagent approvals approve approvals.sqlite 083a0f8c --approver alice
//   approve `pay` for `pay-bot` as `alice`? [y/N] y
//   approved: pay for pay-bot, by alice
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
    .summary('approve or deny pending calls')
    .description('Lists, shows, approves and denies pending calls in the approval store of a running engine.')
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
