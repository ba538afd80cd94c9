// What a policy file may say, and what is seldom meant by it.
import type { PolicyDocument } from '../rule/document.js'

export interface PolicyWarning {
  /** Line of the file where the rule begins. */
  readonly line: number
  readonly rule: string
  /** One line. */
  readonly message: string
  readonly hint: string
}

/** Names of arguments and tools that a shell or an interpreter reads; whole words of a name, in any spelling of it. */
const SHELL_WORDS = new Set(
  'bash cmd code command commandline commands exec execute powershell pwsh query run script shell sh sql terminal zsh'.split(
    ' ',
  ),
)

/**
 * Warnings about a policy that is valid.
 *
 * @example policyWarnings(parsePolicyFile(text, 'policy.yaml')).map(({ message }) => message)
 */
export function policyWarnings({ rules }: PolicyDocument): readonly PolicyWarning[] {
  return rules.flatMap(({ id, line, args, tools, effect }) =>
    args.flatMap(({ path, segments, tests }): PolicyWarning[] => {
      const prefix = tests.find((test) => test.kind === 'prefix')
      const isShell = isShellName(segments.findLast((segment) => !/^(?:\*|\d+)$/.test(segment)) ?? '')
      if (prefix === undefined || effect !== 'allow' || !(isShell || tools?.some(isShellName))) return []
      const [first = ''] = prefix.prefixes
      return [
        {
          line,
          rule: id,
          message: `\`prefix\` on \`${path}\` says how a command begins, not where it ends: \`${first}\` also allows \`${first}; …\` and \`${first} && …\``,
          hint: 'use `equals` or `one_of` with whole commands, or ask a person',
        },
      ]
    }),
  )
}

function isShellName(name: string): boolean {
  const words = name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
  return words.some((word) => SHELL_WORDS.has(word))
}
