import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeBase64, encodeBase64 } from '../../src/bytes/base64.js'
import { signCheckpoint } from '../../src/note/checkpoint.js'
import { cosignatureTime, createCosignatureVerifier } from '../../src/note/cosignature.js'
import { parseVkey } from '../../src/note/note-key.js'
import { createNoteVerifier } from '../../src/note/note-signer.js'
import { NOTE_BYTES_MAX } from '../../src/note/note-text.js'
import { encodeTlogProof, openTlogProof, parseTlogProof, type TlogProof } from '../../src/note/tlog-proof.js'
import { inclusionProof } from '../../src/tree/inclusion.js'
import { codeOf } from '../fixtures/errors.js'
import { leavesOf, NaiveTree } from '../fixtures/naive-tree.js'
import { flips, inputOf, LOG, ORIGIN } from '../fixtures/signed-notes.js'
import { readVectors } from '../fixtures/vectors.js'

interface Vector {
  readonly name: string
  readonly text?: string
  readonly base64?: string
  readonly leaf: string
  readonly logs: readonly string[]
  readonly witnesses: readonly string[]
}

interface Accept extends Vector {
  readonly index: number
  readonly extra: string | null
  readonly cosigned: readonly [string, number][]
}

const hash = (base64: string): Uint8Array => decodeBase64(base64) ?? new Uint8Array(0)
const open = (vector: Vector) =>
  openTlogProof(
    inputOf(vector),
    hash(vector.leaf),
    vector.logs.map((vkey) => createNoteVerifier(parseVkey(vkey))),
    vector.witnesses.map((vkey) => createCosignatureVerifier(parseVkey(vkey))),
  )

describe('vectors/note/tlog-proof-accept.json', () => {
  test.each(readVectors<Accept>('note/tlog-proof-accept.json'))('$name', (vector) => {
    const { index, checkpoint, unverifiedExtra } = open(vector)
    expect(index).toBe(vector.index)
    expect(unverifiedExtra && encodeBase64(unverifiedExtra)).toBe(vector.extra)
    expect(checkpoint.cosignatures.map((s) => [s.name, cosignatureTime(s)])).toEqual(vector.cosigned)
    expect(encodeTlogProof(parseTlogProof(inputOf(vector)))).toBe(vector.text)
  })
})

describe('vectors/note/tlog-proof-reject.json', () => {
  test.each(readVectors<Vector & { code: string }>('note/tlog-proof-reject.json'))('$name', (vector) => {
    expect(codeOf(() => open(vector))).toBe(vector.code)
  })
})

const leaves = leavesOf(40)
const naive = new NaiveTree(leaves)
const log = createNoteVerifier(LOG.key)

async function proofOf(index: number, size: number): Promise<TlogProof> {
  const root = naive.root(0, size)
  const hashes = await inclusionProof(index, size, (level, i) => naive.root(i * 2 ** level, (i + 1) * 2 ** level))
  return {
    index,
    hashes,
    checkpoint: await signCheckpoint({ origin: ORIGIN, size, root, extensions: [] }, [LOG]),
    extra: null,
  }
}

const leafAt = (index: number): Uint8Array => leaves[index] ?? new Uint8Array(32)

test('the proof of every leaf opens for it and for no other', async () => {
  for (const size of [1, 2, 3, 13, 40]) {
    for (let index = 0; index < size; index++) {
      const text = encodeTlogProof(await proofOf(index, size))
      expect(openTlogProof(new TextEncoder().encode(text), leafAt(index), [log])).toMatchObject({
        index,
        checkpoint: { origin: ORIGIN, size },
        unverifiedExtra: null,
      })
      expect(codeOf(() => openTlogProof(text, leafAt((index + 1) % 40), [log]))).toBe('PROOF_INVALID')
    }
  }
})

test('every bit flipped is refused', async () => {
  const text = encodeTlogProof(await proofOf(21, 40))
  const codes = new Set<string>()
  for (const bent of flips(text)) codes.add(codeOf(() => openTlogProof(bent, leafAt(21), [log])))
  expect([...codes].sort()).toEqual([
    'CHECKPOINT_INVALID',
    'KEY_UNKNOWN',
    'NOTE_INVALID',
    'PROOF_INVALID',
    'SIGNATURE_INVALID',
  ])
})

test('every proof cut short is refused', async () => {
  const text = encodeTlogProof(await proofOf(21, 40))
  for (let end = 0; end < text.length; end++) {
    expect(['PROOF_INVALID', 'NOTE_INVALID', 'CHECKPOINT_INVALID']).toContain(
      codeOf(() => openTlogProof(text.slice(0, end), leafAt(21), [log])),
    )
  }
})

test('extra data may be replaced by anyone, and is handed on as such', async () => {
  const proof = await proofOf(3, 13)
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 40 }), async (extra) => {
      const text = encodeTlogProof({ ...proof, extra })
      expect(openTlogProof(text, leafAt(3), [log]).unverifiedExtra).toEqual(extra)
      expect(parseTlogProof(text)).toEqual({ ...proof, extra })
    }),
    { numRuns: 30 },
  )
})

test('what parseTlogProof would refuse cannot be written', async () => {
  const proof = await proofOf(3, 13)
  const bad: [string, Partial<Record<keyof TlogProof, unknown>>][] = [
    ['PROOF_INVALID', { index: -1 }],
    ['PROOF_INVALID', { index: 2 ** 53 }],
    ['PROOF_INVALID', { index: 13 }],
    ['PROOF_INVALID', { hashes: proof.hashes.slice(1) }],
    ['PROOF_INVALID', { hashes: [...proof.hashes.slice(1), new Uint8Array(31)] }],
    ['PROOF_INVALID', { hashes: Array(65).fill(new Uint8Array(32)) }],
    ['PROOF_INVALID', { hashes: null }],
    ['PROOF_INVALID', { extra: new Uint8Array(0) }],
    ['PROOF_INVALID', { extra: 'text' }],
    ['PROOF_INVALID', { checkpoint: proof.checkpoint.slice(0, -1) }],
    ['PROOF_INVALID', { extra: new Uint8Array(2 * NOTE_BYTES_MAX) }],
    ['NOTE_INVALID', { checkpoint: 'text\n' }],
    ['CHECKPOINT_INVALID', { checkpoint: `\n${proof.checkpoint}` }],
  ]
  for (const [code, fields] of bad) {
    expect(codeOf(() => encodeTlogProof({ ...proof, ...fields } as TlogProof))).toBe(code)
  }
})

test('a leaf that is no hash is misuse', async () => {
  const text = encodeTlogProof(await proofOf(3, 13))
  for (const leaf of [new Uint8Array(31), 'a'.repeat(32), undefined]) {
    // Callers in plain JavaScript may pass any value.
    expect(() => openTlogProof(text, leaf as unknown as Uint8Array, [log])).toThrow(TypeError)
  }
})

test('never throws anything but a CryptoError, whatever the text', () => {
  const part = fc.constantFrom(
    'c2sp.org/tlog-proof@v1\n',
    'index 0\n',
    'extra AA==\n',
    '\n',
    'a\n1\n',
    '— a AAAAAAA=\n',
    'x',
    '\r',
  )
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 12 }).map((parts) => parts.join('')),
      (text) => {
        expect(['PROOF_INVALID', 'NOTE_INVALID', 'CHECKPOINT_INVALID']).toContain(
          codeOf(() => openTlogProof(text, leafAt(0), [log])),
        )
      },
    ),
    { numRuns: 1000 },
  )
})
