import { describe, expect, test } from 'vitest'
import type { Signer } from '../../src/key/signature.js'
import { openNote, signNote } from '../../src/note/note.js'
import { createNoteKey, encodeVkey, parseVkey } from '../../src/note/note-key.js'
import { createNoteSigner, createNoteVerifier } from '../../src/note/note-signer.js'
import { codeOf, rejectionCodeOf } from '../fixtures/errors.js'
import { LOG, signerOf, WITNESS } from '../fixtures/signed-notes.js'

const signer = signerOf(1)

test('signs what its vkey verifies, on every provider', async () => {
  const signed = await signNote('text\n', [createNoteSigner('example.com/log', signer)])
  const key = parseVkey(encodeVkey(LOG.key))
  for (const provider of ['node', 'noble'] as const) {
    expect(openNote(signed, [createNoteVerifier(key, provider)]).text).toBe('text\n')
  }
})

test('waits for a signer that takes its time', async () => {
  const slow: Signer = { ...signer, sign: async (message) => signer.sign(message) }
  const signed = await signNote('text\n', [createNoteSigner('a', slow)])
  expect(openNote(signed, [createNoteVerifier(createNoteKey('a', signer.publicKey))]).verified).toHaveLength(1)
})

describe('a signer that fails', () => {
  test.each([
    ['returns 63 bytes', () => new Uint8Array(63)],
    ['returns 65 bytes, later', async () => new Uint8Array(65)],
    ['returns text', () => 'a'.repeat(64) as unknown as Uint8Array],
    ['returns nothing', () => undefined as unknown as Uint8Array],
  ])('%s', async (_, sign) => {
    const broken = createNoteSigner('a', { ...signer, sign })
    expect(await rejectionCodeOf(signNote('text\n', [broken]))).toBe('SIGNATURE_INVALID')
  })

  test('throws, or rejects', async () => {
    const failing = (sign: Signer['sign']) => signNote('text\n', [createNoteSigner('a', { ...signer, sign })])
    await expect(failing(() => Promise.reject(new Error('no network')))).rejects.toThrow('no network')
    const thrown = failing(() => {
      throw new Error('no card')
    })
    await expect(thrown).rejects.toThrow('no card')
  })
})

test('a key of a witness verifies no notes', () => {
  expect(codeOf(() => createNoteVerifier(WITNESS.key))).toBe('KEY_WRONG_TYPE')
})

test('no key hash, and no key, is taken on trust', () => {
  expect(createNoteVerifier({ ...LOG.key, keyHash: '00000000' }).keyHash).toBe(LOG.keyHash)
  const mixed = { ...LOG.key.publicKey, bytes: signerOf(2).publicKey.bytes }
  expect(codeOf(() => createNoteVerifier({ ...LOG.key, publicKey: mixed }))).toBe('KEY_INVALID')
  expect(codeOf(() => createNoteVerifier({ ...LOG.key, name: 'a b' }))).toBe('KEY_INVALID')
  expect(codeOf(() => createNoteSigner('a b', signer))).toBe('KEY_INVALID')
})

test('shows no secret, and is frozen', () => {
  expect(Object.keys(LOG).sort()).toEqual(['key', 'keyHash', 'name', 'sign'])
  expect(Object.isFrozen(LOG) && Object.isFrozen(createNoteVerifier(LOG.key))).toBe(true)
})
