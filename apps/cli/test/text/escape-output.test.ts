import { describe, expect, it } from 'vitest'
import { escapeOutput, escapeOutputRow } from '../../src/text/escape-output.js'

const EVIL = 'a\u001b[2J\u009b\u202e\u2066\u200b\u2028\u{e0041}\u007f\r\t中文 😀'

describe('escapeOutput', () => {
  it('leaves the value of JSON as it is', () => {
    const json = JSON.stringify({ [EVIL]: EVIL })
    expect(JSON.parse(escapeOutput(json))).toEqual({ [EVIL]: EVIL })
    expect(escapeOutput(json)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
  })

  it('keeps line ends, and letters of all scripts', () => {
    expect(escapeOutput('a\nb 中文 😀\n')).toBe('a\nb 中文 😀\n')
    expect(escapeOutput('\u{e0041}\r')).toBe('\\udb40\\udc41\\u000d')
  })
})

describe('harmlessRow', () => {
  it('is one line, whatever its cells hold', () => {
    expect(escapeOutputRow('1,"a\r\nb\u001b",2\r\n')).toBe('1,"a\\u000d\\u000ab\\u001b",2\n')
    expect(escapeOutputRow('head\n')).toBe('head\n')
  })
})
