import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createSignature,
  encodeNote,
  encodeSignatureLine,
  NOTE_SIGNATURES_MAX,
  type NoteSigner,
  type NoteVerifier,
  openNote,
  parseNote,
  signNote,
} from '../../src/note/note.js'
import { parseVkey } from '../../src/note/note-key.js'
import { createNoteVerifier } from '../../src/note/note-signer.js'
import { NOTE_BYTES_MAX } from '../../src/note/note-text.js'
import { codeOf, rejectionCodeOf } from '../fixtures/errors.js'
import { processorTime } from '../fixtures/processor-time.js'
import { flips, inputOf, LOG, NEW_LOG, OTHER_LOG } from '../fixtures/signed-notes.js'
import { readVectors } from '../fixtures/vectors.js'

const verifierOf = (vkey: string): NoteVerifier => createNoteVerifier(parseVkey(vkey))
const log = createNoteVerifier(LOG.key)
const other = createNoteVerifier(OTHER_LOG.key)
const TEXT = 'Some text.\nIn two lines.\n'

interface Vector {
  readonly name: string
  readonly text?: string
  readonly base64?: string
  readonly vkeys: readonly string[]
}

describe('vectors/note/note-accept.json', () => {
  test.each(readVectors<Vector & { verified: string[] }>('note/note-accept.json'))('$name', (vector) => {
    const note = openNote(inputOf(vector), vector.vkeys.map(verifierOf))
    expect(note.verified.map(({ name }) => name)).toEqual(vector.verified)
    const parsed = parseNote(inputOf(vector))
    expect(note.text).toBe(parsed.text)
    expect(encodeNote(parsed)).toBe(vector.text)
  })
})

describe('vectors/note/note-reject.json', () => {
  test.each(readVectors<Vector & { code: string }>('note/note-reject.json'))('$name', (vector) => {
    expect(codeOf(() => openNote(inputOf(vector), vector.vkeys.map(verifierOf)))).toBe(vector.code)
    const parse = (): unknown => parseNote(inputOf(vector))
    if (vector.code === 'NOTE_INVALID') expect(codeOf(parse)).toBe('NOTE_INVALID')
    else expect(parse).not.toThrow()
  })
})

describe('openNote', () => {
  test('tells verified signatures from others', async () => {
    const note = openNote(await signNote(TEXT, [OTHER_LOG, LOG]), [log])
    expect(note.text).toBe(TEXT)
    expect(note.verified).toEqual([expect.objectContaining({ name: LOG.name, keyHash: LOG.keyHash, verifier: log })])
    expect(note.unverified).toEqual([await createSignature(TEXT, OTHER_LOG)])
  })

  test('refuses every bit flipped', async () => {
    const signed = await signNote(TEXT, [LOG])
    openNote(signed, [log])
    const codes = new Map<string, number>()
    for (const bent of flips(signed)) {
      const code = codeOf(() => openNote(bent, [log]))
      codes.set(code, (codes.get(code) ?? 0) + 1)
    }
    expect([...codes.keys()].sort()).toEqual(['KEY_UNKNOWN', 'NOTE_INVALID', 'SIGNATURE_INVALID'])
    expect([...codes.values()].reduce((a, b) => a + b)).toBe(8 * new TextEncoder().encode(signed).length)
  })

  test('refuses every note cut short', async () => {
    const signed = await signNote(TEXT, [LOG])
    for (let end = 0; end < signed.length; end++) {
      expect(codeOf(() => openNote(signed.slice(0, end), [log]))).toBe('NOTE_INVALID')
    }
  })

  test('names a signer once for each verifier, and asks it for every signature', async () => {
    const signed = await signNote(TEXT, [LOG])
    const [, line = ''] = signed.split('\n\n')
    expect(openNote(signed + line + line, [log]).verified).toHaveLength(1)
    // If two verifiers have the same name and key hash, the result names the verifier that accepts the signature.
    const never: NoteVerifier = { ...log, verify: () => false }
    expect(openNote(signed, [never, log]).verified.map(({ verifier }) => verifier)).toEqual([log])
    expect(codeOf(() => openNote(signed, [never]))).toBe('SIGNATURE_INVALID')
  })

  test('lists an unknown signature once', async () => {
    const signed = await signNote(TEXT, [LOG, OTHER_LOG])
    const line = signed.split('\n').at(-2)
    expect(openNote(`${signed}${line}\n`, [log]).unverified).toHaveLength(1)
  })

  test('asks for at most a hundred verifications', async () => {
    let asked = 0
    const counting: NoteVerifier = { ...log, verify: () => ++asked > 0 }
    const line = encodeSignatureLine(await createSignature(TEXT, LOG))
    openNote(`${TEXT}\n${line.repeat(NOTE_SIGNATURES_MAX)}`, [counting])
    expect(asked).toBe(NOTE_SIGNATURES_MAX)
    const tooMany = `${TEXT}\n${line.repeat(NOTE_SIGNATURES_MAX + 1)}`
    expect(codeOf(() => openNote(tooMany, [counting]))).toBe('NOTE_INVALID')
    expect(asked).toBe(NOTE_SIGNATURES_MAX)
  })

  test('refuses what is too long, at once', () => {
    const took = processorTime()
    for (const huge of ['a'.repeat(50_000_000), new Uint8Array(50_000_000), '\n'.repeat(NOTE_BYTES_MAX)]) {
      expect(codeOf(() => openNote(huge, [log]))).toBe('NOTE_INVALID')
    }
    expect(took()).toBeLessThan(2_000)
  })

  test('never throws anything but a CryptoError, whatever the text', () => {
    const part = fc.constantFrom('\n', '\n\n', '— ', 'a', ' ', 'x/y', 'AAAAAAAAAAA=', '+', '\r', '\0', '\ud800')
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 12 }).map((parts) => parts.join('')),
        (text) => {
          expect(['NOTE_INVALID', 'KEY_UNKNOWN']).toContain(codeOf(() => openNote(text, [log])))
        },
      ),
      { numRuns: 1000 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(codeOf(() => openNote(bytes, [log]))).toBe('NOTE_INVALID')
      }),
    )
  })
})

describe('signNote', () => {
  test('signs any text that can be one, and it opens', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', '\n', '—', ' ', 'è', '\u{1f319}'), maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(text, async (start) => {
        const signed = await signNote(`${start}\n`, [LOG, OTHER_LOG])
        const note = openNote(new TextEncoder().encode(signed), [other, log])
        expect(note.text).toBe(`${start}\n`)
        expect(note.verified.map(({ verifier }) => verifier)).toEqual([log, other])
        expect(encodeNote(parseNote(signed))).toBe(signed)
      }),
    )
  })

  test('keeps the signatures a text has, and replaces those of the same keys', async () => {
    const { signatures } = parseNote(await signNote(TEXT, [LOG, OTHER_LOG]))
    const again = await signNote(TEXT, [NEW_LOG, LOG], signatures)
    expect(parseNote(again).signatures.map(({ keyHash }) => keyHash)).toEqual([
      OTHER_LOG.keyHash,
      NEW_LOG.keyHash,
      LOG.keyHash,
    ])
    openNote(again, [log, other, createNoteVerifier(NEW_LOG.key)])
  })

  test('asks no signer for what would be no note', async () => {
    const signer: NoteSigner = { ...LOG, sign: () => Promise.reject(new Error('was asked')) }
    for (const text of ['', 'a', 'a\r\n', 'a\0\n', 'a\tb\n', '\ud800\n']) {
      expect(await rejectionCodeOf(signNote(text, [signer]))).toBe('NOTE_INVALID')
    }
    await expect(signNote(TEXT, [signer])).rejects.toThrow('was asked')
  })

  test('refuses a note without signatures, with too many, or too long', async () => {
    expect(await rejectionCodeOf(signNote(TEXT, []))).toBe('NOTE_INVALID')
    expect(await rejectionCodeOf(signNote(TEXT, Array(101).fill(LOG)))).toBe('NOTE_INVALID')
    expect(await rejectionCodeOf(signNote(`${'a'.repeat(NOTE_BYTES_MAX)}\n`, [LOG]))).toBe('NOTE_INVALID')
  })
})

test('encodeNote and encodeSignatureLine refuse what parseNote would', () => {
  const signature = { name: 'a', keyHash: '00000000', bytes: Uint8Array.of(1) }
  expect(encodeSignatureLine(signature)).toBe('— a AAAAAAE=\n')
  expect(encodeNote({ text: 'a\n', signatures: [signature] })).toBe('a\n\n— a AAAAAAE=\n')
  for (const bad of [
    { ...signature, name: '' },
    { ...signature, name: 'a b' },
    { ...signature, name: 'a\n' },
    { ...signature, keyHash: '0000000' },
    { ...signature, keyHash: '0000000G' },
    { ...signature, keyHash: 'ABCDEF00' },
    { ...signature, bytes: new Uint8Array(0) },
    { ...signature, bytes: 'text' as unknown as Uint8Array },
  ]) {
    expect(codeOf(() => encodeSignatureLine(bad))).toBe('NOTE_INVALID')
    expect(codeOf(() => encodeNote({ text: 'a\n', signatures: [bad] }))).toBe('NOTE_INVALID')
  }
  for (const text of ['', 'a', 'a\n\nb', 'a\r\n']) {
    expect(codeOf(() => encodeNote({ text, signatures: [signature] }))).toBe('NOTE_INVALID')
  }
})
