import { describe, expect, test } from 'vitest'
import { generatePrivateKey } from '../../src/key/key.js'
import { createSigner, signAside } from '../../src/key/signature.js'

describe('signAside', () => {
  const messages = Array.from({ length: 9 }, (_, n) => Buffer.from(`message ${n}`))

  test('gives what sign gives, in the same order', async () => {
    const signer = createSigner(generatePrivateKey(), 'node')
    expect(await signAside(signer, messages)).toEqual(messages.map((message) => signer.sign(message)))
  })

  test('leaves it to sign: for few, with noble, and for a signer that was made of another', () => {
    const signer = createSigner(generatePrivateKey(), 'node')
    expect(signAside(signer, messages.slice(0, 1))).toBeNull()
    expect(signAside(createSigner(generatePrivateKey(), 'noble'), messages)).toBeNull()
    expect(signAside({ ...signer, sign: () => new Uint8Array(64) }, messages)).toBeNull()
  })

  test('rejects what is no message', async () => {
    const signer = createSigner(generatePrivateKey(), 'node')
    await expect(signAside(signer, [...messages, 7 as never])).rejects.toThrow(TypeError)
  })
})
