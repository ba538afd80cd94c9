import type { Command } from 'commander'
import { EXIT, type ExitCode } from '../../exit.js'
import { type Io, print } from '../../terminal/io.js'

export interface ShowOptions {
  readonly store: string
  readonly id: string
  readonly ledger?: string
  readonly allowOtherWriters?: boolean
  readonly json?: boolean
}

export function register(approvals: Command, io: Io): void {
  approvals
    .command('show')
    .summary('show one approval')
    .description(
      'Shows one approval: the number of redacted values, all arguments as the policy saw them, the action, the agent and for whom it calls, the ' +
        'required approvals, the expiry time, the hashes that bind an answer to the approval, and what none of the hashes covers. Computes the hashes ' +
        'again from the shown values. Exits with 1 if the approval does not exist, if a hash differs, or if the ledger has recorded other values.',
    )
    .argument('<store>', 'approval store: a SQLite file, or the URL of a PostgreSQL database')
    .argument('<id>', 'approval id, or a unique prefix')
    .option('--ledger <ledger>', 'compare the approval with the question that this ledger has recorded')
    .option('--allow-other-writers', 'open the store even if users other than its owner can write to it')
    .option('--json', 'print one JSON value')
    .addHelpText(
      'after',
      `
Example:
  $ sudoagent approvals show approvals.sqlite 083a0f8c-664e-4692-9c0d-fb611024f7a4`,
    )
    .action(async (store: string, id: string, options: Omit<ShowOptions, 'store' | 'id'>) => {
      io.exitCode = await run({ store, id, ...options }, io)
    })
}

export async function run(
  { store: path, id, ledger, json = false, ...access }: ShowOptions,
  io: Io,
): Promise<ExitCode> {
  const { withApprovals } = await import('../../ledger/approval-store.js')
  const { approvalJson } = await import('../../text/approval-json.js')
  const { renderApproval } = await import('../../text/approval-text.js')
  const { find, withEqualUse } = await import('./find.js')
  const shown = await withApprovals(path, access, async (store) => withEqualUse(store, await find(store, id)))
  const { record, equalUse } = shown
  if (ledger !== undefined) {
    const { withLedger } = await import('../../ledger/ledger-file.js')
    const { requireAskedEntry } = await import('./asked-entry.js')
    await withLedger(ledger, io, true, ({ reader }) => requireAskedEntry(reader, record, ledger))
  }
  const text = json
    ? `${JSON.stringify({ ...approvalJson(record), equal_call_used_at: equalUse }, null, 2)}\n`
    : renderApproval(shown, new Date(), io.stdout.columns)
  await print(io.stdout, text)
  return EXIT.ok
}
