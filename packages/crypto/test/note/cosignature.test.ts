import { describe, expect, test } from 'vitest'
import { encodeBase64 } from '../../src/bytes/base64.js'
import { concatBytes } from '../../src/bytes/bytes.js'
import { createVerifier } from '../../src/key/signature.js'
import { encodeCheckpoint, openCheckpoint, signCheckpoint } from '../../src/note/checkpoint.js'
import { cosignatureTime, createCosignatureVerifier, createCosigner } from '../../src/note/cosignature.js'
import { createSignature, encodeSignatureLine, openNote, parseNote, signNote } from '../../src/note/note.js'
import { createNoteVerifier } from '../../src/note/note-signer.js'
import { codeOf, rejectionCodeOf } from '../fixtures/errors.js'
import { LOG, ORIGIN, signerOf, WITNESS } from '../fixtures/signed-notes.js'

const text = encodeCheckpoint({ origin: ORIGIN, size: 15, root: new Uint8Array(32).fill(7), extensions: [] })
const bytes = new TextEncoder().encode(text)
const witness = createCosignatureVerifier(WITNESS.key)

test('signs the time and the text, as the specification writes them', async () => {
  const { bytes: signature } = await createSignature(text, WITNESS)
  expect(signature).toHaveLength(8 + 64)
  expect(signature.subarray(0, 8)).toEqual(Uint8Array.of(0, 0, 0, 0, 0x65, 0x53, 0xf1, 0x00))
  const message = new TextEncoder().encode(`cosignature/v1\ntime 1700000000\n${text}`)
  expect(createVerifier(WITNESS.key.publicKey).verify(message, signature.subarray(8))).toBe(true)
})

test('a witness sends its line, and the log adds it to the note it has', async () => {
  const signed = await signCheckpoint({ origin: ORIGIN, size: 15, root: new Uint8Array(32).fill(7), extensions: [] }, [
    LOG,
  ])
  const line = encodeSignatureLine(await createSignature(parseNote(signed).text, WITNESS))
  const { cosignatures } = openCheckpoint(signed + line, [createNoteVerifier(LOG.key)], [witness])
  expect(cosignatures.map(cosignatureTime)).toEqual([1_700_000_000])
})

test('reads the clock for every signature, and waits for a slow signer', async () => {
  let now = 1
  const signer = signerOf(4)
  const cosigner = createCosigner(WITNESS.name, { ...signer, sign: async (m) => signer.sign(m) }, () => now++)
  for (const time of [1, 2]) {
    const { verified } = openNote(await signNote(text, [cosigner]), [witness])
    expect(verified.map(cosignatureTime)).toEqual([time])
  }
})

test('one verdict on every provider', async () => {
  const signed = await signNote(text, [WITNESS])
  for (const provider of ['node', 'noble'] as const) {
    expect(openNote(signed, [createCosignatureVerifier(WITNESS.key, provider)]).verified).toHaveLength(1)
  }
})

describe('a witness signs nothing', () => {
  test.each([
    ['that is no checkpoint', 'just text\n'],
    ['with a size it cannot count', text.replace('15', '9007199254740992')],
    ['with a size that is none', text.replace('15', '015')],
  ])('%s', async (_, bad) => {
    expect(await rejectionCodeOf(signNote(bad, [WITNESS]))).toBe('CHECKPOINT_INVALID')
  })

  test('that is no text', async () => {
    for (const bad of [Uint8Array.of(0xff), new Uint8Array(0)]) {
      expect(await rejectionCodeOf(WITNESS.sign(bad))).toBe('CHECKPOINT_INVALID')
    }
  })

  test.each([-1, 1.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY])('at time %d', async (time) => {
    const cosigner = createCosigner('a', signerOf(4), () => time)
    await expect(signNote(text, [cosigner])).rejects.toThrow(RangeError)
  })

  test('when its signer returns what is no signature', async () => {
    const cosigner = createCosigner('a', { ...signerOf(4), sign: () => new Uint8Array(8) }, () => 1)
    expect(await rejectionCodeOf(signNote(text, [cosigner]))).toBe('SIGNATURE_INVALID')
  })
})

describe('createCosignatureVerifier', () => {
  test('takes a witness key only, and no key hash on trust', () => {
    expect(codeOf(() => createCosignatureVerifier(LOG.key))).toBe('KEY_WRONG_TYPE')
    expect(createCosignatureVerifier({ ...WITNESS.key, keyHash: '00000000' }).keyHash).toBe(WITNESS.keyHash)
    expect(codeOf(() => createCosigner('a b', signerOf(4), () => 1))).toBe('KEY_INVALID')
  })

  test('verify never throws', async () => {
    const { bytes: good } = await createSignature(text, WITNESS)
    expect(witness.verify(bytes, good)).toBe(true)
    expect(witness.verify(Buffer.from(bytes), Buffer.from(good))).toBe(true)
    for (const odd of [null, undefined, 'text', 7, [], new Uint8Array(0), new Uint8Array(72), good.subarray(1)]) {
      // Callers in plain JavaScript may pass any value.
      expect(witness.verify(bytes, odd as unknown as Uint8Array)).toBe(false)
      expect(witness.verify(odd as unknown as Uint8Array, good)).toBe(false)
    }
  })

  test('takes no cosignature over what is no checkpoint, though the key signed it', async () => {
    const signed = async (time: string, body: string): Promise<boolean> => {
      const head = new Uint8Array(8)
      new DataView(head.buffer).setBigUint64(0, BigInt(time))
      const message = new TextEncoder().encode(`cosignature/v1\ntime ${time}\n${body}`)
      return witness.verify(new TextEncoder().encode(body), concatBytes(head, await signerOf(4).sign(message)))
    }
    expect(await signed('1700000000', text)).toBe(true)
    expect(await signed('0', text)).toBe(true)
    expect(await signed('9007199254740991', text)).toBe(true)
    expect(await signed('9007199254740992', text)).toBe(false)
    expect(await signed('9223372036854775808', text)).toBe(false)
    expect(await signed('1700000000', 'just text\n')).toBe(false)
    expect(await signed('1700000000', text.replace('15', '015'))).toBe(false)
    expect(await signed('1700000000', text.replace(encodeBase64(new Uint8Array(32).fill(7)), 'AAAA'))).toBe(false)
  })
})

test('cosignatureTime reads cosignatures only', async () => {
  const { verified } = openNote(await signNote(text, [LOG]), [createNoteVerifier(LOG.key)])
  for (const signature of verified) expect(() => cosignatureTime(signature)).toThrow(TypeError)
  expect(verified).toHaveLength(1)
})
