// Reads the tests of one argument: `{ gte: 1, lte: 100 }`, `{ root: /srv, glob: '**' }`, …
import { createRedactor } from '@sudoagent/core'
import { PATH_LENGTH_MAX, TEXT_LENGTH_MAX } from '../limits.js'
import { globProblem } from '../pattern/glob.js'
import { fold, readPath } from '../pattern/path.js'
import { isHidden } from '../rule/argument.js'
import type { ArgumentTest, ScalarValue } from '../rule/document.js'
import { originOfText } from '../rule/url-test.js'
import { exact, need, readList, readMap, readNumber, readText, readTrue, shown } from './fields.js'
import type { LocatedMap, LocatedValue, Source } from './located.js'

const KEYS = [
  'equals',
  'one_of',
  'prefix',
  'url',
  'glob',
  'root',
  'resolve_symlinks',
  'gt',
  'gte',
  'lt',
  'lte',
  'present',
  'absent',
] as const

const redactor = createRedactor()

/** @throws PolicyFileError */
export function readTests(
  path: string,
  segments: readonly string[],
  at: number,
  value: LocatedValue,
  source: Source,
): readonly ArgumentTest[] {
  if (value.kind !== 'map') {
    const hint = value.kind === 'list' ? 'write `{ one_of: […] }`' : 'write `{ equals: … }`'
    throw source.error('POLICY_TYPE', value.at, `the tests for \`${shown(path)}\` must be an object`, hint)
  }
  const map = readMap(value, `the test for \`${shown(path)}\``, KEYS, source)
  const tests = [
    readEquals(map, source),
    readPrefix(map, source),
    readUrl(map, source),
    readGlob(map, source),
    readRange(map, source),
    readPresence(map, source),
  ].filter((test) => test !== null)
  if (tests.length === 0) {
    throw source.error(
      'POLICY_KEY_MISSING',
      map.at,
      `\`${shown(path)}\` has no test`,
      `\`present: true\` tests only that the argument exists`,
    )
  }
  requireVisible(path, segments, tests, at, source)
  return Object.freeze(tests.map((test) => Object.freeze(test)))
}

function readEquals(map: LocatedMap, source: Source): ArgumentTest | null {
  const one = map.members.get('equals')
  const many = map.members.get('one_of')
  if (one !== undefined && many !== undefined) {
    throw source.error('POLICY_VALUE', many.at, '`equals` and `one_of` cannot be combined', 'keep only one of them')
  }
  if (one !== undefined) return { kind: 'equals', values: Object.freeze([readScalar(one.value, 'equals', source)]) }
  if (many === undefined) return null
  if (many.value.kind !== 'list')
    throw source.error('POLICY_TYPE', many.value.at, '`one_of` must be a list', 'write `equals` for one value')
  const values = readList(many.value, 'one_of', source).map((item) => readScalar(item, 'one_of', source))
  return { kind: 'equals', values: Object.freeze(values) }
}

function readScalar(value: LocatedValue, name: string, source: Source): ScalarValue {
  if (value.kind !== 'scalar') {
    throw source.error(
      'POLICY_TYPE',
      value.at,
      `\`${name}\` accepts only strings, numbers, true, false and null`,
      'test the nested values by their own paths',
    )
  }
  const given = value.value
  if (typeof given === 'number' || typeof given === 'bigint') return exact(given, value, name, source)
  if (typeof given !== 'string') return given
  const text = readText(value, name, { maxLength: TEXT_LENGTH_MAX, allowEmpty: true }, source)
  if (isHidden(text))
    throw source.error(
      'POLICY_RULE_IDLE',
      value.at,
      `\`${shown(text)}\` is the placeholder for a redacted value`,
      'test `present` instead',
    )
  return text
}

function readPrefix(map: LocatedMap, source: Source): ArgumentTest | null {
  const found = map.members.get('prefix')
  if (found === undefined) return null
  const prefixes = readList(found.value, 'prefix', source).map((item) => {
    const prefix = readText(item, 'prefix', { maxLength: TEXT_LENGTH_MAX }, source)
    if (/^(?:[/\\~]|\.\.?[/\\])/.test(prefix)) {
      const says = `a prefix test does not protect a path: \`${shown(prefix)}\` also matches \`${shown(prefix)}/../..\``
      throw source.error('POLICY_VALUE', item.at, says, 'use `glob`, which normalises paths first')
    }
    if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/]*\/.|^file:\/./i.test(prefix)) {
      const says = `a prefix test does not protect the path of a URL: \`${shown(prefix)}\` also matches \`${shown(prefix)}/../..\``
      throw source.error('POLICY_VALUE', item.at, says, 'use `url: { origin: …, path: … }`, which parses URLs first')
    }
    return prefix
  })
  return { kind: 'prefix', prefixes: Object.freeze(prefixes) }
}

function readUrl(map: LocatedMap, source: Source): ArgumentTest | null {
  const found = map.members.get('url')
  if (found === undefined) return null
  const hint = 'write `url: { origin: https://api.example.com, path: /v1/** }`'
  const url = readMap(found.value, '`url`', ['origin', 'path'], source)
  const origins = readList(need(url, 'origin', '`url`', source, hint), 'origin', source).map((item) => {
    const text = readText(item, 'origin', { maxLength: TEXT_LENGTH_MAX }, source)
    const origin = originOfText(text)
    if (origin !== null) return origin
    const says = `\`${shown(text)}\` is not an origin (a scheme, a host and an optional port)`
    throw source.error(
      'POLICY_VALUE',
      item.at,
      says,
      'write `https://api.example.com`, without a slash, a user or a path',
    )
  })
  const path = url.members.get('path')?.value
  const paths =
    path === undefined
      ? null
      : readList(path, 'path', source).map((item) => {
          const glob = readText(item, 'path', { maxLength: PATH_LENGTH_MAX }, source)
          const problem = globProblem(glob, true)
          if (problem === null) return glob
          throw source.error('POLICY_GLOB_INVALID', item.at, `the path \`${shown(glob)}\` ${problem[0]}`, problem[1])
        })
  return { kind: 'url', origins: Object.freeze(origins), paths: paths === null ? null : Object.freeze(paths) }
}

function readGlob(map: LocatedMap, source: Source): ArgumentTest | null {
  const found = map.members.get('glob')
  const root = readRoot(map.members.get('root')?.value, source)
  const resolve = map.members.get('resolve_symlinks')
  const resolveSymlinks = resolve !== undefined && readTrue(resolve.value, 'resolve_symlinks', source)
  if (found === undefined) {
    const [name, lonely] = [...map.members].find(([key]) => key === 'root' || key === 'resolve_symlinks') ?? []
    if (lonely === undefined) return null
    throw source.error(
      'POLICY_KEY_MISSING',
      lonely.at,
      `\`${name}\` requires \`glob\``,
      "`glob: '**'` matches everything below the root",
    )
  }
  const globs = readList(found.value, 'glob', source).map((item) => {
    const glob = readText(item, 'glob', { maxLength: PATH_LENGTH_MAX }, source)
    const problem = globProblem(glob, root === null)
    if (problem === null) return glob
    throw source.error('POLICY_GLOB_INVALID', item.at, `the glob \`${shown(glob)}\` ${problem[0]}`, problem[1])
  })
  return { kind: 'glob', globs: Object.freeze(globs), root, resolveSymlinks }
}

function readRoot(value: LocatedValue | undefined, source: Source): string | null {
  if (value === undefined) return null
  const root = readText(value, 'root', { maxLength: PATH_LENGTH_MAX }, source)
  const read = readPath(root, null)
  if (read.ok && read.readings.length === 1 && fold(root) === root) return root
  const says = read.ok ? 'is not normalised' : read.why
  throw source.error(
    'POLICY_VALUE',
    value.at,
    `the root \`${shown(root)}\` ${says}`,
    'write an absolute path without `.`, `..`, `//` or a trailing slash',
  )
}

function readRange(map: LocatedMap, source: Source): ArgumentTest | null {
  const bounds: { gt?: number; gte?: number; lt?: number; lte?: number } = {}
  for (const name of ['gt', 'gte', 'lt', 'lte'] as const) {
    const found = map.members.get(name)
    if (found !== undefined) bounds[name] = readNumber(found.value, name, source)
  }
  const { gt, gte, lt, lte } = bounds
  if (Object.keys(bounds).length === 0) return null
  if ((gt !== undefined && gte !== undefined) || (lt !== undefined && lte !== undefined)) {
    throw source.error(
      'POLICY_VALUE',
      map.at,
      'the range has two lower or two upper bounds',
      'keep only one of `gt` and `gte`, and only one of `lt` and `lte`',
    )
  }
  const low = gt ?? gte ?? -Infinity
  const high = lt ?? lte ?? Infinity
  if (low > high || (low === high && (gt !== undefined || lt !== undefined))) {
    throw source.error('POLICY_RULE_IDLE', map.at, 'no number is in this range', 'swap the bounds')
  }
  return { kind: 'range', ...bounds }
}

function readPresence(map: LocatedMap, source: Source): ArgumentTest | null {
  const present = map.members.get('present')
  const absent = map.members.get('absent')
  if (absent !== undefined) {
    readTrue(absent.value, 'absent', source)
    if (map.members.size === 1) return { kind: 'absent' }
    throw source.error(
      'POLICY_RULE_IDLE',
      absent.at,
      '`absent` cannot be combined with other tests',
      'an absent argument has no value to test',
    )
  }
  if (present === undefined) return null
  readTrue(present.value, 'present', source)
  return { kind: 'present' }
}

/**
 * Rejects a test of an argument that the engine redacts before it calls the policy, because the result would always be
 * unclear.
 */
function requireVisible(
  path: string,
  segments: readonly string[],
  tests: readonly ArgumentTest[],
  at: number,
  source: Source,
): void {
  if (tests.every(({ kind }) => kind === 'present' || kind === 'absent')) return
  // A numeric count such as `max_tokens` is not redacted, nor is a short word under the name `auth`.
  const compared = tests.flatMap((test) => (test.kind === 'equals' ? test.values : []))
  const examples = compared.length > 0 ? compared : [tests.some(({ kind }) => kind === 'range') ? 1 : '']
  const hidden = segments.find((segment) => examples.every((example) => redactor.isSensitiveKey(segment, example)))
  if (hidden === undefined) return
  const says = `\`${shown(hidden)}\` in \`${shown(path)}\` is redacted before the policy sees it`
  throw source.error(
    'POLICY_ARGUMENT_REDACTED',
    at,
    says,
    'test only whether the argument exists: `present: true` or `absent: true`',
  )
}
