import { describe, expect, it } from 'vitest'
import { foreignLetters, hasMixedScript } from '../../src/text/mixed-script.js'

const marked = (text: string): string => foreignLetters(text, (char) => `<${char.codePointAt(0)?.toString(16)}>`)

describe('words of several scripts', () => {
  it.each<[string, string, string]>([
    ['Cyrillic letters in a Latin word', 'раypal.com', '<440><430>ypal.com'],
    ['a Latin letter in a Cyrillic word', 'Москвa', 'Москв<61>'],
    ['Greek in Latin', 'micrοsoft', 'micr<3bf>soft'],
    ['Armenian in Latin', 'gօօgle', 'g<585><585>gle'],
    ['Cherokee in Latin', 'ᎪOOGLEE', '<13aa>OOGLEE'],
    ['Hebrew and Arabic in one word', 'שלוםس', 'שלום<633>'],
    ['an Arabic digit in a Latin word', 'id٠1', 'id<660>1'],
    ['a script that is not in the list', 'a\u{10920}bc', 'a<10920>bc'],
    ['a Cyrillic host that reads as a Latin one', 'рау.com', '<440><430><443>.com'],
    ['a one-dot leader', 'paypal․com', 'paypal<2024>com'],
    ['other slashes', 'example.com∕x⁄y⧸z', 'example.com<2215>x<2044>y<29f8>z'],
    ['a katakana stroke between ASCII', 'example.comノpath', 'example.com<30ce>path'],
    ['full-width letters', 'ａｌｉｃｅ', '<ff41><ff4c><ff49><ff43><ff45>'],
    ['a full-width dot', 'paypal．com', 'paypal<ff0e>com'],
    ['mathematical letters', '𝖺dmin', '<1d5ba>dmin'],
    ['a Hebrew colon in a URL', 'http׃//x', 'http<5c3>//x'],
    ['behind an escape of JSON', String.raw`"\nраypal"`, String.raw`"\n<440><430>ypal"`],
  ])('marks %s', (_, text, shown) => {
    expect(marked(text)).toBe(shown)
    expect(hasMixedScript(text)).toBe(true)
  })

  it.each([
    'plain ASCII_name-1.txt',
    'Zoë, naïve façade, Ångström, œuvre',
    'Москва и Киев, отчёт.txt',
    'Αθήνα και Πάτρα',
    'שלום עולם',
    'مرحبا ١٢٣',
    '東京タワーTokyoへようこそ',
    '日本語のＡＢＣと！？（株）',
    '中文ABC測試ㄅㄆ',
    '한국어text漢字',
    'नमस्ते दुनिया',
    'Հայերեն։ է։',
    'm², 5 µm, 10 €, №5, ½, 😀',
    String.raw`{"key":"\nпривет\tмир"}`,
  ])('leaves %s alone', (text) => {
    expect(marked(text)).toBe(text)
    expect(hasMixedScript(text)).toBe(false)
  })

  it('changes nothing a second time', () => {
    for (const text of ['раypal', 'оса-аβ', 'рау.com', 'ａb']) expect(marked2(marked2(text)), text).toBe(marked2(text))
  })
})

const marked2 = (text: string): string => foreignLetters(text, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`)
