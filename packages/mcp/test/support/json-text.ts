// Generates JSON texts of any shape, with numbers in every format that JSON allows.
import fc from 'fast-check'

export const numberText = fc.oneof(
  fc.constantFrom('0', '-0', '-0.0', '1.0', '1e2', '1E+2', '100e-2', '9007199254740993', '-9007199254740993', '1e400'),
  fc.bigInt(-(2n ** 80n), 2n ** 80n).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc
    .tuple(fc.boolean(), fc.nat(999), fc.stringMatching(/^[0-9]{1,24}$/), fc.integer({ min: -20, max: 20 }))
    .map(([minus, whole, fraction, power]) => `${minus ? '-' : ''}${whole}.${fraction}e${power}`),
)

/** Only characters that JSON never escapes, so that each string has exactly one JSON form. */
const word = fc.stringMatching(/^[a-z0-9.]{0,8}$/)
const space = fc.constantFrom('', '', '', ' ', '\n\t')

export const { value: jsonText } = fc.letrec<{ value: string; list: string; object: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    numberText,
    word.map((text) => JSON.stringify(text)),
    fc.constantFrom('true', 'false', 'null'),
    tie('list'),
    tie('object'),
  ),
  list: fc
    .tuple(space, fc.array(tie('value'), { maxLength: 4 }))
    .map(([blank, items]) => `[${blank}${items.join(`${blank},`)}]`),
  object: fc
    .tuple(space, fc.uniqueArray(fc.tuple(word, tie('value')), { maxLength: 4, selector: ([key]) => key }))
    .map(([blank, members]) => {
      // JavaScript objects move keys that look like array indices to the front.
      const named = members.map(([key, value]) => `${JSON.stringify(`k${key}`)}${blank}:${value}`)
      return `{${named.join(`,${blank}`)}}`
    }),
}))
