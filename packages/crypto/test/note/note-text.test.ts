import { describe, expect, test } from 'vitest'
import { isNoteLine, NOTE_BYTES_MAX, noteBytes, readNoteText, textFault } from '../../src/note/note-text.js'
import { codeOf } from '../fixtures/errors.js'

test('gives text for bytes and for text', () => {
  for (const text of ['\n', 'a\nb\n', '\ufeffè\u{1f319}\n', 'a\u007f\u0085\n']) {
    expect(readNoteText(text, 'NOTE_INVALID')).toBe(text)
    expect(readNoteText(noteBytes(text), 'NOTE_INVALID')).toBe(text)
    expect(readNoteText(Buffer.from(text), 'NOTE_INVALID')).toBe(text)
  }
})

describe('refuses', () => {
  const controls = Array.from({ length: 32 }, (_, code) => code).filter((code) => code !== 10)
  test.each(controls)('the control character %d', (code) => {
    expect(textFault(`a${String.fromCharCode(code)}b\n`)).not.toBeNull()
    expect(isNoteLine(`a${String.fromCharCode(code)}b`)).toBe(false)
  })

  test.each([
    ['no line feed at the end', 'a'],
    ['nothing', ''],
    ['a lone surrogate', 'a\ud800\n'],
    ['bytes that are not UTF-8', Uint8Array.of(0xff, 0x0a)],
    ['half a character', Uint8Array.of(0xc3, 0x0a)],
  ])('%s, with the code of whoever reads', (_, input) => {
    expect(codeOf(() => readNoteText(input, 'NOTE_INVALID'))).toBe('NOTE_INVALID')
    expect(codeOf(() => readNoteText(input, 'PROOF_INVALID'))).toBe('PROOF_INVALID')
  })

  test('what is longer than the limit, counted in bytes', () => {
    const longest = `${'a'.repeat(NOTE_BYTES_MAX - 1)}\n`
    expect(readNoteText(longest, 'NOTE_INVALID')).toBe(longest)
    expect(readNoteText(noteBytes(longest), 'NOTE_INVALID')).toBe(longest)
    for (const text of [`a${longest}`, `${'è'.repeat(NOTE_BYTES_MAX / 2)}\n`]) {
      expect(codeOf(() => readNoteText(text, 'NOTE_INVALID'))).toBe('NOTE_INVALID')
      expect(codeOf(() => readNoteText(noteBytes(text), 'NOTE_INVALID'))).toBe('NOTE_INVALID')
    }
    expect(codeOf(() => readNoteText('ab\n', 'NOTE_INVALID', 2))).toBe('NOTE_INVALID')
  })

  test('what is neither text nor bytes, as misuse', () => {
    for (const value of [null, undefined, 7, ['a\n'], new Uint16Array(2)]) {
      // Callers in plain JavaScript may pass any value.
      expect(() => readNoteText(value as unknown as string, 'NOTE_INVALID')).toThrow(TypeError)
      expect(textFault(value as unknown as string)).not.toBeNull()
    }
  })
})

test('isNoteLine', () => {
  expect(['a', ' ', 'a b', '—', '\u2028'].every(isNoteLine)).toBe(true)
  for (const line of ['', '\n', 'a\n', 'a\nb', '\ud800', 7, null]) expect(isNoteLine(line)).toBe(false)
})
