// `sudoagent policy …`: policies of calls, before an engine has them.
import type { Command } from 'commander'
import type { Io } from '../../terminal/io.js'
import * as checkCommand from './check.js'
import * as explainCommand from './explain.js'

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
