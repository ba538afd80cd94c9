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
      `Lists the approvals in a store, newest first, at most ${LIST_MAX}. The store keeps approvals for a day after they expire; the ledger keeps the decisions. Requests whose stored values were changed are not listed; a note names them.`,
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
  const { approvalJson } = await import('../../text/approval-json.js')
  const { renderApprovals } = await import('../../text/approval-list.js')
  const now = new Date()
  const stored = state === 'used' ? 'approved' : state
  const changed = new Set<string>()
  const onInvalid = (id: string): void => void changed.add(id)
  const filter = { ...(stored === undefined ? {} : { state: stored }), limit: LIST_MAX, onInvalid }
  const listed = await withApprovals(path, access, (store) => store.list(filter, now))
  const records = state === 'used' ? listed.filter(({ consumedAt }) => consumedAt !== null) : listed
  if (json) {
    await print(io.stdout, `${JSON.stringify(records.map(approvalJson), null, 2)}\n`)
  } else if (records.length > 0) {
    await print(io.stdout, renderApprovals(records, now, io.stdout.columns))
  } else if (changed.size === 0) {
    const { printMessage } = await import('../../terminal/message.js')
    await printMessage(io, 'note', state === undefined ? 'the store has no approvals' : `no ${state} approvals`)
  }
  if (changed.size > 0) await noteChanged(changed, io)
  return EXIT.ok
}

/** Maximum number of ids in the note about changed questions. */
const IDS_NAMED_MAX = 3

async function noteChanged(ids: ReadonlySet<string>, io: Io): Promise<void> {
  const { printMessage } = await import('../../terminal/message.js')
  const { CHANGED_STORE_HINT } = await import('../../ledger/approval-store.js')
  const named = [...ids].slice(0, IDS_NAMED_MAX).map((id) => `\`${id}\``)
  const more = ids.size > named.length ? ` and ${ids.size - named.length} more` : ''
  const [are, their] = ids.size === 1 ? ['is', 'its row was'] : ['are', 'their rows were']
  await printMessage(io, 'note', `${named.join(', ')}${more} ${are} not listed, because ${their} changed`)
  await printMessage(io, 'hint', CHANGED_STORE_HINT)
}
