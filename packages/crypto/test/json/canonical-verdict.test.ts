import { describe, expect, test } from 'vitest'
import { CanonicalVerdict, jsonInvalid } from '../../src/json/canonical-verdict.js'

describe('CanonicalVerdict', () => {
  test('fits both profiles until something is noted', () => {
    const verdict = new CanonicalVerdict()
    expect(verdict.profile).toBe('rfc8785')
    expect(verdict.reason).toBeNull()
  })

  test('a flaw fits neither; the first is the reason', () => {
    const verdict = new CanonicalVerdict()
    verdict.flaw('white space', 3)
    verdict.flaw('key out of order', 9)
    verdict.notPython('number with an exponent', 12)
    expect(verdict.profile).toBeNull()
    expect(verdict.reason).toBe('white space at offset 3')
  })

  test('one profile can be left', () => {
    const verdict = new CanonicalVerdict()
    verdict.notRfc8785('x', 1)
    verdict.notRfc8785('y', 2)
    expect(verdict.profile).toBe('python')
    expect(verdict.reason).toBeNull()
    const other = new CanonicalVerdict()
    other.notPython('x', 1)
    expect(other.profile).toBe('rfc8785')
  })

  test('when the last profile goes, both sides of the contradiction are told', () => {
    const verdict = new CanonicalVerdict()
    verdict.notPython('x', 1)
    verdict.notRfc8785('y', 2)
    expect(verdict.profile).toBeNull()
    expect(verdict.reason).toBe('y at offset 2, after text that only RFC 8785 allows')
    const other = new CanonicalVerdict()
    other.notRfc8785('x', 1)
    other.notPython('y', 2)
    expect(other.reason).toBe('y at offset 2, after text that only the python profile allows')
  })
})

test('jsonInvalid is a JSON_INVALID with an offset', () => {
  expect(jsonInvalid('expected a key', 4)).toMatchObject({
    code: 'JSON_INVALID',
    message: 'expected a key at offset 4',
  })
})
