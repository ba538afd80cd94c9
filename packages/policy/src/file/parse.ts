// Parses a policy file. docs/policy.md describes the format:
//
//     sudoagent_policy: 1
//     id: files
//     rules:
//       - id: reads
//         server: files
//         tool: [read_text_file, list_directory]
//         args:
//           path: { root: /srv/data, glob: '**' }
//         effect: allow
//         reason: reading inside the data folder
//
// The text is parsed as YAML with positions (`yaml-text.ts`); then `fields.ts`, `read-rule.ts` and `read-test.ts` check
// the keys of the file, the rules and the tests. The reader is hand-written because a schema library works on values
// without positions: the library's errors would have to be mapped back to lines and columns, and the library would
// not suggest the intended key for a misspelt key.

import { DESCRIPTION_LENGTH_MAX, ID_LENGTH_MAX, RULES_MAX, VERSION_LENGTH_MAX } from '../limits.js'
import { POLICY_FORMAT, type PolicyDocument, type PolicyRule } from '../rule/document.js'
import { need, readId, readList, readMap, readText } from './fields.js'
import type { LocatedMap, LocatedValue, Source } from './located.js'
import { readRule } from './read-rule.js'
import { rulesInFrontOf } from './unreachable.js'
import { readYaml } from './yaml-text.js'

/**
 * Parses a policy file. This function is pure.
 *
 * @param name - the file name, for messages
 * @throws PolicyFileError with a line, a column, a code from `POLICY_FILE_CODES` and a hint
 * @example parsePolicyFile('sudoagent_policy: 1\nid: none\nrules: []\n', 'none.yaml').rules   // []: denies every
 *   call
 */
export function parsePolicyFile(text: string, name: string): PolicyDocument {
  const { source, root } = readYaml(text, name)
  const file = readMap(root, 'the policy', ['sudoagent_policy', 'id', 'version', 'description', 'rules'], source)
  requireFormat(file, source)
  const id = readId(
    need(file, 'id', 'the policy', source, 'the ledger identifies the policy by its id'),
    'id',
    ID_LENGTH_MAX,
    source,
  )
  const version = readVersion(file.members.get('version')?.value, source)
  const described = file.members.get('description')?.value
  const description =
    described === undefined ? null : readText(described, 'description', { maxLength: DESCRIPTION_LENGTH_MAX }, source)
  const rules = readRules(need(file, 'rules', 'the policy', source, '`rules: []` denies every call'), source)
  return Object.freeze({ id, version, description, rules })
}

function requireFormat(file: LocatedMap, source: Source): void {
  const hint = `write \`sudoagent_policy: ${POLICY_FORMAT}\``
  const value = need(file, 'sudoagent_policy', 'the policy', source, hint)
  if (value.kind === 'scalar' && value.value === BigInt(POLICY_FORMAT)) return
  throw source.error('POLICY_VALUE', value.at, `the format version must be ${POLICY_FORMAT}`, hint)
}

function readVersion(value: LocatedValue | undefined, source: Source): string | null {
  if (value === undefined) return null
  // An integer such as `3` is unambiguous. A decimal number such as `1.10` is rejected, because YAML reads it as 1.1.
  if (value.kind === 'scalar' && typeof value.value === 'bigint') return String(value.value)
  return readText(value, 'version', { maxLength: VERSION_LENGTH_MAX }, source)
}

function readRules(value: LocatedValue, source: Source): readonly PolicyRule[] {
  if (value.kind !== 'list') {
    throw source.error('POLICY_TYPE', value.at, '`rules` must be a list', 'begin each rule with `- id: …`')
  }
  if (value.items.length === 0) return Object.freeze([])
  const rules: PolicyRule[] = []
  const lines = new Map<string, number>()
  let all: PolicyRule | null = null
  for (const item of readList(value, 'rules', source, RULES_MAX)) {
    const rule = readRule(item, source)
    const before = lines.get(rule.id)
    if (before !== undefined) {
      const says = `the id \`${rule.id}\` is already used by the rule on line ${before}`
      throw source.error(
        'POLICY_DUPLICATE',
        item.at,
        says,
        'use a different id: the ledger identifies rules by their ids',
      )
    }
    if (all !== null) {
      const says = `no call can reach the rule \`${rule.id}\`: \`${all.id}\` on line ${all.line} matches every call`
      throw source.error(
        'POLICY_RULE_IDLE',
        item.at,
        says,
        'the first rule that matches decides; move this rule before it',
      )
    }
    const inFront = rulesInFrontOf(rule, rules)
    if (inFront !== null) {
      const named = inFront.map((one) => `\`${one.id}\` on line ${one.line}`).slice(0, COVERING_SHOWN_MAX)
      const says = `no call can reach the rule \`${rule.id}\` on line ${rule.line}: ${named.join(' and ')} ${named.length === 1 ? 'decides' : 'decide'} first`
      throw source.error(
        'POLICY_RULE_IDLE',
        item.at,
        says,
        'the first rule that matches decides; move this rule before it, or remove it',
      )
    }
    lines.set(rule.id, rule.line)
    rules.push(rule)
    if (matchesAll(rule)) all = rule
  }
  return Object.freeze(rules)
}

/** The maximum number of earlier rules listed in the message about an unreachable rule. */
const COVERING_SHOWN_MAX = 3

function matchesAll({ servers, tools, args, argsOnly }: PolicyRule): boolean {
  return servers === null && args.length === 0 && !argsOnly && (tools === null || tools.includes('*'))
}
