import { describe, expect, it } from 'vitest'
import { escapeForTerminal, escapeRowForTerminal } from '../../src/text/harmless.js'

const EVIL = 'a\u001b[2J\u009b\u202e\u2066\u200b\u2028\u{e0041}\u007f\r\t中文 😀'

describe('harmless', () => {
  it('leaves the value of JSON as it is', () => {
    const json = JSON.stringify({ [EVIL]: EVIL })
    expect(JSON.parse(escapeForTerminal(json))).toEqual({ [EVIL]: EVIL })
    expect(escapeForTerminal(json)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
  })

  it('keeps line ends, and letters of all scripts', () => {
    expect(escapeForTerminal('a\nb 中文 😀\n')).toBe('a\nb 中文 😀\n')
    expect(escapeForTerminal('\u{e0041}\r')).toBe('\\udb40\\udc41\\u000d')
  })
})

describe('harmlessRow', () => {
  it('is one line, whatever its cells hold', () => {
    expect(escapeRowForTerminal('1,"a\r\nb\u001b",2\r\n')).toBe('1,"a\\u000d\\u000ab\\u001b",2\n')
    expect(escapeRowForTerminal('head\n')).toBe('head\n')
  })
})
