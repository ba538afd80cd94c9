import * as crypto from 'node:crypto'
import { afterEach, expect, test, vi } from 'vitest'

afterEach(() => {
  vi.unstubAllGlobals()
  vi.resetModules()
})

test('is node:crypto where there is one', async () => {
  const { nodeCrypto } = await import('../../src/bytes/node-crypto.js')
  expect(nodeCrypto?.createHash).toBe(crypto.createHash)
})

test.each([
  ['no process', undefined],
  ['a process without getBuiltinModule', {}],
  ['a platform without node:crypto', { getBuiltinModule: () => undefined }],
])('is undefined with %s', async (_, process) => {
  vi.stubGlobal('process', process)
  const { nodeCrypto } = await import('../../src/bytes/node-crypto.js')
  expect(nodeCrypto).toBeUndefined()
})

test('without it, hashes and keys are the same', async () => {
  const withNode = await import('../../src/index.js')
  vi.resetModules()
  // The stub keeps the other members of `process`, because the test runner needs them to load packages.
  vi.stubGlobal('process', Object.create(process, { getBuiltinModule: { value: undefined } }))
  const without = await import('../../src/index.js')
  const seed = (length: number) => new Uint8Array(length).fill(7)

  expect(without.sha256Hex('caf\u00e9')).toBe(withNode.sha256Hex('caf\u00e9'))
  expect(without.sha256(Uint8Array.of(1, 2))).toEqual(withNode.sha256(Uint8Array.of(1, 2)))
  const key = without.generatePrivateKey(seed)
  expect(key.pem).toBe(withNode.generatePrivateKey(seed).pem)
  expect(key.publicKey).toEqual(withNode.generatePrivateKey(seed).publicKey)
  const message = Uint8Array.of(1, 2, 3)
  const signature = without.createSigner(key).sign(message)
  expect(signature).toEqual(withNode.createSigner(withNode.generatePrivateKey(seed)).sign(message))
  expect(without.createVerifier(key.publicKey).verify(message, signature)).toBe(true)
  expect(() => without.createSigner(key, 'node')).toThrow(TypeError)
  expect(() => without.createVerifier(key.publicKey, 'node')).toThrow(TypeError)
  const encrypted = withNode.encryptPrivateKey(withNode.generatePrivateKey(seed), 'x')
  expect(() => without.encryptPrivateKey(key, 'x')).toThrow(TypeError)
  expect(() => without.parsePrivateKey(encrypted, 'x')).toThrow(
    expect.objectContaining({ code: 'KEY_WRONG_TYPE', hint: expect.stringContaining('decrypt the key first') }),
  )
})
