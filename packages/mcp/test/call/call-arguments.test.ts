import { describe, expect, it } from 'vitest'
import { forwardedArguments, readCallArguments } from '../../src/call/call-arguments.js'
import { parseExact, stringifyExact } from '../../src/wire/exact-json.js'

const read = (text: string) => readCallArguments(parseExact(text, 64) as object)

describe('a number in arguments', () => {
  it.each<[string, number | bigint]>([
    ['1.0', 1],
    ['1e2', 100],
    ['-0', -0],
    ['0.10', 0.1],
    ['5e-324', 5e-324],
    ['0e999999999', 0],
    ['1E+5', 100_000],
    ['9007199254740991', 9007199254740991],
    ['9007199254740993', 9007199254740993n],
    ['-725653563933458432', -725653563933458432n],
    ['12345678901234567890123', 12345678901234567890123n],
    ['1e22', 10n ** 22n],
    ['1e23', 10n ** 23n],
    ['1.5e300', 15n * 10n ** 299n],
    ['1234567890123456800.0', 1234567890123456800n],
  ])('%s is let through as it was written', (number, value) => {
    const args = read(`{"n":[${number}]}`)
    expect(args.refusal).toBe(null)
    expect(args.values).toEqual({ n: [value] })
    expect(Object.is((args.values.n as unknown[])[0], value)).toBe(true)
    expect(stringifyExact(forwardedArguments(args, args.values))).toBe(`{"n":[${number}]}`)
  })

  it.each([
    '1e400',
    '-1e400',
    '1e-400',
    '0.1000000000000000055',
    '9007199254740993.0',
    '9007199254740993e0',
    '1.00000000000000000001',
    '4.9e-324',
    '123456789012345678.5',
    '1e999999999999999999999',
  ])('%s is refused', (number) => {
    expect(read(`{"deep":{"n":[${number}]}}`).refusal).toContain('`arguments.deep.n[0]`')
  })
})

describe('two names that servers may take for one', () => {
  it.each([
    '{"path":"a","Path":"b"}',
    '{"a":[{"x":1,"X":2}]}',
    '{"k":1,"\u212a":2}',
    '{"path":1,"\uff50\uff41th":2}',
    '{"stra\u00dfe":1,"STRASSE":2}',
    '{"\ufb01le":1,"FILE":2}',
    '{"caf\u00e9":1,"cafe\u0301":2}',
  ])('%s is refused', (text) => {
    expect(read(text).refusal).toContain('duplicate')
  })

  it('in different objects are two', () => {
    expect(read('{"path":{"PATH":1},"paths":[{"Path":1}]}').refusal).toBe(null)
  })
})

describe('what is forwarded', () => {
  it('is what was decided on, where that is something else', () => {
    const args = read('{"a":1.0,"id":9007199254740993}')
    expect(stringifyExact(forwardedArguments(args, { a: 2, id: 9007199254740993n }))).toBe(
      '{"a":2,"id":9007199254740993}',
    )
    // A different integer that rounds to the same double.
    expect(stringifyExact(forwardedArguments(args, { a: 1, id: 9007199254740992n }))).toContain('9007199254740992')
  })

  it('is told apart by its text, not by its doubles; the order of keys does not matter', () => {
    expect(read('{"n":9007199254740993}').key).not.toBe(read('{"n":9007199254740992}').key)
    expect(read('{"n":1.0}').key).not.toBe(read('{"n":1}').key)
    expect(read('{"a":1,"b":2}').key).toBe(read('{"b":2,"a":1}').key)
  })

  it('has a member of any name', () => {
    const args = read('{"__proto__":{"a":1.0},"constructor":2}')
    expect(stringifyExact(forwardedArguments(args, args.values))).toBe('{"__proto__":{"a":1.0},"constructor":2}')
  })
})

it('more values than the engine takes are its to refuse', () => {
  expect(read(`{"a":[${'1.0,'.repeat(20_000)}1.0]}`).refusal).toBe(null)
})
