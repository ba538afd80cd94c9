import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeBase64 } from '../../src/bytes/base64.js'
import {
  type Checkpoint,
  encodeCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  signCheckpoint,
} from '../../src/note/checkpoint.js'
import { cosignatureTime, createCosignatureVerifier } from '../../src/note/cosignature.js'
import { parseNote, signNote } from '../../src/note/note.js'
import { parseVkey } from '../../src/note/note-key.js'
import { createNoteVerifier } from '../../src/note/note-signer.js'
import { EMPTY_FRONTIER, frontierRoot } from '../../src/tree/frontier.js'
import { TREE_SIZE_MAX } from '../../src/tree/merkle.js'
import { codeOf, rejectionCodeOf } from '../fixtures/errors.js'
import { flips, inputOf, LOG, NEW_LOG, ORIGIN, OTHER_LOG, WITNESS } from '../fixtures/signed-notes.js'
import { readVectors } from '../fixtures/vectors.js'

const log = createNoteVerifier(LOG.key)
const witness = createCosignatureVerifier(WITNESS.key)
const checkpoint: Checkpoint = { origin: ORIGIN, size: 15, root: new Uint8Array(32).fill(7), extensions: [] }

interface Vector {
  readonly name: string
  readonly text?: string
  readonly base64?: string
  readonly logs: readonly string[]
  readonly witnesses: readonly string[]
}

interface Accept extends Vector {
  readonly origin: string
  readonly size: number
  readonly root: string
  readonly extensions: readonly string[]
  readonly cosigned: readonly [string, number][]
}

const open = (vector: Vector) =>
  openCheckpoint(
    inputOf(vector),
    vector.logs.map((vkey) => createNoteVerifier(parseVkey(vkey))),
    vector.witnesses.map((vkey) => createCosignatureVerifier(parseVkey(vkey))),
  )

describe('vectors/note/checkpoint-accept.json', () => {
  test.each(readVectors<Accept>('note/checkpoint-accept.json'))('$name', (vector) => {
    const opened = open(vector)
    const { origin, size, root, extensions } = opened
    expect({ origin, size, root: encodeBase64(root), extensions }).toEqual({
      origin: vector.origin,
      size: vector.size,
      root: vector.root,
      extensions: vector.extensions,
    })
    expect(opened.signatures.length).toBe(vector.logs.length)
    expect(opened.cosignatures.map((s) => [s.name, cosignatureTime(s)])).toEqual(vector.cosigned)
    expect(encodeCheckpoint(opened)).toBe(opened.note.text)
  })
})

describe('vectors/note/checkpoint-reject.json', () => {
  test.each(readVectors<Vector & { code: string }>('note/checkpoint-reject.json'))('$name', (vector) => {
    expect(codeOf(() => open(vector))).toBe(vector.code)
    if (vector.code !== 'CHECKPOINT_INVALID') return
    expect(codeOf(() => parseCheckpoint(parseNote(inputOf(vector)).text))).toBe('CHECKPOINT_INVALID')
  })
})

describe('encodeCheckpoint and parseCheckpoint', () => {
  test('go there and back', () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'è', ' ', '+', '0', '—'), minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(
        line,
        fc.integer({ min: 1, max: TREE_SIZE_MAX }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.array(line, { maxLength: 3 }),
        (origin, size, root, extensions) => {
          const text = encodeCheckpoint({ origin, size, root, extensions })
          expect(parseCheckpoint(text)).toEqual({ origin, size, root, extensions })
          expect(parseCheckpoint(new TextEncoder().encode(text))).toEqual(parseCheckpoint(text))
        },
      ),
    )
  })

  test('the empty tree', () => {
    const empty = { ...checkpoint, size: 0, root: frontierRoot(EMPTY_FRONTIER) }
    expect(parseCheckpoint(encodeCheckpoint(empty))).toEqual(empty)
    expect(codeOf(() => encodeCheckpoint({ ...empty, root: new Uint8Array(32) }))).toBe('CHECKPOINT_INVALID')
  })

  test.each<[string, Partial<Record<keyof Checkpoint, unknown>>]>([
    ['an empty origin', { origin: '' }],
    ['an origin of two lines', { origin: 'a\n5' }],
    ['an origin with a control character', { origin: 'a\tb' }],
    ['half a character', { origin: '\ud800' }],
    ['an origin of 256 bytes', { origin: 'è'.repeat(128) }],
    ['no origin', { origin: undefined }],
    ['a negative size', { size: -1 }],
    ['half a size', { size: 1.5 }],
    ['size 2^53', { size: 2 ** 53 }],
    ['a bigint', { size: 15n }],
    ['a size in text', { size: '15' }],
    ['a root of 31 bytes', { root: new Uint8Array(31) }],
    ['a root in text', { root: 'a'.repeat(32) }],
    ['an empty extension', { extensions: ['a', ''] }],
    ['an extension of two lines', { extensions: ['a\nb'] }],
    ['an extension with CR', { extensions: ['a\r'] }],
  ])('%s cannot be written', (_, fields) => {
    expect(codeOf(() => encodeCheckpoint({ ...checkpoint, ...fields } as Checkpoint))).toBe('CHECKPOINT_INVALID')
  })

  test('text that a note could not hold is refused without a note, too', () => {
    const text = encodeCheckpoint(checkpoint)
    for (const bad of [text.slice(0, -1), text.replaceAll('\n', '\r\n'), `${text}\0\n`, `${text}\n`, '', '\n\n\n']) {
      expect(codeOf(() => parseCheckpoint(bad))).toBe('CHECKPOINT_INVALID')
    }
  })
})

describe('signCheckpoint and openCheckpoint', () => {
  test('what the log signs, its key opens', async () => {
    const signed = await signCheckpoint(checkpoint, [LOG])
    const opened = openCheckpoint(Buffer.from(signed), [log])
    expect(opened).toMatchObject({ ...checkpoint, cosignatures: [] })
    expect(opened.signatures.map(({ verifier }) => verifier)).toEqual([log])
  })

  test('both keys of a log sign while one replaces the other', async () => {
    const signed = await signCheckpoint(checkpoint, [LOG, NEW_LOG])
    const next = createNoteVerifier(NEW_LOG.key)
    expect(openCheckpoint(signed, [next]).signatures).toHaveLength(1)
    expect(openCheckpoint(signed, [next, log]).signatures).toHaveLength(2)
  })

  test('nobody signs for a log of another name', async () => {
    for (const signers of [[], [OTHER_LOG], [LOG, OTHER_LOG]]) {
      await expect(signCheckpoint(checkpoint, signers)).rejects.toThrow(TypeError)
    }
    expect(await rejectionCodeOf(signCheckpoint({ ...checkpoint, size: 2 ** 53 }, [LOG]))).toBe('CHECKPOINT_INVALID')
  })

  test('every byte flipped is refused, or loses its cosignature', async () => {
    const signed = await signNote(encodeCheckpoint(checkpoint), [LOG, WITNESS])
    expect(openCheckpoint(signed, [log], [witness]).cosignatures).toHaveLength(1)
    let quorumLost = 0
    for (const bent of flips(signed, [1, 2])) {
      try {
        // If the name or key hash changed, the cosignature belongs to an unknown key, which is skipped and not
        // counted.
        expect(openCheckpoint(bent, [log], [witness]).cosignatures).toEqual([])
        quorumLost++
      } catch {
        expect(['NOTE_INVALID', 'SIGNATURE_INVALID', 'KEY_UNKNOWN']).toContain(
          codeOf(() => openCheckpoint(bent, [log], [witness])),
        )
      }
    }
    expect(quorumLost).toBeGreaterThan(0)
    expect(quorumLost).toBeLessThan(2 * (WITNESS.name.length + 6))
  })

  test('every bit flipped is refused', async () => {
    const signed = await signCheckpoint(checkpoint, [LOG])
    for (const bent of flips(signed)) {
      expect(['NOTE_INVALID', 'SIGNATURE_INVALID', 'KEY_UNKNOWN']).toContain(codeOf(() => openCheckpoint(bent, [log])))
    }
  })
})
