import { encodeBase64 } from '@sudoagent/crypto/bytes'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isLong } from '../../../test/tier.js'
import {
  encodeAddCheckpoint,
  PROOF_LINES_MAX,
  parseAddCheckpoint,
  SUBMISSION_BYTES_MAX,
} from '../src/add-checkpoint.js'
import { codeOf } from './fixtures/errors.js'
import { bytesOf, TestLog } from './fixtures/log.js'

/** The example from the tlog-witness specification. */
const EXAMPLE = `old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
`
const [OLD = ''] = EXAMPLE.split('\n')
const CHECKPOINT = EXAMPLE.slice(EXAMPLE.indexOf('\n\n') + 2)
const HASH = encodeBase64(new Uint8Array(32).fill(7))

test('reads the example of the specification, and writes it again', () => {
  const submission = parseAddCheckpoint(bytesOf(EXAMPLE))
  expect(submission.oldSize).toBe(20852014)
  expect(submission.proof.map(encodeBase64)).toEqual(EXAMPLE.split('\n').slice(1, 5))
  expect(submission.claim).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20852163, extensions: [] })
  expect(submission.checkpoint).toBe(CHECKPOINT)
  expect(encodeAddCheckpoint(submission)).toBe(EXAMPLE)
})

test('reads a request without a proof, with 63 lines of it, and from size 2^53 − 1', () => {
  for (const [old, count] of [
    ['old 0', 0],
    ['old 1', PROOF_LINES_MAX],
    ['old 9007199254740991', 0],
  ] as const) {
    const { proof } = parseAddCheckpoint(bytesOf(`${old}\n${`${HASH}\n`.repeat(count)}\n${CHECKPOINT}`))
    expect(proof).toHaveLength(count)
  }
})

describe('refuses', () => {
  const from = (head: string): string => `${head}\n\n${CHECKPOINT}`
  test.each([
    ['nothing', ''],
    ['a checkpoint alone', CHECKPOINT],
    ['no old size', from(HASH)],
    ['old without a size', from('old')],
    ['old and a space', from('old ')],
    ['two spaces', from('old  1')],
    ['a tab', from('old\t1')],
    ['capitals', from('Old 1')],
    ['a leading zero', from('old 01')],
    ['a sign', from('old +1')],
    ['a negative size', from('old -1')],
    ['a fraction', from('old 1.0')],
    ['an exponent', from('old 1e3')],
    ['hex', from('old 0x1')],
    ['a size beyond 2^53 − 1', from('old 9007199254740992')],
    ['a size of 17 digits', from('old 10000000000000000')],
    ['something behind the size', from('old 1 2')],
    ['an empty first line', `\n${EXAMPLE}`],
    ['64 lines of proof', from(`old 1\n${`${HASH}\n`.repeat(64).trimEnd()}`)],
    ['a hundred thousand empty lines', from(`old 1${'\nx'.repeat(100_000)}`)],
    ['a hash of 31 bytes', from(`old 1\n${encodeBase64(new Uint8Array(31))}`)],
    ['a hash of 33 bytes', from(`old 1\n${encodeBase64(new Uint8Array(33))}`)],
    ['base64 with stray bits', from(`old 1\n${HASH.slice(0, -2)}d=`)],
    ['base64 without padding', from(`old 1\n${HASH.slice(0, -1)}`)],
    ['a space behind a hash', from(`old 1\n${HASH} `)],
    ['carriage returns', EXAMPLE.replaceAll('\n', '\r\n')],
    ['one carriage return', EXAMPLE.replace('\n', '\r\n')],
    ['NUL behind the size', from('old 1\0')],
    ['NUL in the checkpoint', EXAMPLE.replace('sofa', 'so\0fa')],
    ['no blank line', EXAMPLE.replace('\n\n', '\n')],
    ['two blank lines', EXAMPLE.replace('\n\n', '\n\n\n')],
    ['a checkpoint without signatures', `${OLD}\n\nexample.com/log\n1\n${HASH}\n`],
    ['a note that is no checkpoint', EXAMPLE.replace('\n20852163\n', '\nmany\n')],
    ['a size of 0 with a root', EXAMPLE.replace('\n20852163\n', '\n0\n')],
    ['no line feed at the end', EXAMPLE.slice(0, -1)],
    ['101 signatures', EXAMPLE + (EXAMPLE.split('\n').at(-2) ?? '').concat('\n').repeat(99)],
    ['a byte order mark', `\ufeff${EXAMPLE}`],
  ])('%s', async (_, text) => {
    expect(await codeOf(() => parseAddCheckpoint(bytesOf(text)))).toBe('SUBMISSION_INVALID')
  })

  test('what is no UTF-8, and what is too long', async () => {
    const bytes = bytesOf(EXAMPLE)
    bytes[3] = 0xff
    expect(await codeOf(() => parseAddCheckpoint(bytes))).toBe('SUBMISSION_INVALID')
    expect(await codeOf(() => parseAddCheckpoint(new Uint8Array(SUBMISSION_BYTES_MAX + 1)))).toBe('SUBMISSION_INVALID')
  })

  test('to write what it would not read', async () => {
    const good = parseAddCheckpoint(bytesOf(EXAMPLE))
    for (const bad of [
      { oldSize: -1 },
      { oldSize: 1.5 },
      { oldSize: Number.NaN },
      { oldSize: 2 ** 53 },
      { proof: [new Uint8Array(31)] },
      { proof: Array.from({ length: 64 }, () => new Uint8Array(32)) },
      { checkpoint: 'x' },
      { checkpoint: `${HASH}\n\n${CHECKPOINT}` },
      { checkpoint: `\n${CHECKPOINT}` },
    ]) {
      expect(await codeOf(() => encodeAddCheckpoint({ ...good, ...bad }))).toBe('SUBMISSION_INVALID')
    }
  })
})

describe('properties', () => {
  test('what is written is read again', async () => {
    const checkpoint = await new TestLog().checkpoint(7)
    const hashes = fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 63 })
    fc.assert(
      fc.property(fc.maxSafeNat(), hashes, (oldSize, proof) => {
        const read = parseAddCheckpoint(bytesOf(encodeAddCheckpoint({ oldSize, proof, checkpoint })))
        expect(read.oldSize).toBe(oldSize)
        expect(read.proof.map((hash) => [...hash])).toEqual(proof.map((hash) => [...hash]))
        expect(read.checkpoint).toBe(checkpoint)
      }),
      { numRuns: 50 },
    )
  })

  test('a changed byte is refused, or read as what it says', async () => {
    const bytes = bytesOf(EXAMPLE)
    for (let at = 0; at < bytes.length; at++) {
      for (const mask of isLong ? [1, 4, 32, 128] : [at % 2 === 0 ? 1 : 32]) {
        const changed = bytes.map((byte, i) => (i === at ? byte ^ mask : byte))
        try {
          expect(bytesOf(encodeAddCheckpoint(parseAddCheckpoint(changed)))).toEqual(changed)
        } catch (error) {
          expect(error).toMatchObject({ code: 'SUBMISSION_INVALID' })
        }
      }
    }
  })
})
