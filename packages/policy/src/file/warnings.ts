// Finds parts of a valid policy that are probably mistakes.
import type { PolicyDocument } from '../rule/document.js'

export interface PolicyWarning {
  /** The line on which the rule begins. */
  readonly line: number
  readonly rule: string
  /** One line of text. */
  readonly message: string
  readonly hint: string
}

/**
 * Words in the names of arguments and tools that pass text to a shell or an interpreter. The comparison uses whole
 * words, in any naming style.
 */
const SHELL_WORDS = new Set(
  'bash cmd code command commandline commands exec execute powershell pwsh query run script shell sh sql terminal zsh'.split(
    ' ',
  ),
)

/**
 * Returns the warnings about a valid policy.
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
          message: `\`prefix\` on \`${path}\` does not limit the rest of the command: \`${first}\` also allows \`${first}; …\` and \`${first} && …\``,
          hint: 'use `equals` or `one_of` with whole commands, or require an approval',
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
