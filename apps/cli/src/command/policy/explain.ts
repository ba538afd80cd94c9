import type { Command } from 'commander'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { type Io, print } from '../../terminal/io.js'
import type { CallExplanation } from './explain-call.js'

/** Size limit for the arguments, larger than the engine's limit. */
const ARGUMENTS_BYTES_MAX = 2 * 1024 * 1024

export interface ExplainOptions {
  readonly file: string
  readonly tool: string
  readonly server?: string
  readonly args?: string
  readonly argsFile?: string
  readonly json?: boolean
}

export function register(policy: Command, io: Io): void {
  policy
    .command('explain')
    .summary('explain what a policy decides about a call')
    .description(
      'Evaluates a policy for one call as the engine would, with secrets removed from the arguments. Prints which rule decides and why earlier ' +
        'rules do not match. Runs and records nothing. Exits with 0 for every decision.',
    )
    .argument('<file>', 'YAML or JSON file of rules, or a module')
    .requiredOption('--tool <name>', 'name of the called tool')
    .option('--server <name>', 'MCP server of the tool')
    .option('--args <json>', 'arguments as a JSON object; `-` is standard input')
    .option('--args-file <file>', 'file with the arguments')
    .option('--json', 'print one JSON value')
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent policy explain policy.yaml --tool refund --args '{"amount": 30}'
  $ sudoagent policy explain policy.yaml --server files --tool read_file --args-file call.json --json`,
    )
    .action(async (file: string, options: Omit<ExplainOptions, 'file'>) => {
      io.exitCode = await run({ file, ...options }, io)
    })
}

export async function run(options: ExplainOptions, io: Io): Promise<ExitCode> {
  const { tool, server, json = false } = options
  const action = actionOf(tool, server)
  const kwargs = await readArguments(options, io)
  const { readCallPolicy } = await import('../../input/call-policy.js')
  const { explainCall } = await import('./explain-call.js')
  const explanation = await explainCall(await readCallPolicy(options.file), action, kwargs)
  await print(
    io.stdout,
    json ? `${JSON.stringify(explanation, null, 2)}\n` : await render(explanation, io.stdout.columns),
  )
  return EXIT.ok
}

/** The action name that the guard and the adapters use. */
function actionOf(tool: string, server: string | undefined): string {
  if (tool === '') throw new CliError(EXIT.usage, '--tool is empty', 'give the name of the tool')
  if (server === undefined) return tool
  if (server === '' || server.includes('/')) {
    throw new CliError(
      EXIT.usage,
      `--server \`${server}\` is not a server name`,
      'a server name must not be empty or contain `/`',
    )
  }
  return `${server}/${tool}`
}

async function readArguments({ args, argsFile }: ExplainOptions, io: Io): Promise<Readonly<Record<string, unknown>>> {
  if (args !== undefined && argsFile !== undefined) {
    throw new CliError(EXIT.usage, '--args and --args-file are both given', 'give one of them')
  }
  if (args === undefined && argsFile === undefined) return {}
  const { readText } = await import('../../input/input-file.js')
  const from = argsFile ?? (args === '-' ? '-' : null)
  const text = from === null ? (args ?? '') : await readText(from, 'JSON object', ARGUMENTS_BYTES_MAX, io)
  const where = from === null ? '--args' : from === '-' ? 'standard input' : `\`${from}\``
  const code = from === null ? EXIT.usage : EXIT.failed
  const { CryptoError } = await import('@sudoagent/crypto')
  const { parseJson } = await import('@sudoagent/crypto/json')
  let value: unknown
  try {
    value = parseJson(text)
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    throw new CliError(code, `${where} is not JSON: ${error.message}`, 'write each key once, in double quotes', error)
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new CliError(code, `${where} is not a JSON object`, 'arguments have names: `{"path": "/srv/data"}`')
}

async function render(
  { call, policy, decision, rule, reason, reason_code: code, approval_within_ms: withinMs, steps }: CallExplanation,
  columns: number | undefined,
): Promise<string> {
  const { escapeForTerminal } = await import('@sudoagent/crypto/text')
  const { fieldRow, rowsOf } = await import('../../text/rows.js')
  const version = policy.policy_version === null ? '' : `, version ${policy.policy_version}`
  const rows: readonly (readonly [string, string])[] = [
    ['call', call.action],
    ['policy', `${policy.policy_id}${version}`],
    ['decision', decision],
    ['rule', rule ?? 'none'],
    ['reason', reason],
    ['code', code],
    ...(withinMs === null ? [] : [['approval', `within ${durationOf(withinMs)}`] as const]),
  ]
  const head = rows.map(([name, value]) => fieldRow(name, 8, value, { columns })).join('')
  if (steps === null) return `${head}\nA module decides in code.\n`
  const width = Math.max(0, ...steps.map((step) => step.rule.length))
  const lines = steps.map(({ line, rule: id, effect, outcome, because }) => {
    const says = outcome === 'matched' ? 'matches' : outcome === 'unclear' ? 'unclear' : 'skipped'
    const label = `  line ${String(line).padStart(4)}  ${id.padEnd(width)}  ${effect.padEnd(16)}  `
    const text = `${says}${because === null ? '' : `: ${escapeForTerminal(because)}`}`
    return `${rowsOf(label, text, columns, 13).join('\n')}\n`
  })
  return `${head}\n${lines.length === 0 ? 'The policy has no rules.\n' : `Rules, in order of evaluation\n${lines.join('')}`}`
}

/** Writes a duration like a policy file, in the largest unit that divides it: `90m`. */
function durationOf(ms: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
  ] as const
  const [unit, length] = units.find(([, one]) => ms % one === 0) ?? ['ms', 1]
  return `${ms / length}${unit}`
}
