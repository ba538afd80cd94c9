import { describe, expect, test } from 'vitest'
import { encodeBase64 } from '../../src/bytes/base64.js'
import { createNoteKey, encodeVkey, isKeyName, type NoteKeyType, parseVkey } from '../../src/note/note-key.js'
import { codeOf } from '../fixtures/errors.js'
import { signerOf } from '../fixtures/signed-notes.js'
import { readVectors } from '../fixtures/vectors.js'

const { publicKey } = signerOf(1)

interface Accept {
  readonly name: string
  readonly vkey: string
  readonly key_name: string
  readonly type: string
  readonly key_hash: string
  readonly public_key: string
}

describe('vectors/note/vkey-accept.json', () => {
  test.each(readVectors<Accept>('note/vkey-accept.json'))('$name', (vector) => {
    const key = parseVkey(vector.vkey)
    expect(key).toMatchObject({ name: vector.key_name, type: vector.type, keyHash: vector.key_hash })
    expect(encodeBase64(key.publicKey.bytes)).toBe(vector.public_key)
    expect(encodeVkey(key)).toBe(vector.vkey)
    expect(createNoteKey(key.name, key.publicKey, key.type)).toEqual(key)
    expect(Object.isFrozen(key)).toBe(true)
  })
})

describe('vectors/note/vkey-reject.json', () => {
  test.each(readVectors<{ name: string; vkey: string; code: string }>('note/vkey-reject.json'))(
    '$name',
    ({ vkey, code }) => {
      expect(codeOf(() => parseVkey(vkey))).toBe(code)
    },
  )
})

test('a vkey that is no text is refused', () => {
  for (const value of [null, undefined, 7, new Uint8Array(3)]) {
    // Callers in plain JavaScript may pass any value.
    expect(codeOf(() => parseVkey(value as unknown as string))).toBe('KEY_INVALID')
  }
})

test('type and name are part of the key hash', () => {
  const hashes = [
    createNoteKey('a', publicKey),
    createNoteKey('b', publicKey),
    createNoteKey('a', publicKey, 'cosignature'),
    createNoteKey('a', signerOf(2).publicKey),
  ].map(({ keyHash }) => keyHash)
  expect(new Set(hashes).size).toBe(4)
})

test('encodeVkey takes no key hash on trust', () => {
  const key = createNoteKey('a', publicKey)
  expect(encodeVkey({ ...key, keyHash: '00000000' })).toBe(encodeVkey(key))
})

test.each([
  '',
  ' ',
  'a b',
  'a+b',
  'a\u00a0b',
  'a\u2003b',
  'a\u0085b',
  'a\nb',
  'a\0b',
  'a\tb',
  '\ud800',
  'a'.repeat(256),
  'è'.repeat(128),
])('no key is called `%s`', (name) => {
  expect(codeOf(() => createNoteKey(name, publicKey))).toBe('KEY_INVALID')
})

test('isKeyName', () => {
  expect(['a', 'example.com/log', '日本', 'a'.repeat(300), 'a@b', '—'].every(isKeyName)).toBe(true)
  for (const name of ['', ' ', 'a+', '\u3000', 7, null]) expect(isKeyName(name)).toBe(false)
})

test('an unknown type is misuse', () => {
  expect(() => createNoteKey('a', publicKey, 'rsa' as NoteKeyType)).toThrow(TypeError)
})
