import type { ApprovalState } from '@sudoagent/core'
import { type Command, Option } from 'commander'
import { EXIT, type ExitCode } from '../../exit.js'
import { type Io, print } from '../../terminal/io.js'

/** `used`: approved, and consumed by its call. The store reports this state as `approved`. */
const STATES = ['pending', 'approved', 'used', 'denied', 'expired', 'failed'] as const satisfies readonly (
  | ApprovalState
  | 'used'
)[]

/** Maximum number of approvals that the store lists. */
const LIST_MAX = 200

export interface ListOptions {
  readonly store: string
  readonly state?: (typeof STATES)[number]
  readonly allowOtherWriters?: boolean
  readonly json?: boolean
}

export function register(approvals: Command, io: Io): void {
  approvals
    .command('list')
    .summary('list approvals, newest first')
    .description(
      `Lists the approvals in a store, newest first, at most ${LIST_MAX}. The store keeps approvals for a day; the ledger keeps the decisions.`,
    )
    .argument('<store>', 'approval store: a SQLite file, or the URL of a PostgreSQL database')
    .addOption(new Option('--state <state>', 'list only approvals in this state').choices(STATES))
    .option('--allow-other-writers', 'open the store even if users other than its owner can write to it')
    .option('--json', 'print one JSON value')
    .addHelpText(
      'after',
      `
Example:
  $ sudoagent approvals list approvals.sqlite --state pending`,
    )
    .action(async (store: string, options: Omit<ListOptions, 'store'>) => {
      io.exitCode = await run({ store, ...options }, io)
    })
}

export async function run({ store: path, state, json = false, ...access }: ListOptions, io: Io): Promise<ExitCode> {
  const { withApprovals } = await import('../../ledger/approval-store.js')
  const { approvalJson, renderApprovals } = await import('../../text/approval-text.js')
  const now = new Date()
  const stored = state === 'used' ? 'approved' : state
  const filter = { ...(stored === undefined ? {} : { state: stored }), limit: LIST_MAX }
  const listed = await withApprovals(path, access, (store) => store.list(filter, now))
  const records = state === 'used' ? listed.filter(({ consumedAt }) => consumedAt !== null) : listed
  if (json) {
    await print(io.stdout, `${JSON.stringify(records.map(approvalJson), null, 2)}\n`)
  } else if (records.length > 0) {
    await print(io.stdout, renderApprovals(records, now, io.stdout.columns))
  } else {
    const { printMessage } = await import('../../terminal/message.js')
    await printMessage(io, 'note', state === undefined ? 'the store has no approvals' : `no ${state} approvals`)
  }
  return EXIT.ok
}
