import type { Command } from 'commander'
import type { Io } from '../../terminal/io.js'
import type { ResolveOptions } from './resolve.js'

export function register(approvals: Command, io: Io): void {
  approvals
    .command('deny')
    .summary('refuse a call')
    .description(
      'Refuses one pending call. Shows it and asks first. Exits with 1, and changes nothing, when it was answered already, has expired, is no ' +
        'longer asked, or is not there.',
    )
    .argument('<store>', 'approval store: a SQLite file, or the URL of a PostgreSQL database')
    .argument('<id>', 'id of the approval, or the beginning of it')
    .option('--approver <name>', 'required: who refuses; the ledger says so. Default: SUDOAGENT_APPROVER')
    .option('--reason <text>', 'why; the agent and the ledger are told')
    .option('--yes', 'do not ask; needed where there is no terminal')
    .option('--allow-other-writers', 'open the store although users other than its owner can write to it')
    .option('--json', 'print one JSON value')
    .addHelpText(
      'after',
      `
Example:
  $ sudoagent approvals deny approvals.sqlite 083a0f8c-664e-4692-9c0d-fb611024f7a4 --approver alice --reason 'not this month'`,
    )
    .action(async (store: string, id: string, options: Omit<ResolveOptions, 'store' | 'id'>) => {
      const { resolveApproval } = await import('./resolve.js')
      io.exitCode = await resolveApproval('denied', { store, id, ...options }, io)
    })
}
