import { describe, expect, it } from 'vitest'
import { createRedactor } from '../../../src/redaction/redactor.js'
import { findTokens, type Meter, TOKEN_FORMATS } from '../../../src/secret/shape/token.js'
import { ALPHABETS, type Alphabet, NOT_FOUND } from '../../../src/secret/shape/token-format/source.js'

const { text: redact } = createRedactor()

/** Returns characters from an alphabet, mixed as in a token. */
function letters(alphabet: Alphabet, length: number): string {
  const allowed: string = ALPHABETS[alphabet]
  const mixed = [...'aB3dE5gH7k'].filter((letter) => allowed.includes(letter))
  const from = mixed.length > 2 ? mixed : [...allowed]
  return Array.from({ length }, (_, at) => from[at % from.length]).join('')
}

describe('the table', () => {
  it('has at least 150 formats, each once, with where it is published', () => {
    expect(TOKEN_FORMATS.length).toBeGreaterThanOrEqual(150)
    const rows = TOKEN_FORMATS.map(([, prefix, alphabet, lengthMin, , condition]) =>
      [prefix, alphabet, lengthMin, condition].join(' '),
    )
    expect(new Set(rows).size).toBe(rows.length)
    expect(TOKEN_FORMATS.filter(([, , , , source]) => source !== NOT_FOUND).length).toBeGreaterThanOrEqual(240)
    for (const [issuer, prefix, alphabet, lengthMin, source] of TOKEN_FORMATS) {
      expect(issuer).toMatch(/^\S.*\S$/)
      expect(prefix.length, issuer).toBeGreaterThanOrEqual(2)
      expect(Object.keys(ALPHABETS)).toContain(alphabet)
      expect(lengthMin, issuer).toBeGreaterThanOrEqual(1)
      expect(lengthMin, issuer).toBeLessThanOrEqual(128)
      expect(source === NOT_FOUND || source.startsWith('https://'), issuer).toBe(true)
    }
  })

  it.each(TOKEN_FORMATS.map((row) => ({ issuer: row[0], prefix: row[1], alphabet: row[2], lengthMin: row[3] })))(
    '$issuer: $prefix',
    ({ prefix, alphabet, lengthMin }) => {
      const token = prefix + letters(alphabet, Math.max(lengthMin, 8))
      for (const [before, after] of [
        ['', ''],
        ['use ', ' now'],
        ['"', '"'],
        ['\\n', '\\n'],
        ['%20', '%20'],
        ['\u001b[31m', '\u001b[0m'],
        ['\\u001b[1;31m', ''],
        ['x=', '&y'],
        ['é', 'é'],
      ]) {
        const redacted = redact(`${before}${token}${after}`)
        expect(redacted).not.toContain(token)
        expect(redacted).toContain('[redacted]')
      }
    },
  )
})

it('looks at twice as many characters in a text twice as long, whatever the text', () => {
  const stepsFor = (piece: string, length: number): number => {
    const meter: Meter = { steps: 0 }
    findTokens(piece.repeat(Math.ceil(length / piece.length)), meter)
    return meter.steps
  }
  for (const prefix of new Set(TOKEN_FORMATS.map(([, each]) => each))) {
    for (const piece of [prefix, `${prefix}a_`, ` ${prefix}0`, `${prefix}${'a'.repeat(40)}-`]) {
      const [once, twice] = [stepsFor(piece, 2_048), stepsFor(piece, 4_096)]
      expect(twice, JSON.stringify(piece)).toBeLessThanOrEqual(2.5 * once + 1_024)
    }
  }
})
