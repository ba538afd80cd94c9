// Tests nulls of optional arguments, which some clients send for all arguments that the model left out.
import { describe, expect, it } from 'vitest'
import { omitNulls } from '../../src/call/null-arguments.js'
import { parseExact, stringifyExact } from '../../src/wire/exact-json.js'
import { Rig, type RigOptions, textOf } from '../support/rig.js'

const of = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more })

describe('a null of an optional argument', () => {
  it.each<[string, unknown]>([
    ['a type', of({ a: { type: 'string' } })],
    ['types', of({ a: { type: ['string', 'number'] } })],
    ['a list of values', of({ a: { enum: ['x', 'y'] } })],
    ['a constant', of({ a: { const: 1 } })],
    ['a choice', of({ a: { anyOf: [{ type: 'string' }, { type: 'number' }] } })],
    ['a reference', of({ a: { $ref: '#/$defs/text' } }, { $defs: { text: { type: 'string' } } })],
    ['a schema that nothing fits', of({ a: false })],
    ['a type, beside a required argument', of({ a: { type: 'string' }, b: {} }, { required: ['b'] })],
  ])('is dropped where the schema has %s', (_, schema) => {
    expect(omitNulls(schema, { a: null, b: 1 })).toEqual({ b: 1 })
  })

  it.each<[string, unknown]>([
    ['null', of({ a: { type: 'null' } })],
    ['null among the types', of({ a: { type: ['string', 'null'] } })],
    ['null among the values', of({ a: { enum: ['x', null] } })],
    ['null as a choice', of({ a: { anyOf: [{ type: 'string' }, { type: 'null' }] } })],
    ['no type', of({ a: { description: 'anything' } })],
    ['everything', of({ a: true })],
    ['it as required', of({ a: { type: 'string' } }, { required: ['a'] })],
    ['no such argument', of({ b: { type: 'string' } })],
    ['no properties', { type: 'object' }],
    ['a reference to another document', of({ a: { $ref: 'https://example.com/schema' } })],
    ['a keyword that is not understood', of({ a: { $dynamicRef: '#x' } })],
    ['nonsense', 'no schema'],
    ['nonsense as required', of({ a: { type: 'string' } }, { required: 'a' })],
    ['nothing', undefined],
  ])('stays where the schema allows or has %s', (_, schema) => {
    const given = { a: null, b: 1 }
    expect(omitNulls(schema, given)).toBe(given)
  })

  it('is looked for in the arguments only: other values, and members of them, stay as they are written', () => {
    const given = parseExact('{"__proto__":null,"a":null,"b":{"a":null},"n":1.0,"z":0}', 10) as object
    const schema = of(JSON.parse('{"__proto__":{"type":"string"},"a":{"type":"string"},"b":{"type":"object"}}'))
    expect(stringifyExact(omitNulls(schema, given))).toBe('{"b":{"a":null},"n":1.0,"z":0}')
  })
})

describe('the guard', () => {
  const open = async (options: RigOptions): Promise<Rig> => {
    const rig = await Rig.open(options)
    rig.tools = [{ name: 'read', inputSchema: of({ path: { type: 'string' }, limit: { type: 'number' } }) }]
    return rig
  }

  it('drops it before the policy, the record and the server, if the option is set', async () => {
    const rig = await open({ omitNullArguments: true })
    expect(textOf(await rig.callTool('read', { path: 'a', limit: null }))).toBe('ran read')
    expect(rig.served('tools/call')[0].params.arguments).toEqual({ path: 'a' })
    expect((await rig.first('decision')).parameters).toEqual({ args: [], kwargs: { path: 'a' } })
  })

  it('changes nothing without the option, which must be true or false', async () => {
    const rig = await open({})
    await rig.callTool('read', { path: 'a', limit: null })
    expect(rig.served('tools/call')[0].params.arguments).toEqual({ path: 'a', limit: null })
    expect((await rig.first('decision')).parameters.kwargs).toEqual({ path: 'a', limit: null })
    expect(() => new Rig({ omitNullArguments: 'yes' as never })).toThrow('`omitNullArguments` must be true or false')
  })
})
