// Compares one rule with one call: the server, the tool, then the arguments.
import type { JsonValue } from '@sudoagent/crypto/json'
import { matchesText } from '@sudoagent/crypto/text'
import { type Found, findArguments, isHidden } from './argument.js'
import type { Call } from './call.js'
import type { ArgumentMatcher, ArgumentTest, PolicyRule } from './document.js'
import { compileOnlyNamed } from './only-named.js'
import { compilePathTest, type RealPath } from './path-test.js'
import { agree, every, fails, HOLDS, unclear, type Verdict } from './truth.js'
import { compileUrlTest } from './url-test.js'

/** Compiles a rule once, so that each call only needs the comparisons. */
export function compileRule(rule: PolicyRule): (call: Call, realPath: RealPath | null) => Verdict {
  const fitsServer = compileNames(rule.servers)
  const fitsTool = compileNames(rule.tools)
  const matchers = rule.args.map(compileMatcher)
  const hasOnlyNamed = rule.argsOnly ? compileOnlyNamed(rule.args.map(({ segments }) => segments)) : () => true
  const only = ({ positional, kwargs }: Call): Verdict => {
    if (positional && rule.argsOnly) return unclear('the arguments have no names')
    return hasOnlyNamed(kwargs) ? HOLDS : fails('the call has an argument that the rule does not name')
  }
  return (call, realPath) =>
    every([
      () => (call.server === null ? noServer(rule) : named('server', call.server, fitsServer)),
      () => named('tool', call.tool, fitsTool),
      ...matchers.map((matcher) => () => matcher(call, realPath)),
      () => only(call),
    ])
}

/** A rule without `server` also matches calls without a server. */
function noServer({ servers }: PolicyRule): Verdict {
  return servers === null ? HOLDS : fails('the call names no server')
}

function named(what: string, name: string, fits: (name: string) => boolean): Verdict {
  return fits(name) ? HOLDS : fails(`the ${what} is \`${name}\``)
}

function compileNames(patterns: readonly string[] | null): (name: string) => boolean {
  if (patterns === null) return () => true
  const compiled = patterns.map((pattern) => [...pattern])
  return (name) => compiled.some((pattern) => matchesText(pattern, name))
}

type Check<T> = (value: T, realPath: RealPath | null) => Verdict

function compileMatcher({ path, segments, tests }: ArgumentMatcher): Check<Call> {
  const compiled = tests.map(compileTest)
  return ({ positional, kwargs }, realPath) => {
    // Positional arguments have no names, so an argument that seems to be absent may be present.
    if (positional) return unclear('the arguments have no names')
    const found = findArguments(kwargs, segments)
    const verdict = every(
      compiled.map(
        (test) => () =>
          agree(
            found.map((one) => test(one, realPath)),
            'gives different results for its elements',
          ),
      ),
    )
    return verdict.because === null ? verdict : { ...verdict, because: `\`${path}\` ${verdict.because}` }
  }
}

function compileTest(test: ArgumentTest): Check<Found> {
  if (test.kind === 'present' || test.kind === 'absent') {
    return (found) => {
      if (found.kind === 'unclear') return unclear(found.why)
      const holds = (found.kind === 'value') === (test.kind === 'present')
      return holds ? HOLDS : fails(found.kind === 'value' ? 'is present' : 'is absent')
    }
  }
  const check = compileValueTest(test)
  return (found, realPath) => {
    if (found.kind === 'unclear') return unclear(found.why)
    if (found.kind === 'absent') return fails('is absent')
    return isHidden(found.value) ? unclear('was redacted') : check(found.value, realPath)
  }
}

type ValueTest = Exclude<ArgumentTest, { kind: 'present' | 'absent' }>

/** Values are not converted: a string of digits is a string. */
function compileValueTest(test: ValueTest): Check<JsonValue> {
  switch (test.kind) {
    case 'equals': {
      const kinds = new Set(test.values.map(kindOf))
      return (value) => {
        if (test.values.some((wanted) => wanted === value)) return HOLDS
        if (kinds.has(kindOf(value)))
          return fails(test.values.length === 1 ? 'has a different value' : 'is not one of the values')
        return otherType(value, [...kinds].join(' or '))
      }
    }
    case 'prefix':
      return (value) => {
        if (typeof value !== 'string') return otherType(value, 'a string')
        return test.prefixes.some((prefix) => value.startsWith(prefix)) ? HOLDS : fails('has a different prefix')
      }
    case 'range': {
      const { gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity } = test
      return (value) => {
        if (typeof value !== 'number' || !Number.isFinite(value)) return otherType(value, 'a number')
        return value > gt && value >= gte && value < lt && value <= lte ? HOLDS : fails('is out of range')
      }
    }
    case 'glob': {
      const fits = compilePathTest(test)
      return (value, realPath) => (typeof value === 'string' ? fits(value, realPath) : otherType(value, 'a string'))
    }
    case 'url': {
      const fits = compileUrlTest(test)
      return (value) => (typeof value === 'string' ? fits(value) : otherType(value, 'a string'))
    }
  }
}

const otherType = (value: JsonValue, wanted: string): Verdict => unclear(`is ${kindOf(value)}, not ${wanted}`)

function kindOf(value: JsonValue): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  return KINDS[typeof value as keyof typeof KINDS]
}

const KINDS = { string: 'a string', number: 'a number', boolean: 'true or false' } as const
