import fc from 'fast-check'

/**
 * Any whole character, those that matter often: by escape, by composition, by plane. fast-check's own `binary` unit is
 * the same set, but takes a second to set up in every test file.
 */
export const anyChar: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...'ab"\\/\n\u0000\u001f\u007f\u00e9\u0301\ufb01\u{1d4b3}'),
  fc.integer({ min: 0, max: 0x2ff }).map(toChar),
  fc.integer({ min: 0x300, max: 0x10ffff }).map(toChar),
)

function toChar(codePoint: number): string {
  return codePoint >= 0xd800 && codePoint <= 0xdfff ? '\ufffd' : String.fromCodePoint(codePoint)
}

/** Text of whole characters. */
export const anyText: fc.Arbitrary<string> = fc.string({ unit: anyChar })

/** JSON values with short such texts for strings and keys, and -0 among the numbers. */
const shortText = fc.string({ unit: anyChar, maxLength: 5 })
const number = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer())
export const { json: anyJson } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.oneof(shortText, number, fc.constantFrom(null, true, false)),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(shortText, tie('json'), { maxKeys: 4 }),
  ),
}))

/** Numbers as the python profile writes them, most of which no double holds. */
export const pythonNumber: fc.Arbitrary<string> = fc
  .tuple(fc.boolean(), fc.bigInt({ min: 1n, max: 10n ** 40n }), fc.nat({ max: 12 }))
  .map(([negative, digits, scale]) => {
    const padded = digits.toString().padStart(scale + 1, '0')
    const fraction = padded.slice(padded.length - scale).replace(/0+$/, '')
    const whole = padded.slice(0, padded.length - scale)
    return `${negative ? '-' : ''}${scale > 0 && fraction !== '' ? `${whole}.${fraction}` : whole}`
  })

const token = fc.constantFrom(
  ...Array.from('{}[],:"\\- \n\u00a0\ufeff\u0000'),
  ...'{"a": "a" "b" "\\u0061" "\\ud800" "\\ud83d\\ude02" "\ud83d\\ude02" "" 1 -0 1.0 1e5 01 true null nul'.split(' '),
)

/** Tokens of JSON in any order: seldom JSON. */
const tokenSoup = fc.array(token, { maxLength: 12 }).map((tokens) => tokens.join(''))

/** JSON, often indented, with up to two places changed. */
const changedJson = fc
  .tuple(
    anyJson,
    fc.constantFrom(undefined, 1, '\t'),
    fc.array(fc.tuple(fc.nat({ max: 500 }), fc.nat({ max: 2 }), fc.oneof(token, fc.constant(''))), { maxLength: 2 }),
  )
  .map(([value, indent, changes]) => {
    let text = JSON.stringify(value, null, indent)
    for (const [at, remove, insert] of changes) text = replaceAt(text, at, remove, insert)
    return text
  })

/** Objects of few keys, in several spellings, that often repeat. */
const repeatedKeys = fc
  .array(
    fc.tuple(
      fc.constantFrom('"a"', '"\\u0061"', '"b"', '"\\n"', '"\\u000a"', '"\ufb01"', '"\u{1d4b3}"'),
      fc.constantFrom('1', '{"a":1}', '[]'),
    ),
    { maxLength: 5 },
  )
  .map((members) => `{${members.map(([key, value]) => `${key}:${value}`).join(',')}}`)

/** Text that is JSON, or nearly. */
export const nearlyJson: fc.Arbitrary<string> = fc.oneof(tokenSoup, changedJson, repeatedKeys)

/** A text with `remove` characters at a place (counted around its end) replaced. */
export function replaceAt(text: string, at: number, remove: number, insert: string): string {
  const i = at % (text.length + 1)
  return text.slice(0, i) + insert + text.slice(i + remove)
}
