import type { Command } from 'commander'
import type { Io } from '../../terminal/io.js'
import type { ResolveOptions } from './resolve.js'

export function register(approvals: Command, io: Io): void {
  approvals
    .command('approve')
    .summary('approve one call')
    .description(
      'Approves one pending call: only this call with these arguments, once, until the approval expires. Shows the call and asks for confirmation. ' +
        'Exits with 1 and changes nothing if the approval does not exist, has expired, is no longer pending, or does not show the call that its hashes cover.',
    )
    .argument('<store>', 'approval store: a SQLite file, or the URL of a PostgreSQL database')
    .argument('<id>', 'approval id, or a unique prefix')
    .option('--approver <name>', 'required: name of the approver, recorded in the ledger. Default: SUDOAGENT_APPROVER')
    .option('--yes', 'skip the confirmation; required without a terminal')
    .option(
      '--ledger <ledger>',
      'compare the question with this ledger, wait until it has recorded the decision, and print its position',
    )
    .option('--timeout <seconds>', 'time limit for --ledger; default: 10')
    .option('--wait', 'wait until the approval was used; exits with 1 if it was not used in time')
    .option('--allow-other-writers', 'open the store even if users other than its owner can write to it')
    .option('--json', 'print one JSON value')
    .addHelpText(
      'after',
      `
Example:
  $ sudoagent approvals approve approvals.sqlite 083a0f8c-664e-4692-9c0d-fb611024f7a4 --approver alice`,
    )
    .action(async (store: string, id: string, options: Omit<ResolveOptions, 'store' | 'id'>) => {
      const { resolveApproval } = await import('./resolve.js')
      io.exitCode = await resolveApproval('approved', { store, id, ...options }, io)
    })
}
