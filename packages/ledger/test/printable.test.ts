import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { printable } from '../src/printable.js'

describe('printable', () => {
  it.each<[string, string, string]>([
    ['plain text', 'refund 5 € to Zoë 😀', 'refund 5 € to Zoë 😀'],
    ['a colour', 'a\u001b[31mb', 'a\\u{1b}[31mb'],
    ['a line end', 'a\r\nb', 'a\\u{d}\\u{a}b'],
    ['a C1 control', 'a\u009b2Jb', 'a\\u{9b}2Jb'],
    ['a backspace and a DEL', '\b\u007f', '\\u{8}\\u{7f}'],
    ['a bidi override', 'abc\u202egnp.exe', 'abc\\u{202e}gnp.exe'],
    ['a bidi isolate', '\u2066x\u2069', '\\u{2066}x\\u{2069}'],
    ['a zero-width space and joiner', 'pay\u200bpal\u200d', 'pay\\u{200b}pal\\u{200d}'],
    ['a line separator', 'a\u2028b\u2029', 'a\\u{2028}b\\u{2029}'],
    ['a byte order mark', '\ufeffx', '\\u{feff}x'],
    ['tag characters', '\u{e0041}', '\\u{e0041}'],
    ['half a character', 'a\ud83db', 'a\\u{d83d}b'],
    ['a NUL', '\0', '\\u{0}'],
  ])('shows %s', (_, text, shown) => expect(printable(text)).toBe(shown))

  it('cuts what is too long', () => {
    expect(printable('x'.repeat(5_000))).toBe(`${'x'.repeat(4_095)}…`)
    expect(printable('abcdef', 4)).toBe('abc…')
    expect(printable('abcd', 4)).toBe('abcd')
  })

  it('gives text without controls, for any text, and changes nothing a second time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const shown = printable(text)
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
        expect(printable(shown)).toBe(shown)
      }),
    )
  })
})

it('does not cut through the middle of a character', () => {
  expect(printable('ab😀cd', 4)).toBe('ab…')
})
