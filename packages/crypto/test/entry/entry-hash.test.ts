import { describe, expect, it } from 'vitest'
import { sha256Hex } from '../../src/bytes/hash.js'
import { hashEntry } from '../../src/entry/entry-hash.js'
import { scanJson } from '../../src/json/scan.js'

describe('hashEntry', () => {
  const hashOf = (line: string) => hashEntry(line, scanJson(line).members)

  it('leaves the signature out, and takes null for the hash', () => {
    const expected = sha256Hex('{"a":1,"entry_hash":null,"z":2}')
    expect(hashOf('{"a":1,"entry_hash":"x","z":2}')).toBe(expected)
    expect(hashOf('{"a":1,"entry_hash":"x","entry_signature":"y","z":2}')).toBe(expected)
    expect(hashOf('{"a":1,"entry_hash":{"deep":[1]},"entry_signature":[],"z":2}')).toBe(expected)
    expect(hashOf('{"entry_hash":"x","entry_signature":"y"}')).toBe(sha256Hex('{"entry_hash":null}'))
  })

  it('binds every other byte, numbers that fit no double included', () => {
    const [a, b] = ['13.000000000000000000001', '13.000000000000000000002'].map((n) =>
      hashOf(`{"entry_hash":"x","n":${n}}`),
    )
    expect(a).not.toBe(b)
  })

  it('has nothing to say about a line without entry_hash', () => {
    expect(hashOf('{"a":1}')).toBeNull()
    expect(hashOf('[1]')).toBeNull()
  })

  it('is not led astray by a text that looks like the member', () => {
    const line = '{"a":"\\"entry_hash\\":\\"x\\"","entry_hash":"x"}'
    expect(hashOf(line)).toBe(sha256Hex('{"a":"\\"entry_hash\\":\\"x\\"","entry_hash":null}'))
  })
})
