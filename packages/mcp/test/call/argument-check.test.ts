// Tests that the guard checks arguments against a tool's accepted schema, and never changes them.
import { describe, expect, it } from 'vitest'
import { ARGUMENT_CHECKS, checkArguments } from '../../src/call/argument-check.js'
import { type Json, Rig, TOOLS, textOf } from '../support/rig.js'

const PAY = { type: 'object', properties: { amount: { type: 'number' }, to: { type: 'string' } }, required: ['amount'] }

describe('names', () => {
  const check = (schema: unknown, args: object): string | null => checkArguments(schema, args, 'names')

  it.each<[string, unknown, object]>([
    ['an argument beside the listed ones', PAY, { amount: 10, amount_override: 99_999 }],
    ['also where the schema forbids more', { ...PAY, additionalProperties: false }, { amount: 10, force: true }],
    ['a name in another case', PAY, { Amount: 10 }],
    ['a name of every object', PAY, JSON.parse('{"__proto__":{"a":1}}')],
    ['another one', PAY, { constructor: 1 }],
    ['where nothing is listed', { properties: {} }, { a: 1 }],
    ['in an object inside', { properties: { pay: PAY } }, { pay: { amount: 1, override: 2 } }],
    ['in a list', { properties: { all: { items: PAY } } }, { all: [{ amount: 1 }, { amount: 1, x: 2 }] }],
    [
      'behind a reference',
      { properties: { pay: { $ref: '#/$defs/pay' } }, $defs: { pay: PAY } },
      { pay: { amount: 1, override: 2 } },
    ],
    ['of a combination', { allOf: [PAY, { properties: { note: {} } }] }, { amount: 1, x: 1 }],
    ['of a schema with a reference out of it', { properties: { a: { $ref: 'https://x/y' } } }, { b: 1 }],
    ['of a schema without end', { properties: { a: {} }, allOf: [{ $ref: '#' }] }, { b: 1 }],
  ])('refuses %s', (_, schema, args) => {
    expect(check(schema, args)).toMatch(/^`.+` is not an argument of the tool$/)
  })

  it.each<[string, unknown, object]>([
    ['the listed ones, of whatever type', PAY, { amount: 'ten', to: null }],
    ['nothing', PAY, {}],
    ['whatever more the schema names', { ...PAY, additionalProperties: true }, { x: 1 }],
    ['more, by a schema of its own', { ...PAY, additionalProperties: { type: 'string' } }, { x: 1 }],
    ['more, by pattern', { ...PAY, patternProperties: { '^x-': {} } }, { 'x-a': 1 }],
    ['all where names are not listed', { type: 'object' }, { x: 1 }],
    ['all where there is no schema', undefined, { x: 1 }],
    ['all where the schema is nonsense', 'no schema', { x: 1 }],
    ['names of a combination', { anyOf: [PAY, { properties: { note: {} } }] }, { note: 1 }],
    ['a map inside', { properties: { env: { type: 'object' } } }, { env: { A: '1' } }],
    ['what lies behind a reference out of it', { properties: { a: { $ref: 'https://x/y' } } }, { a: { b: 1 } }],
  ])('lets %s pass', (_, schema, args) => {
    expect(check(schema, args)).toBeNull()
  })
})

describe('schema', () => {
  const check = (schema: unknown, args: object): string | null => checkArguments(schema, args, 'schema')
  const of = (a: unknown): object => ({ properties: { a } })

  it.each<[string, unknown, unknown]>([
    ['type', { type: 'string' }, 1],
    ['type', { type: ['string', 'integer'] }, 1.5],
    ['enum', { enum: ['x', 1] }, 'y'],
    ['const', { const: { b: 1 } }, { b: 2 }],
    ['minimum', { minimum: 1 }, 0],
    ['maximum', { maximum: 10 }, 99_999],
    ['exclusiveMinimum', { exclusiveMinimum: 1 }, 1],
    ['exclusiveMaximum', { exclusiveMaximum: 1 }, 1],
    ['maximum', { maximum: 10 }, 12_345_678_901_234_567_890n],
    ['multipleOf', { multipleOf: 5 }, 7],
    ['minLength', { minLength: 2 }, '\u{1f600}'],
    ['maxLength', { maxLength: 1 }, 'ab'],
    ['maxItems', { maxItems: 1 }, [1, 2]],
    ['uniqueItems', { uniqueItems: true }, [{ a: 1 }, { a: 1 }]],
    ['contains', { contains: { type: 'string' } }, [1]],
    ['minProperties', { minProperties: 1 }, {}],
    ['false', false, 1],
    ['not', { not: { type: 'string' } }, 'a'],
    ['anyOf', { anyOf: [{ type: 'string' }, { type: 'null' }] }, 1],
    ['oneOf', { oneOf: [{ type: 'number' }, { type: 'integer' }] }, 1],
    ['type', { allOf: [{ type: 'string' }, { maxLength: 1 }] }, 1],
    ['const', JSON.parse('{"if":{"type":"string"},"then":{"const":"x"}}'), 'y'],
    ['const', { if: { type: 'string' }, else: { const: 1 } }, 2],
    ['type', { items: { type: 'string' } }, ['a', 1]],
    ['type', { prefixItems: [{ type: 'string' }] }, [1]],
    ['false', { prefixItems: [{}], items: false }, [1, 2]],
    ['required', { required: ['b'] }, {}],
    ['type', { additionalProperties: { type: 'string' } }, { b: 1 }],
    ['false', { type: 'object', additionalProperties: false }, { b: 1 }],
  ])('refuses by %s', (keyword, schema, value) => {
    expect(check(of(schema), { a: value })).toMatch(
      new RegExp(`^\`arguments\\.a.*\` does not match the tool schema: ${keyword}$`),
    )
  })

  it.each<[string, object, object]>([
    ['a null for an optional argument', of({ type: 'string' }), { a: null }],
    ['a pattern that is not met: none is run', of({ pattern: '^(a+)+$' }), { a: `${'a'.repeat(50)}!` }],
    ['a format', of({ format: 'email' }), { a: 'x' }],
    ['whole numbers of any size', of({ type: 'integer' }), { a: 12_345_678_901_234_567_890n }],
    ['exactly one of two', of({ oneOf: [{ type: 'string' }, { type: 'integer' }] }), { a: 1 }],
    ['a tree', { properties: { a: { $ref: '#' }, v: { type: 'integer' } } }, { v: 1, a: { v: 2, a: { v: 3 } } }],
  ])('lets %s pass', (_, schema, args) => {
    expect(check(schema, args)).toBeNull()
  })

  it('a null for a needed argument is checked', () => {
    expect(check(PAY, { amount: null })).toMatch(/type$/)
  })

  it.each<[string, object]>([
    ['a reference out of it', { $ref: 'https://evil.example/schema' }],
    ['a file', { $ref: 'file:///etc/passwd' }],
    ['a reference to nothing', { $ref: '#/$defs/none' }],
    ['a reference to itself', { $ref: '#/properties/a' }],
    ['a type of its own', { type: 'text' }],
    ['what is not understood', { unevaluatedProperties: false }],
    ['a list that is none', { anyOf: 'x' }],
  ])('that has %s counts as names', (_, schema) => {
    expect(check(of(schema), { a: 'x' })).toBeNull()
    expect(check(of(schema), { a: 'x', b: 1 })).toContain('is not an argument')
  })

  it('work is bounded, and arguments that take more are refused', () => {
    const levels = Array.from({ length: 15 }, (_, n) => [
      `d${n}`,
      { allOf: Array(2).fill({ $ref: `#/$defs/d${n + 1}` }) },
    ])
    const schema = { $ref: '#/$defs/d0', $defs: { ...Object.fromEntries(levels), d15: { properties: { a: {} } } } }
    for (const how of ['names', 'schema'] as const)
      expect(checkArguments(schema, { a: 1 }, how)).toBe(
        'the arguments are too complex to check against the tool schema',
      )
  })

  it.each<[string, unknown]>([
    ['in a combination', { properties: { a: {} }, allOf: [{ $ref: '#' }, { $ref: '#' }] }],
    ['in its own negation', { properties: { a: {} }, anyOf: [{ not: { $ref: '#' } }, { not: { $ref: '#' } }] }],
  ])('a schema that contains itself %s counts as names', (_, schema) => {
    expect(check(schema as object, { a: 1 })).toBeNull()
    expect(check(schema as object, { b: 1 })).toContain('is not an argument')
  })

  it('large arguments do not end a check', () => {
    const args = { a: Array.from({ length: 60_000 }, () => 1), z: 'not a number' }
    const schema = { properties: { a: { items: { type: 'integer' } }, z: { type: 'number' } } }
    expect(check(schema, args)).toMatch(/arguments\.z/)
  })
})

it('off lets all pass', () => {
  expect(ARGUMENT_CHECKS).toEqual(['names', 'schema', 'off'])
  expect(checkArguments({ ...PAY, additionalProperties: false }, { x: 1 }, 'off')).toBeNull()
})

describe('through the guard', () => {
  const codeOf = (result: Json): string => result._meta['dev.sudoagent/denial'].code
  const policy = { policyId: 'all', evaluate: () => ({ decision: 'allow', reason: 'all' }) as const }
  const open = async (options: object = {}): Promise<Rig> => {
    const rig = await Rig.open({ policy, ...options })
    rig.tools = [...TOOLS, { name: 'pay', inputSchema: PAY }]
    return rig
  }

  it('an argument that rides along is refused on record, and nothing runs', async () => {
    const rig = await open()
    const result = await rig.callTool('pay', { amount: 10, amount_override: 99_999, recipient: 'mallory', force: true })
    expect(codeOf(result)).toBe('PARAMETERS_INVALID')
    expect(textOf(result)).toContain('`amount_override` is not an argument of the tool')
    expect(rig.served('tools/call')).toEqual([])
    const { decision, parameters } = await rig.entry(2)
    expect(decision).toMatchObject({ effect: 'deny', reason_code: 'PARAMETERS_INVALID' })
    expect(parameters.kwargs).toMatchObject({ amount_override: 99_999 })
  })

  it('what passes is forwarded and recorded as it came, a null included', async () => {
    const rig = await open({ checkArguments: 'schema' })
    expect(textOf(await rig.callTool('pay', { amount: 10, to: null }))).toBe('ran pay')
    expect(rig.served('tools/call')[0].params.arguments).toEqual({ amount: 10, to: null })
    expect((await rig.entry(2)).parameters.kwargs).toEqual({ amount: 10, to: null })
    expect(codeOf(await rig.callTool('pay', { amount: '10' }))).toBe('PARAMETERS_INVALID')
  })

  it('an option switches it off, and knows three words', async () => {
    const rig = await open({ checkArguments: 'off' })
    expect(textOf(await rig.callTool('pay', { amount: 10, force: true }))).toBe('ran pay')
    expect(() => new Rig({ checkArguments: 'some' as never })).toThrow(TypeError)
  })
})
