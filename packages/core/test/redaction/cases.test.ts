// Tests cases from a security review and from public bug reports, and similar cases.
import { describe, expect, it } from 'vitest'
import { takeSnapshot } from '../../src/arguments/snapshot.js'
import { createRedactor } from '../../src/redaction/redactor.js'
import { HARMLESS, HARMLESS_STRUCTURES, S, SECRET_STRUCTURES, SECRETS } from '../fixtures/redaction-cases.js'

const redactor = createRedactor()

describe('a secret goes, whatever stands around it', () => {
  it.each(SECRETS)('%j', (text, secret) => {
    const redacted = redactor.text(text)
    expect(redacted).not.toContain(secret)
    expect(redactor.text(redacted)).toBe(redacted)
  })
})

it.each(HARMLESS)('%j stays', (text) => {
  expect(redactor.text(text)).toBe(text.normalize('NFC'))
})

const jsonOf = (value: unknown): unknown => redactor.json(takeSnapshot([value]).values[0])

describe('a secret goes out of a structure', () => {
  it.each(SECRET_STRUCTURES.map((value) => [value]))('%j', (value) => {
    expect(JSON.stringify(jsonOf(value))).not.toContain(S)
  })

  it('also where it is in base64, as long as that is nothing else', () => {
    const encoded = Buffer.from('GITHUB_TOKEN=ghp_abcdef1234567890').toString('base64')
    expect(jsonOf({ data: encoded })).toEqual({ data: '[redacted]' })
    const text = Buffer.from(`a longer text that names ghp_abcdef1234567890 among many other things`).toString('base64')
    expect(jsonOf({ data: text })).toEqual({ data: text })
  })
})

it.each(HARMLESS_STRUCTURES.map((value) => [value]))('%j stays', (value) => {
  expect(jsonOf(value)).toEqual(value)
})
