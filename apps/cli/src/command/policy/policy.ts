// `sudoagent policy …` checks policy files and explains their decisions, without an engine.
//
//   check     id, version, hash and rules of a policy; warnings about probable mistakes
//   explain   the decision about one call, and the result of every rule
//
// A policy is a YAML or JSON file with `sudoagent_policy: 1` (docs/policy.md), or a module that exports a policy.
// The rules are evaluated in order, and the first that matches decides. Without a match, or if a `deny` or
// `require_approval` rule cannot be evaluated, the call is denied.
//
//   $ sudoagent policy explain pay.yaml --tool pay --args '{"amount": 30}'
//   decision  require_approval
//   rule      others
//   …
//     line    5  small   allow             skipped: `amount` is out of the range
//     line    6  others  require_approval  matches
import type { Command } from 'commander'
import type { Io } from '../../terminal/io.js'
import * as checkCommand from './check.js'
import * as explainCommand from './explain.js'

export function register(program: Command, io: Io): void {
  const policy = program
    .command('policy')
    .summary('check a policy file, and explain what it decides')
    .description(
      'Policies are files of rules (YAML or JSON), or modules that export a policy. Reading a module executes it.',
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
