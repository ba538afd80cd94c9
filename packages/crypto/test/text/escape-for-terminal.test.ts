import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isLong } from '../../../../test/tier.js'
import { escapeForTerminal, escapeUnseen } from '../../src/text/escape-for-terminal.js'

describe('escapeForTerminal', () => {
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
    ['variation selectors', 'ok\ufe0f\u{e0100}', 'ok\\u{fe0f}\\u{e0100}'],
    ['Hangul fillers', 'alice\u3164\u115f\u1160\uffa0', 'alice\\u{3164}\\u{115f}\\u{1160}\\u{ffa0}'],
    ['a grapheme joiner', 'a\u034fb', 'a\\u{34f}b'],
    ['a braille blank', 'a\u2800b', 'a\\u{2800}b'],
    ['a null notehead and an Egyptian blank', '\u{1d159}\u{13441}', '\\u{1d159}\\u{13441}'],
    ['private use and noncharacters', '\ue000\uffff\u{10ffff}', '\\u{e000}\\u{ffff}\\u{10ffff}'],
    ['blanks in a row', 'a \u00a0\u00a0b\u2003c', 'a \\u{a0}\\u{a0}b\\u{2003}c'],
    ['one blank of another kind next to a usual one', 'a\u3000 b', 'a\\u{3000} b'],
    ['a blank at the edge', '\u00a0a\u00a0', '\\u{a0}a\\u{a0}'],
    ['a blank next to what shows nothing', 'a\u00a0\u200bb', 'a\\u{a0}\\u{200b}b'],
    ['single blanks of French and Japanese', '10\u202f000\u00a0€ 山田\u3000太郎', '10\u202f000\u00a0€ 山田\u3000太郎'],
    ['a stack of marks', `e${'\u0301'.repeat(6)}`, `e${'\u0301'.repeat(4)}\\u{301}\\u{301}`],
    ['a mark without a letter', '\u0336 \u20e0"', '\\u{336} \\u{20e0}"'],
    ['a mark behind an escape', '\u200b\u0338', '\\u{200b}\\u{338}'],
    ['accents, Hebrew points and Thai', 'e\u0301 בְּרֵאשִׁית ที่นี่', 'e\u0301 בְּרֵאשִׁית ที่นี่'],
    ['a letter of another script', 'p\u0430ypal.com', 'p\\u{430}ypal.com'],
    ['a letter of another script with an accent', 'p\u0430\u0301ypal.com', 'p\\u{430}\\u{301}ypal.com'],
    ['a mark on a letter of another script', '\u{10280}\u3400\ua8b4', '\u{10280}\\u{3400}\\u{a8b4}'],
    ['a look-alike that is left over', 'xyz.\u0434b\u0430\u0434\u0430', 'xyz.\u0434\\u{62}\u0430\u0434\u0430'],
  ])('shows %s', (_, text, shown) => expect(escapeForTerminal(text)).toBe(shown))

  it('cuts what is too long', () => {
    expect(escapeForTerminal('x'.repeat(5_000))).toBe(`${'x'.repeat(4_095)}…`)
    expect(escapeForTerminal('abcdef', 4)).toBe('abc…')
    expect(escapeForTerminal('abcd', 4)).toBe('abcd')
  })

  it('gives text without controls, for any text, and changes nothing a second time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const shown = escapeForTerminal(text)
        expect(shown).not.toMatch(/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u)
        expect(escapeForTerminal(shown)).toBe(shown)
      }),
    )
  })
})

it('does not cut through the middle of a character', () => {
  expect(escapeForTerminal('ab😀cd', 4)).toBe('ab…')
})

const SHOWS_NOTHING =
  /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\u3164\uffa0]|(?![ \u00a0\u202f\u3000])\p{Zs}/u

const SHOWN_NOTHING = new RegExp(SHOWS_NOTHING.source, 'gu')

describe('all code points', () => {
  it('lets no code point through that shows nothing, wherever it is', () => {
    const passed: string[] = []
    const show = (text: string): string => escapeForTerminal(text, Number.POSITIVE_INFINITY)
    // Planes 4 to 13, 15 and 16 are unassigned or private, so the short tier tests only one in 64 blocks of these
    // planes.
    const isPlain = (from: number): boolean => from > 0x3ffff && from >> 16 !== 14
    for (let from = 0; from <= 0x10ffff; from += 0x1000) {
      if (!isLong && isPlain(from) && from % 0x40000 !== 0) continue
      const chars = Array.from({ length: 0x1000 }, (_, at) => String.fromCodePoint(from + at)).filter((char) =>
        SHOWS_NOTHING.test(char),
      )
      for (const around of ['', 'ab', '11', 'a中', '“”'])
        passed.push(
          ...(show(chars.map((char) => `${around.slice(0, 1)}${char}${around.slice(1)}`).join(' ')).match(
            SHOWN_NOTHING,
          ) ?? []),
        )
      passed.push(...(show(chars.join('')).match(SHOWN_NOTHING) ?? []))
    }
    expect(passed).toEqual([])
  })

  it('leaves letters, digits, punctuation and symbols alone where each is a word of its own', () => {
    const changed: string[] = []
    for (let code = 0x20; code <= 0x2ffff; code += 1) {
      const char = String.fromCodePoint(code)
      if (/[\p{L}\p{N}\p{P}\p{S}]/u.test(char) && !SHOWS_NOTHING.test(char) && escapeForTerminal(char) !== char)
        changed.push(code.toString(16))
    }
    // The other changed characters are lookalikes of ASCII characters, or characters without a visible glyph.
    const doubles = changed.filter((hex) => !/^(?:ff[0-5].|1d[4-7]..)$/.test(hex))
    expect(doubles.join(' ')).toBe(
      '1c3 2d0 2024 2044 2215 2216 2236 29f5 29f8 29f9 a789 fe52 fe55 fe68 fffc 13441 13442 1d159',
    )
  })
})

describe('escapeUnseen', () => {
  it('keeps line feeds where the text is lines, and takes the escape of the caller', () => {
    expect(escapeUnseen('a\n\u200bb\r\n', () => '?', true)).toBe('a\n?b?\n')
    expect(escapeUnseen('a\n\u0440b', (char) => `<${char.length}>`)).toBe('a<1><1>b')
  })

  it('takes linear time', () => {
    for (const text of [
      'a'.repeat(200_000),
      '\u00a0'.repeat(200_000),
      '\u0301'.repeat(200_000),
      '\\u{'.repeat(100_000),
      'a\u0430'.repeat(50_000),
    ])
      expect(escapeUnseen(`${text}\u00e9`, () => '?').length).toBeGreaterThan(0)
  })
})
