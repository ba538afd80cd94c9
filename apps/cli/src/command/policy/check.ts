import type { LoadedPolicy } from '@sudoagent/policy'
import type { Command } from 'commander'
import { EXIT, type ExitCode } from '../../exit.js'
import { type Io, print } from '../../terminal/io.js'

export interface CheckOptions {
  readonly file: string
  readonly json?: boolean
}

export function register(policy: Command, io: Io): void {
  policy
    .command('check')
    .summary('check a policy file')
    .description(
      'Reads a policy as the engine does, and prints its id, version, hash and number of rules. Exits with 3 if the policy is invalid; the ' +
        'error names the line and the column. Warns about rules that are probably mistakes.',
    )
    .argument('<file>', 'YAML or JSON file of rules, or a module')
    .option('--json', 'print one JSON value')
    .addHelpText(
      'after',
      `
Example:
  $ sudoagent policy check policy.yaml`,
    )
    .action(async (file: string, options: Omit<CheckOptions, 'file'>) => {
      io.exitCode = await run({ file, ...options }, io)
    })
}

export async function run({ file, json = false }: CheckOptions, io: Io): Promise<ExitCode> {
  const { readCallPolicy } = await import('../../input/call-policy.js')
  const policy = await readCallPolicy(file)
  const rules = countRules(policy)
  const value = {
    kind: policy.kind,
    policy_id: policy.policyId,
    policy_version: policy.version ?? null,
    policy_hash: policy.policyHash,
    rules,
  }
  const { policyWarnings } = await import('@sudoagent/policy')
  const warnings = policy.kind === 'module' ? [] : policyWarnings(policy.document)
  if (json) {
    await print(io.stdout, `${JSON.stringify({ ...value, warnings }, null, 2)}\n`)
    return EXIT.ok
  }
  await print(io.stdout, await render(value, io.stdout.columns))
  const { printMessage } = await import('../../terminal/message.js')
  for (const { line, rule, message, hint } of warnings) {
    await printMessage(io, 'note', `line ${line}, rule \`${rule}\`: ${message}`)
    await printMessage(io, 'hint', hint)
  }
  return EXIT.ok
}

type Counts = Readonly<Record<'allow' | 'deny' | 'require_approval', number>>

/** Null for a module, which has no rules. */
function countRules(policy: LoadedPolicy): Counts | null {
  if (policy.kind === 'module') return null
  const counts = { allow: 0, deny: 0, require_approval: 0 }
  for (const { effect } of policy.document.rules) counts[effect] += 1
  return counts
}

interface Checked {
  readonly policy_id: string
  readonly policy_version: string | null
  readonly policy_hash: string
  readonly rules: Counts | null
}

async function render(
  { policy_id: id, policy_version: version, policy_hash: hash, rules }: Checked,
  columns: number | undefined,
): Promise<string> {
  const { fieldRow } = await import('../../text/rows.js')
  const all = rules === null ? 0 : rules.allow + rules.deny + rules.require_approval
  const rows = [
    ['policy', id],
    ['version', version ?? 'none'],
    ['hash', hash],
    [
      'rules',
      rules === null
        ? 'none: a module decides in code'
        : `${all} (${rules.allow} allow, ${rules.deny} deny, ${rules.require_approval} require approval)`,
    ],
  ] as const
  return rows.map(([name, value]) => fieldRow(name, 7, value, { columns })).join('')
}
