// Tests what a caller can require beyond a valid ledger: its origin, its witnesses, and the age of the evidence.
import {
  createCosigner,
  createNoteKey,
  createSignature,
  encodeNote,
  encodeVkey,
  parseNote,
  parseWitnessPolicy,
} from '@sudoagent/crypto/note'
import { describe, expect, it } from 'vitest'
import { keepCosigned } from '../../src/store/keep-cosigned.js'
import type { VerifyOptions } from '../../src/verify/verify.js'
import {
  cosigned,
  headIn,
  KINDS,
  type Kind,
  ledgerOf,
  ORIGIN,
  OWNER,
  OWNER_KEY,
  testWitness,
  write,
} from '../fixtures/attack.js'
import { decisionDraft, EPOCH_MS, outcomeDraft, testKey, testSigner } from '../fixtures/draft.js'
import { codesOf, verifyFile } from '../fixtures/ledger-file.js'

const OTHER = 'example.com/payments.test'
const first = decisionDraft(1)
const DRAFTS = [first, outcomeDraft(first), decisionDraft(2)]
const withKey: VerifyOptions = { publicKeys: [OWNER_KEY] }
const WITNESS = testWitness(1)
const QUORUM = `witness w ${WITNESS.vkey}\nquorum w\n`
const logLine = (name: string, key = OWNER_KEY): string => `log ${encodeVkey(createNoteKey(name, key))}\n`

async function checked(path: string, options: VerifyOptions) {
  const report = await verifyFile(path, options)
  return { codes: codesOf(report), verdict: report.verdict }
}

async function witnessed(kind: Kind): Promise<string> {
  const path = await ledgerOf(kind, DRAFTS)
  keepCosigned(path, await cosigned(await headIn(path), [WITNESS]))
  return path
}

describe.each(KINDS)('the log that is meant, %s', (kind) => {
  it.each<[string, VerifyOptions, string[], string]>([
    ['its origin', { origin: ORIGIN }, [], 'signed'],
    ['another origin', { origin: OTHER }, ['ORIGIN_MISMATCH@-'], 'broken'],
    ['an origin that only begins alike', { origin: `${ORIGIN}/2` }, ['ORIGIN_MISMATCH@-'], 'broken'],
    ['an origin in another case', { origin: ORIGIN.toUpperCase() }, ['ORIGIN_MISMATCH@-'], 'broken'],
    ['an empty origin', { origin: '' }, ['ORIGIN_MISMATCH@-'], 'broken'],
    ['a vkey of this log', { publicKeys: [createNoteKey(ORIGIN, OWNER_KEY)] }, [], 'signed'],
    [
      'the vkey and the bare key of another',
      { publicKeys: [createNoteKey(ORIGIN, OWNER_KEY), testKey(9).publicKey] },
      [],
      'signed',
    ],
    [
      'vkeys of both logs',
      { publicKeys: [createNoteKey(OTHER, OWNER_KEY), createNoteKey(ORIGIN, OWNER_KEY)] },
      [],
      'signed',
    ],
    [
      'the bare key and a vkey of another log',
      { publicKeys: [OWNER_KEY, createNoteKey(OTHER, OWNER_KEY)] },
      [],
      'signed',
    ],
  ])('%s', async (_, options, codes, verdict) => {
    expect(await checked(await ledgerOf(kind, DRAFTS), { ...withKey, ...options })).toEqual({ codes, verdict })
  })

  it('a vkey of another log with the same key: that key says nothing of this ledger', async () => {
    const path = await ledgerOf(kind, DRAFTS)
    const { codes, verdict } = await checked(path, { publicKeys: [createNoteKey(OTHER, OWNER_KEY)] })
    expect(codes).toContain('ORIGIN_MISMATCH@-')
    expect(verdict).toBe('broken')
    // The vkey is for a different log, so it does not count, even if the caller also gives a key that did not sign this
    // ledger.
    const both = { publicKeys: [createNoteKey(OTHER, OWNER_KEY), testKey(9).publicKey] }
    expect((await checked(path, both)).verdict).not.toBe('signed')
  })

  it.each<[string, string, string[], string]>([
    ['no log', QUORUM, [], 'witnessed'],
    ['this log and its key', logLine(ORIGIN) + QUORUM, [], 'witnessed'],
    ['this log and others', logLine(OTHER, testKey(8).publicKey) + logLine(ORIGIN) + QUORUM, [], 'witnessed'],
    ['another log of the same key', logLine(OTHER) + QUORUM, ['ORIGIN_MISMATCH@-'], 'broken'],
    ['this log with another key', logLine(ORIGIN, testKey(9).publicKey) + QUORUM, ['LOG_KEY_MISMATCH@-'], 'broken'],
    ['another log and no quorum', `${logLine(OTHER)}quorum none\n`, ['ORIGIN_MISMATCH@-'], 'broken'],
    [
      'this log with another key and no quorum',
      `${logLine(ORIGIN, testKey(9).publicKey)}quorum none\n`,
      ['LOG_KEY_MISMATCH@-'],
      'broken',
    ],
    ['this log and no quorum', `${logLine(ORIGIN)}quorum none\n`, [], 'signed'],
  ])('a policy that names %s', async (_, text, codes, verdict) => {
    const witnessPolicy = parseWitnessPolicy(text)
    expect(await checked(await witnessed(kind), { ...withKey, witnessPolicy })).toEqual({ codes, verdict })
  })

  it('a key of the ledger cannot witness it', async () => {
    const cosigner = createCosigner('witness.example.com', OWNER, () => 1_767_323_045)
    const witnessPolicy = parseWitnessPolicy(`witness w ${encodeVkey(cosigner.key)}\nquorum w\n`)
    const path = await ledgerOf(kind, DRAFTS)
    const { text, signatures } = parseNote(await headIn(path))
    keepCosigned(path, encodeNote({ text, signatures: [...signatures, await createSignature(text, cosigner)] }))
    await expect(verifyFile(path, { ...withKey, witnessPolicy })).rejects.toMatchObject({ code: 'POLICY_INVALID' })
    // The caller does not give a public key, so verify uses the key that the ledger declares.
    expect((await checked(path, { witnessPolicy })).codes).toEqual(['WITNESS_QUORUM_MISSING@-'])
    expect(
      (await checked(path, { publicKeys: [createNoteKey(OTHER, testKey(9).publicKey)], witnessPolicy })).codes,
    ).toContain('WITNESS_QUORUM_MISSING@-')
  })
})

describe.each(KINDS)('the tail counts from the largest checkpoint of the grade that is asked for, %s', (kind) => {
  const policy = parseWitnessPolicy(QUORUM)
  const MORE = Array.from({ length: 5 }, (_, n) => decisionDraft(n + 10))

  async function grown(): Promise<{ path: string; kept: string }> {
    const path = await ledgerOf(kind, DRAFTS)
    const kept = await headIn(path)
    keepCosigned(path, await cosigned(kept, [WITNESS]))
    await write(kind, path, MORE)
    return { path, kept }
  }

  it.each<[string, (kept: string) => VerifyOptions, number, string]>([
    ['signed: the head', () => ({ require: 'signed' }), 0, 'signed'],
    ['anchored: what was kept elsewhere', (kept) => ({ require: 'anchored', checkpoints: [kept] }), 5, 'anchored'],
    ['witnessed: what the quorum saw', () => ({ require: 'witnessed', witnessPolicy: policy }), 5, 'witnessed'],
    ['a policy asks for witnesses', () => ({ witnessPolicy: policy }), 5, 'witnessed'],
    ['a policy without quorum does not', () => ({ witnessPolicy: parseWitnessPolicy('quorum none\n') }), 0, 'signed'],
    ['nothing is asked for', (kept) => ({ checkpoints: [kept] }), 0, 'anchored'],
  ])('%s', async (_, more, tail, verdict) => {
    const { path, kept } = await grown()
    const options = { ...withKey, ...more(kept) }
    expect(await checked(path, { ...options, maxTail: tail })).toEqual({ codes: [], verdict })
    if (tail > 0) {
      expect(await checked(path, { ...options, maxTail: tail - 1 })).toEqual({
        codes: ['TAIL_TOO_LONG@-'],
        verdict: 'broken',
      })
    }
  })

  it('the report says how far each of them reaches', async () => {
    const { path, kept } = await grown()
    const report = await verifyFile(path, { ...withKey, checkpoints: [kept], witnessPolicy: policy })
    expect(report).toMatchObject({ entries: 9, tail: 0, anchored_to: 4, witnessed_to: 4 })
    expect(await verifyFile(path, withKey)).toMatchObject({ anchored_to: null, witnessed_to: null })
    const latest = await headIn(path)
    expect(await verifyFile(path, { ...withKey, checkpoints: [kept, latest, kept] })).toMatchObject({ anchored_to: 9 })
  })

  it('without a checkpoint of the grade, every entry is in the tail', async () => {
    const { path } = await grown()
    const none = parseWitnessPolicy(`witness w ${testWitness(2).vkey}\nquorum w\n`)
    const { codes } = await checked(path, { ...withKey, require: 'witnessed', witnessPolicy: none, maxTail: 8 })
    expect(codes).toEqual(['WITNESS_QUORUM_MISSING@-', 'TAIL_TOO_LONG@-'])
  })
})

describe.each(KINDS)('the age of that checkpoint, %s', (kind) => {
  const NOW = EPOCH_MS + 10_000_000
  const clock = () => new Date(NOW)
  const cosignedAt = async (note: string, times: readonly (readonly [n: number, seconds: number])[]) => {
    const { text, signatures } = parseNote(note)
    const more = await Promise.all(
      times.map(([n, seconds]) =>
        createSignature(
          text,
          createCosigner(`witness${n}.example.com`, testSigner(100 + n), () => seconds),
        ),
      ),
    )
    return encodeNote({ text, signatures: [...signatures, ...more] })
  }
  const two = parseWitnessPolicy(
    `${[1, 2, 3].map((n) => `witness w${n} ${testWitness(n).vkey}\n`).join('')}group g 2 w1 w2 w3\nquorum g\n`,
  )
  const seconds = NOW / 1000

  it.each<[string, readonly (readonly [number, number])[], number, string[]]>([
    [
      'as old as the second newest of two',
      [
        [1, seconds - 10],
        [2, seconds - 100],
      ],
      100,
      [],
    ],
    [
      'a second too old',
      [
        [1, seconds - 10],
        [2, seconds - 101],
      ],
      100,
      ['CHECKPOINT_TOO_OLD@-'],
    ],
    [
      'the newest two of three complete the quorum',
      [
        [1, seconds - 9e6],
        [2, seconds - 5],
        [3, seconds - 6],
      ],
      6,
      [],
    ],
    [
      'one fresh witness is not a quorum',
      [
        [1, seconds - 9e6],
        [2, seconds],
        [3, seconds - 9e6],
      ],
      6,
      ['CHECKPOINT_TOO_OLD@-'],
    ],
    [
      'in the future, by more than clocks differ',
      [
        [1, seconds + 400],
        [2, seconds + 400],
      ],
      100,
      ['CHECKPOINT_TOO_OLD@-'],
    ],
    [
      'in the future, by less',
      [
        [1, seconds + 200],
        [2, seconds + 200],
      ],
      0,
      [],
    ],
    [
      'in 2017',
      [
        [1, 1_500_000_000],
        [2, 1_500_000_000],
      ],
      86_400,
      ['CHECKPOINT_TOO_OLD@-'],
    ],
  ])('witnessed: %s', async (_, times, maxAgeSeconds, codes) => {
    const path = await ledgerOf(kind, DRAFTS)
    keepCosigned(path, await cosignedAt(await headIn(path), times))
    const options = { ...withKey, witnessPolicy: two, maxAgeSeconds, clock }
    expect((await checked(path, options)).codes).toEqual(codes)
  })

  it('anchored and signed: recorded_at of its last entry, by the word of the writer', async () => {
    const path = await ledgerOf(kind, DRAFTS, { clock: () => new Date(NOW - 90_000) })
    const kept = await headIn(path)
    await write(kind, path, [decisionDraft(10)], { clock: () => new Date(NOW - 10_000) })
    const anchored = { ...withKey, checkpoints: [kept], require: 'anchored', clock } as const
    expect((await checked(path, { ...anchored, maxAgeSeconds: 90 })).codes).toEqual([])
    const report = await verifyFile(path, { ...anchored, maxAgeSeconds: 89 })
    expect(codesOf(report)).toEqual(['CHECKPOINT_TOO_OLD@-'])
    expect(report.findings[0]?.message).toContain("by the writer's clock")
    expect((await checked(path, { ...withKey, require: 'signed', clock, maxAgeSeconds: 10 })).codes).toEqual([])
    expect((await checked(path, { ...withKey, require: 'signed', clock, maxAgeSeconds: 9 })).codes).toEqual([
      'CHECKPOINT_TOO_OLD@-',
    ])
  })

  it('without such a checkpoint, its age is unknown', async () => {
    const path = await ledgerOf(kind, DRAFTS)
    const { codes } = await checked(path, { ...withKey, require: 'anchored', maxAgeSeconds: 1e9, clock })
    expect(codes).toEqual(['CHECKPOINT_TOO_OLD@-'])
  })

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('a limit of %s is refused', async (limit) => {
    const path = await ledgerOf(kind, DRAFTS)
    await expect(verifyFile(path, { maxAgeSeconds: limit })).rejects.toThrow(RangeError)
    await expect(verifyFile(path, { maxTail: limit })).rejects.toThrow(RangeError)
  })
})
