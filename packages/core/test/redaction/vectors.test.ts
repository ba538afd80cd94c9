// Tests this implementation with `vectors/redaction`, which other implementations can also use.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { takeSnapshot } from '../../src/arguments/snapshot.js'
import { createRedactor } from '../../src/redaction/redactor.js'
import { findTokens } from '../../src/secret/shape/token.js'
import {
  type ArgumentsVector,
  makeRedactionVectors,
  type RefusedVector,
  redactedForm,
  type TextVector,
} from '../fixtures/redaction-vectors.js'

const FOLDER = new URL('../../../../vectors/redaction/', import.meta.url)

const made = makeRedactionVectors()
if (process.env.UPDATE_VECTORS === '1') for (const [name, text] of made) writeFileSync(new URL(name, FOLDER), text)

it('vectors/redaction is what its maker makes', () => {
  expect(readdirSync(FOLDER).sort()).toEqual([...made.keys(), 'README.md'].sort())
  for (const [name, text] of made) {
    expect(readFileSync(new URL(name, FOLDER), 'utf8'), name).toBe(text)
    expect(text, name).toMatch(/^[\n -~]*$/)
  }
})

const read = <T>(name: string): T => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as T

describe('vectors/redaction/text.json', () => {
  it.each(read<readonly TextVector[]>('text.json'))('$text: $why', ({ text, redacted, concealed, gone, stays }) => {
    const redactor = createRedactor()
    expect(redactor.text(text)).toBe(redacted)
    expect(redactor.text(redacted)).toBe(redacted)
    if (gone !== undefined) expect(redacted).not.toContain(gone)
    if (stays !== undefined) expect(redacted).toContain(stays)
    const form = redactedForm(text.normalize('NFC'))
    expect(form.redacted).toBe(redacted)
    expect(form.concealed.map(({ kind, length }) => ({ kind, length }))).toEqual(concealed)
    expect(redacted !== text.normalize('NFC')).toBe(concealed.length > 0)
  })
})

describe('vectors/redaction/arguments.json', () => {
  it.each(read<readonly ArgumentsVector[]>('arguments.json'))('$arguments: $why', (vector) => {
    const { options = {}, arguments: value, redacted, concealed, undeclared, gone } = vector
    expect(redactedForm(value, options)).toEqual({ redacted, concealed, undeclared })
    if (gone !== undefined) expect(JSON.stringify(redacted)).not.toContain(gone)
  })

  it('tell a secret that was declared from one that was not', () => {
    const all = read<readonly ArgumentsVector[]>('arguments.json')
    expect(all.some(({ undeclared, concealed }) => undeclared > 0 && concealed.length > 0)).toBe(true)
    expect(all.some(({ undeclared, concealed }) => undeclared === 0 && concealed.length > 0)).toBe(true)
  })
})

describe('vectors/redaction/arguments-reject.json', () => {
  it.each(read<readonly RefusedVector[]>('arguments-reject.json'))('$text: $why', ({ text, code, normalized }) => {
    const value: unknown = JSON.parse(text)
    expect(() => takeSnapshot([value])).toThrow(expect.objectContaining({ code }))
    if (normalized === null) expect(() => takeSnapshot([value], 'normalize')).toThrow(expect.objectContaining({ code }))
    else expect(takeSnapshot([value], 'normalize').values[0]).toEqual(normalized)
  })
})

describe('vectors/redaction/token-formats.json', () => {
  interface Table {
    readonly alphabets: Readonly<Record<string, string>>
    readonly conditions: Readonly<Record<string, string>>
    readonly formats: readonly {
      readonly issuer: string
      readonly prefix: string
      readonly alphabet: string
      readonly length_min: number
      readonly condition: string | null
    }[]
  }
  const { alphabets, conditions, formats } = read<Table>('token-formats.json')

  it.each(formats)('$issuer: $prefix', ({ prefix, alphabet, length_min: length, condition }) => {
    const letters = alphabets[alphabet] ?? ''
    const mixed = [...'aB3dE5gH7k'].filter((letter) => letters.includes(letter))
    const from = mixed.length > 2 ? mixed : [...letters]
    const body = Array.from({ length: Math.max(length, 8) }, (_, n) => from[n % from.length]).join('')
    expect(condition === null || Object.hasOwn(conditions, condition)).toBe(true)
    expect(findTokens(`${prefix}${body} .`)).toEqual([{ start: 0, end: prefix.length + body.length, kind: 'token' }])
  })
})
