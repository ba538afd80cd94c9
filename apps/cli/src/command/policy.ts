// `sudoagent policy …`: policies of calls, before an engine has them.
import type { Command } from 'commander'
import type { Io } from '../io.js'
import * as checkCommand from './policy/check.js'
import * as explainCommand from './policy/explain.js'

export function register(program: Command, io: Io): void {
  const policy = program
    .command('policy')
    .summary('check a policy file, and explain what it decides')
    .description(
      'Policies are files of rules (YAML or JSON), or modules that export a policy. A module is run when it is read.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent policy check policy.yaml
  $ sudoagent policy explain policy.yaml --server files --tool read_file --args '{"path": "/srv/data/a.txt"}'`,
    )
  checkCommand.register(policy, io)
  explainCommand.register(policy, io)
}
