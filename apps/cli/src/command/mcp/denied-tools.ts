// Reads from the rules of a policy which tools it denies for all arguments, and whether it can require an approval.
import type { OnConcealed } from '@sudoagent/core'
import { type LoadedPolicy, RulePolicy } from '@sudoagent/policy'
import { CliError, EXIT } from '../../exit.js'

/**
 * Evaluates the rules without their conditions on arguments: an `allow` or `require_approval` rule applies to every
 * call of its tools, and a `deny` rule with conditions is ignored.
 *
 * @throws CliError if the policy is a module, because only a specific call shows whether a module denies it
 */
export function deniedTools(policy: LoadedPolicy): (action: string) => boolean {
  if (!(policy instanceof RulePolicy))
    throw new CliError(EXIT.usage, '`--hide-denied` needs a policy with rules', 'a module cannot list what it denies')
  const rules = policy.document.rules
    .filter(({ effect, args, argsOnly }) => effect !== 'deny' || (args.length === 0 && !argsOnly))
    .map((rule) => ({ ...rule, args: [], argsOnly: false }))
  const widest = new RulePolicy({ ...policy.document, rules })
  return (action) => widest.evaluate({ action, args: [], kwargs: {} }).decision === 'deny'
}

/** Whether a person can be asked about a call. A module may require an approval for any call. */
export const mayAskPerson = (policy: LoadedPolicy, onConcealed: OnConcealed): boolean =>
  !(policy instanceof RulePolicy) ||
  onConcealed === 'ask' ||
  policy.document.rules.some(({ effect }) => effect === 'require_approval')
