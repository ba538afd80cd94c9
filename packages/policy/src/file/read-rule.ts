// Reads one rule from a policy file.

import type { PolicyDecision } from '@sudoagent/core'
import {
  APPROVAL_WITHIN_DAYS_MAX,
  ARGUMENT_DEPTH_MAX,
  ARGUMENT_PATH_LENGTH_MAX,
  ARGUMENTS_MAX,
  ID_LENGTH_MAX,
  NAME_LENGTH_MAX,
  REASON_LENGTH_MAX,
} from '../limits.js'
import type { ArgumentMatcher, PolicyRule } from '../rule/document.js'
import { readDuration } from './duration.js'
import { need, readChoice, readId, readList, readMap, readText, readTrue, requireOneScript, shown } from './fields.js'
import type { LocatedMap, LocatedValue, Source } from './located.js'
import { readTests } from './read-test.js'

const EFFECTS = ['allow', 'deny', 'require_approval'] as const
const KEYS = ['id', 'server', 'tool', 'args', 'args_only', 'effect', 'approval', 'reason'] as const

/** @throws PolicyFileError */
export function readRule(value: LocatedValue, source: Source): PolicyRule {
  const rule = readMap(value, 'the rule', KEYS, source)
  const what = 'the rule'
  const id = readId(
    need(rule, 'id', what, source, 'the ledger identifies the rule by its id'),
    'id',
    ID_LENGTH_MAX,
    source,
  )
  const servers = readNames(rule, 'server', source)
  const tools = readNames(rule, 'tool', source)
  requireUnambiguous(rule, servers, source)
  const args = readArguments(rule.members.get('args')?.value, source)
  const only = rule.members.get('args_only')?.value
  const argsOnly = only !== undefined && readTrue(only, 'args_only', source)
  const effect = readChoice(
    need(rule, 'effect', what, source, 'write `allow`, `deny` or `require_approval`'),
    'effect',
    EFFECTS,
    source,
  )
  const withinMs = readApproval(rule, effect, source)
  const why = need(rule, 'reason', what, source, 'write a reason: the ledger records it, and approvers read it')
  const reason = readText(why, 'reason', { maxLength: REASON_LENGTH_MAX }, source)
  return Object.freeze({ id, servers, tools, args, argsOnly, effect, reason, withinMs, line: source.lineOf(rule.at) })
}

/** Returns `approval.within` in milliseconds; null if the rule does not have `approval`. */
function readApproval(rule: LocatedMap, effect: PolicyDecision, source: Source): number | null {
  const found = rule.members.get('approval')
  if (found === undefined) return null
  if (effect !== 'require_approval') {
    const says = `a rule with \`effect: ${effect}\` cannot have \`approval\``
    throw source.error('POLICY_VALUE', found.at, says, 'remove `approval`, or write `effect: require_approval`')
  }
  const approval = readMap(found.value, '`approval`', ['within'], source)
  const within = need(approval, 'within', '`approval`', source, 'write `approval: { within: 30m }`')
  return readDuration(within, 'within', APPROVAL_WITHIN_DAYS_MAX, source)
}

function readNames(rule: LocatedMap, key: 'server' | 'tool', source: Source): readonly string[] | null {
  const value = rule.members.get(key)?.value
  if (value === undefined) return null
  const names = readList(value, key, source).map((item) => {
    const name = readText(item, key, { maxLength: NAME_LENGTH_MAX }, source)
    requireOneScript(name, key, item.at, source)
    if (key === 'server' && name.includes('/')) {
      throw source.error(
        'POLICY_VALUE',
        item.at,
        'a server name must not contain `/`',
        'write `server` and `tool` separately',
      )
    }
    return name
  })
  return Object.freeze(names)
}

/**
 * Rejects a tool pattern with a slash in a rule without `server`. An action is split at its first slash, so the pattern
 * would never match, and a rule that denies the tool would deny nothing.
 */
function requireUnambiguous(rule: LocatedMap, servers: readonly string[] | null, source: Source): void {
  const tool = rule.members.get('tool')?.value
  if (servers !== null || tool === undefined) return
  for (const item of readList(tool, 'tool', source)) {
    if (item.kind !== 'scalar' || typeof item.value !== 'string' || !item.value.includes('/')) continue
    const [server = '', ...rest] = item.value.split('/')
    const says = `\`${shown(item.value)}\` is ambiguous: it could name a tool, or a server and a tool`
    throw source.error(
      'POLICY_VALUE',
      item.at,
      says,
      `write \`server: ${shown(server)}\` and \`tool: ${shown(rest.join('/'))}\``,
    )
  }
}

function readArguments(value: LocatedValue | undefined, source: Source): readonly ArgumentMatcher[] {
  if (value === undefined) return Object.freeze([])
  if (value.kind !== 'map') {
    throw source.error('POLICY_TYPE', value.at, '`args` must be an object', 'write `args: { path: { … } }`')
  }
  if (value.members.size === 0) {
    throw source.error('POLICY_VALUE', value.at, '`args` is empty', 'to match every call of the tool, omit the key')
  }
  if (value.members.size > ARGUMENTS_MAX) {
    throw source.error(
      'POLICY_LIMIT',
      value.at,
      `\`args\` tests more than ${ARGUMENTS_MAX} arguments`,
      'split the tests into several rules',
    )
  }
  const matchers = [...value.members].map(([path, { at, value: tests }]): ArgumentMatcher => {
    const segments = readPath(path, at, source)
    return Object.freeze({ path, segments, tests: readTests(path, segments, at, tests, source) })
  })
  return Object.freeze(matchers)
}

function readPath(path: string, at: number, source: Source): readonly string[] {
  const segments = path.split('.')
  requireOneScript(path, 'argument', at, source)
  if (path.length > ARGUMENT_PATH_LENGTH_MAX || segments.length > ARGUMENT_DEPTH_MAX) {
    const says = `the argument path is longer than ${ARGUMENT_PATH_LENGTH_MAX} characters or ${ARGUMENT_DEPTH_MAX} keys`
    throw source.error('POLICY_LIMIT', at, says, 'test a value at a higher level')
  }
  if (segments.includes('')) {
    throw source.error(
      'POLICY_VALUE',
      at,
      `\`${shown(path)}\` has an empty key`,
      'separate keys with single dots: `customer.id`',
    )
  }
  return Object.freeze(segments)
}
