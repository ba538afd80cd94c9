// `sudoagent stop`, `resume` and `stops`: stop the calls of a running fleet, without its processes.
//
// A stop is a ledger entry. From this entry on, no process that writes to the ledger can record an allowed decision
// that the stop covers, so no such call runs; the engine denies it with STOPPED (docs/stops.md).
//
//   $ sudoagent stop ledger.sqlite --agent 'billing-*' --reason 'wrong prices' --by alice
//   stopped: agent billing-*
//   $ sudoagent stops ledger.sqlite
//   $ sudoagent resume ledger.sqlite 5a0c… --reason 'prices corrected' --by alice
import type { StopScope } from '@sudoagent/ledger'
import type { Command } from 'commander'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { type Io, print } from '../../terminal/io.js'
import { addNoteOptions, type NoteOptions, noteOf } from './note.js'

export interface StopOptions extends NoteOptions {
  readonly all?: boolean
  readonly agent?: string
  readonly action?: string
  readonly tenant?: string
  readonly onBehalfOf?: string
  readonly issuer?: string
  readonly session?: string
}

export function register(program: Command, io: Io): void {
  const stop = program
    .command('stop')
    .summary('stop calls: deny what would be allowed, from now on')
    .description(
      'Appends an entry that stops calls. From then on, no process that writes to this ledger can allow a call that the stop covers, until ' +
        '`sudoagent resume` ends the stop. If several options select calls, all of them must match. Calls that are already allowed go on; the ' +
        'number of them is printed by `sudoagent stops`. Stopping the same calls again changes nothing.',
    )
    .argument('<ledger>', 'SQLite or JSONL file, or postgres://host/database?ledger=name')
    .option('--all', 'every call')
    .option('--agent <pattern>', 'agents: `*` matches any characters, `?` matches one')
    .option('--action <pattern>', 'actions: `*` matches any characters, `/` included, `?` matches one')
    .option('--tenant <name>', 'calls for this tenant')
    .option('--on-behalf-of <id>', 'calls on behalf of this person or service')
    .option('--issuer <name>', 'only with --on-behalf-of: the issuer of the id; default: any issuer')
    .option('--session <id>', 'calls of this session')
  addNoteOptions(stop)
    .addHelpText(
      'after',
      `
An agent states its own tenant, session and subject. To stop an agent that is not trusted, use --agent or --all.

Examples:
  $ sudoagent stop ledger.sqlite --agent 'billing-*' --reason 'wrong prices' --by alice
  $ sudoagent stop ledger.sqlite --all --reason 'incident 12' --by alice --private-key ledger.key.pem`,
    )
    .action(async (ledger: string, options: Omit<StopOptions, 'ledger'>) => {
      io.exitCode = await run({ ledger, ...options }, io)
    })
}

export async function run(options: StopOptions, io: Io): Promise<ExitCode> {
  const { ledger, json = false } = options
  const scope = scopeOf(options)
  const note = noteOf(options, io)
  const { withControls } = await import('./controls.js')
  const { stopId, position, entry } = await withControls(options, io, (writer) => writer.stop(scope, note))
  const isNew = entry !== null
  if (json) {
    await print(io.stdout, `${JSON.stringify({ stop_id: stopId, position, scope, new: isNew }, null, 2)}\n`)
    return EXIT.ok
  }
  const { escapeForTerminal } = await import('@sudoagent/crypto/text')
  const { scopeText } = await import('@sudoagent/ledger')
  const { printMessage } = await import('../../terminal/message.js')
  const what = escapeForTerminal(scopeText(scope))
  const since = isNew ? `from entry ${position} on` : `already since entry ${position}; nothing was written`
  await print(io.stdout, `stopped: ${what}, ${since}\nstop ${stopId}\n`)
  await printMessage(io, 'hint', `\`sudoagent resume ${ledger} ${stopId} --reason <text>\` ends the stop`)
  return EXIT.ok
}

function scopeOf({ all, agent, action, tenant, onBehalfOf: id, issuer, session }: StopOptions): StopScope {
  if (issuer !== undefined && id === undefined)
    throw new CliError(EXIT.usage, '--issuer needs --on-behalf-of', 'an issuer alone selects no calls')
  const narrow = {
    ...(agent === undefined ? {} : { agent }),
    ...(action === undefined ? {} : { action }),
    ...(id === undefined ? {} : { on_behalf_of: { id, ...(issuer === undefined ? {} : { issuer }) } }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(session === undefined ? {} : { session }),
  }
  const isNarrow = Object.keys(narrow).length > 0
  if (all === true && isNarrow)
    throw new CliError(
      EXIT.usage,
      '--all cannot be combined with options that select calls',
      'leave out --all, or the rest',
    )
  if (all !== true && !isNarrow)
    throw new CliError(
      EXIT.usage,
      'no option says which calls to stop',
      'give --all, --agent, --action, --tenant, --on-behalf-of or --session',
    )
  return all === true ? { all } : narrow
}
