// Which tools a policy denies whatever their arguments: they need not be shown to a model.
import { type LoadedPolicy, RulePolicy } from '@sudoagent/policy'
import { CliError, EXIT } from '../../exit.js'

/**
 * Reads the rules as if every argument were the right one: a rule that allows or asks does so for its tools, and one that denies counts
 * only where it denies all calls of them.
 *
 * @throws CliError when the policy is a module: what it denies is only known when it is asked
 */
export function deniedTools(policy: LoadedPolicy): (action: string) => boolean {
  if (!(policy instanceof RulePolicy))
    throw new CliError(EXIT.usage, '`--hide-denied` needs a policy of rules', 'a module does not say what it denies')
  const rules = policy.document.rules
    .filter(({ effect, args, argsOnly }) => effect !== 'deny' || (args.length === 0 && !argsOnly))
    .map((rule) => ({ ...rule, args: [], argsOnly: false }))
  const widest = new RulePolicy({ ...policy.document, rules })
  return (action) => widest.evaluate({ action, args: [], kwargs: {} }).decision === 'deny'
}
