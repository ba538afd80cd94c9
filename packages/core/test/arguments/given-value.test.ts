import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { givenValue } from '../../src/arguments/given-value.js'
import { takeSnapshot } from '../../src/arguments/snapshot.js'

const NFD = 'e\u0301'

/** Whether the names of an object are still different in NFC, as a snapshot requires. */
const hasUniqueNames = (object: object): boolean => {
  const names = Object.keys(object)
  return new Set(names.map((name) => name.normalize('NFC'))).size === names.length
}

describe('the value as given', () => {
  it('has the texts and names that the caller passed, at every depth', () => {
    const args = [NFD, { [NFD]: NFD, a: [[NFD, 1], { b: { [`x${NFD}`]: null } }] }, true, '']
    const { values } = takeSnapshot(args, 'normalize')
    expect(values[0]).toBe('\u00e9')
    expect(givenValue(values)).toEqual(args)
  })

  it('keeps a member `__proto__`', () => {
    const given = JSON.parse(`{"__proto__":{"${NFD}":"${NFD}"}}`)
    const { values } = takeSnapshot([given], 'normalize')
    expect(JSON.stringify(givenValue(values))).toBe(JSON.stringify([given]))
  })

  it('is the argument itself, for any JSON value', () => {
    const text = fc.oneof(fc.string(), fc.constantFrom('', NFD, '\u00e9', '\u212a', '\u1e9b\u0323'))
    const { json } = fc.letrec((tie) => ({
      json: fc.oneof(
        { maxDepth: 4 },
        text,
        fc.integer(),
        fc.constantFrom(null, true, 1.5),
        fc.array(tie('json'), { maxLength: 3 }),
        fc.dictionary(text, tie('json'), { maxKeys: 3 }).filter(hasUniqueNames),
      ),
    }))
    fc.assert(
      fc.property(fc.array(json, { maxLength: 3 }), (args) => {
        expect(JSON.stringify(givenValue(takeSnapshot(args, 'normalize').values))).toBe(JSON.stringify(args))
      }),
    )
  })
})
