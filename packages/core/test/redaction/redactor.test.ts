import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { takeSnapshot } from '../../src/arguments/snapshot.js'
import { createRedactor } from '../../src/redaction/redactor.js'

const redactor = createRedactor()

describe('text', () => {
  it('applies every kind of rule to one text', () => {
    expect(
      redactor.text('curl -H "Authorization: Bearer abc" https://u:p@h/?token=x -d ghp_abc123 # by the author'),
    ).toBe('curl -H "Authorization: [redacted]" https://u:[redacted]@h/?token=[redacted] -d [redacted] # by the author')
  })

  it('normalises before it looks, and leaves only text that UTF-8 can write', () => {
    expect(redactor.text('cafe\u0301')).toBe('caf\u00e9')
    // U+212A KELVIN SIGN normalises to K.
    expect(redactor.text('A\u212aIAIOSFODNN7EXAMPLE')).toBe('[redacted]')
    expect(redactor.text('a\ud800b')).toBe('a\ufffdb')
  })

  it('is idempotent, also on texts built from halves of rules', () => {
    const pieces = [
      ...[
        'password',
        'token',
        '"',
        "'",
        '\\',
        '=',
        ':',
        ' ',
        '{',
        '}',
        '[',
        ']',
        ',',
        ';',
        '&',
        '--',
        '://',
        '@',
        '.',
        '-',
        '\n',
      ],
      ...[
        'sk-',
        'ghp_',
        'eyJ',
        'abc123',
        'Bearer ',
        'Basic ',
        '-----BEGIN A',
        '-----END A-----',
        '[redacted]',
        'npm_',
        'AKIA',
        '%3D',
      ],
      ...['Authorization', 'Cookie', 'a', 'https', 'e', '\u0301', '\ud83d\ude00'],
    ]
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 24 }), (parts) => {
        const once = redactor.text(parts.join(''))
        expect(redactor.text(once)).toBe(once)
      }),
      { numRuns: 3_000 },
    )
  })

  it('replaces all of a text that never settles', () => {
    const text = 'a://b:c/'.repeat(1_000)
    expect(redactor.text(`${text}@`)).toBe('[redacted]')
  })

  it('leaves ordinary prose alone', () => {
    const prose =
      'The author thanked her secretary; the bearer of news (Bob, risk-adjusted) met the task-force: 3 sessions, no passport. ' +
      'Basic Economy, 2 bags = $50. See https://example.com/a?b=c#d or mail a@b.com; sk-learn v0.24, max_tokens=100.'
    expect(redactor.text(prose)).toBe(prose)
  })
})

describe('json', () => {
  it('is idempotent, but for texts that begin like a tag', () => {
    const value = {
      ...{
        password: 1,
        note: 'token=abc',
        big: 2n ** 70n,
        at: new Date(0),
      },
      ...{ list: ['--token', 'x'], url: new URL('https://u:p@h/') },
    }
    const once = redactor.json(takeSnapshot([value]).values[0])
    expect(redactor.json(takeSnapshot([once]).values[0])).toEqual(once)
  })

  it('keeps data without secrets as it is', () => {
    const key = fc.constantFrom('amount', 'user_id', 'author', 'items', 'cabin', 'note')
    const leaf = fc.oneof(
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.constantFrom('economy', 'Basic Economy', 'JFK', ''),
    )
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('tree')), fc.dictionary(key, tie('tree'))),
    }))
    fc.assert(
      fc.property(tree, (value) => {
        expect(redactor.json(takeSnapshot([value]).values[0])).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})

describe('options', () => {
  it('add names', () => {
    const { json, isSensitiveKey, text } = createRedactor({ keys: ['iban'] })
    expect(isSensitiveKey('customerIban')).toBe(true)
    expect(json(takeSnapshot([{ IBAN: 'DE02', token: 'x' }]).values[0])).toEqual({
      IBAN: '[redacted]',
      token: '[redacted]',
    })
    expect(text('iban=DE02')).toBe('iban=[redacted]')
  })

  it('add shapes, whatever their flags and state', () => {
    const rule = /cust-\d+/y
    rule.lastIndex = 3
    const { text } = createRedactor({ values: [rule, /SECRET/i] })
    expect(text('cust-1, cust-22 and a secret: sk-test-123')).toBe(
      '[redacted], [redacted] and a [redacted]: [redacted]',
    )
    expect(rule.lastIndex).toBe(3)
  })

  it('stay idempotent with rules that match nothing, or their own traces', () => {
    for (const rule of [/x*/, /redacted/, /[[\]]/, /(?:)/, /e/, /^/]) {
      const { text } = createRedactor({ values: [rule] })
      const once = text('see token=abc, ghp_abc123 [x]')
      expect(text(once)).toBe(once)
      expect(once).not.toContain('abc')
    }
  })

  it('replace nothing by matching nothing', () => {
    expect(createRedactor({ values: [/x*/] }).text('axb')).toBe('a[redacted]b')
  })

  it('are checked', () => {
    expect(() => createRedactor({ key: ['iban'] } as object)).toThrow(/`keys`/)
    expect(() => createRedactor({ values: ['x' as unknown as RegExp] })).toThrow(TypeError)
    expect(() => createRedactor({ keys: [''] })).toThrow(TypeError)
  })
})

it('is frozen', () => {
  expect(Object.isFrozen(redactor)).toBe(true)
})
