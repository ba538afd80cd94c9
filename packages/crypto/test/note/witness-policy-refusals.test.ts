import { describe, expect, test } from 'vitest'
import { generatePrivateKey } from '../../src/key/key.js'
import { createSigner } from '../../src/key/signature.js'
import { createCosigner } from '../../src/note/cosignature.js'
import { createNoteKey, encodeVkey } from '../../src/note/note-key.js'
import { parseWitnessPolicy } from '../../src/note/witness-policy.js'
import { cryptoErrorOf } from '../fixtures/errors.js'
import { A, B, LOG_VKEY, lineOf, TWO } from '../fixtures/policies.js'
import { LOG, signerOf } from '../fixtures/signed-notes.js'

/** The same public key under a log name and under a witness name. */
const SELF_LOG = encodeVkey(createNoteKey('self.example/log', signerOf(77).publicKey))
const SELF_WITNESS = encodeVkey(createNoteKey('self.example/witness', signerOf(77).publicKey, 'cosignature'))

describe('refuses, with the line', () => {
  test.each([
    ['a group of more than its members', `${TWO}group g 3 a b\nquorum g\n`, 3],
    ['a group of nobody', `${TWO}group g 0 a b\nquorum g\n`, 3],
    ['a group without members', `${TWO}group g all\nquorum g\n`, 3],
    ['a group without a number', `${TWO}group g\nquorum g\n`, 3],
    ['a negative threshold', `${TWO}group g -1 a b\nquorum g\n`, 3],
    ['a threshold with a leading zero', `${TWO}group g 01 a b\nquorum g\n`, 3],
    ['a threshold in hex', `${TWO}group g 0x1 a b\nquorum g\n`, 3],
    ['a huge threshold', `${TWO}group g 99999999999999999999 a b\nquorum g\n`, 3],
    ['a threshold in capitals', `${TWO}group g ALL a b\nquorum g\n`, 3],
    ['a witness name twice', `witness a ${A}\nwitness a ${B}\nquorum a\n`, 2],
    ['a group named like a witness', `${TWO}group a any b\nquorum a\n`, 3],
    ['a witness named like a group', `witness a ${A}\ngroup g any a\nwitness g ${B}\nquorum a\n`, 3],
    ['a witness named none', `witness none ${A}\nquorum none\n`, 1],
    ['a group named none', `${TWO}group none any a\nquorum none\n`, 3],
    ['none as a member', `${TWO}group g any a none\nquorum g\n`, 3],
    ['a member twice in a group', `${TWO}group g 2 a a\nquorum g\n`, 3],
    ['a member in two groups', `${TWO}group g any a b\ngroup h any g a\nquorum h\n`, 4],
    ['an unknown member', `${TWO}group g any a c\nquorum g\n`, 3],
    ['a member further down', `${TWO}group g any h\ngroup h any a\nquorum g\n`, 3],
    ['a group in itself', `${TWO}group g any a g\nquorum g\n`, 3],
    ['an unknown quorum', `${TWO}quorum c\n`, 3],
    ['a quorum further down', `quorum a\nwitness a ${A}\n`, 1],
    ['a log as quorum', `log ${LOG_VKEY}\nquorum ${LOG.name}\n`, 2],
    ['two quorum lines', `${TWO}quorum a\nquorum a\n`, 4],
    ['a second quorum after none', `${TWO}quorum none\nquorum a\n`, 4],
    ['no quorum', TWO, 2],
    ['a quorum in a comment', `${TWO}# quorum a\n`, 3],
    ['nothing', '', 0],
    ['an empty line only', '\n', 1],
    ['a quorum of nothing', `${TWO}quorum\n`, 3],
    ['a quorum of two', `${TWO}quorum a b\n`, 3],
    ['a comment behind a line', `${TWO}quorum a # this one\n`, 3],
    ['the same log key twice', `log ${LOG_VKEY}\nlog ${LOG_VKEY} https://x.example\nquorum none\n`, 2],
    ['the same witness key under two names', `witness a ${A}\nwitness b ${A}\nquorum a\n`, 2],
    ['a witness with the key of a log', `log ${SELF_LOG}\nwitness a ${SELF_WITNESS}\nquorum a\n`, 2],
    ['a log with the key of a witness', `witness a ${SELF_WITNESS}\nlog ${SELF_LOG}\nquorum a\n`, 2],
    [
      'a witness with the key of a log that it is not named after',
      `log ${LOG_VKEY}\nlog ${SELF_LOG}\nwitness b ${B}\nwitness a ${SELF_WITNESS}\nquorum b\n`,
      4,
    ],
    ['a log without a key', 'log\nquorum none\n', 1],
    ['a log with three items', `log ${LOG_VKEY} https://x.example more\nquorum none\n`, 1],
    ['a witness without a key', 'witness a\nquorum a\n', 1],
    ['a witness with four items', `witness a ${A} https://x.example more\nquorum a\n`, 1],
    ['a witness without a name', `witness ${A}\nquorum none\n`, 1],
    ['a vkey with another hash', `witness a ${A.replace(/\+[0-9a-f]{8}\+/, '+00000000+')}\nquorum a\n`, 1],
    ['a private key', 'witness a PRIVATE+KEY+w+00000000+AAAA\nquorum a\n', 1],
    ["a log's key for a witness", `witness a ${LOG_VKEY}\nquorum a\n`, 1],
    ["a witness's key for a log", `log ${A}\nquorum none\n`, 1],
    ['an unknown keyword', 'policy 1\nquorum none\n', 1],
    ['a keyword in capitals', 'QUORUM none\n', 1],
    ['a keyword of Object.prototype', 'constructor a\nquorum none\n', 1],
    ['a byte order mark', '\ufeffquorum none\n', 1],
    ['a no-break space', 'quorum\u00a0none\n', 1],
    ['a carriage return at the end', 'quorum none\r\n', 1],
    ['a carriage return in a comment', '# a\rb\nquorum none\n', 1],
    ['NUL', '\nquorum none\n#\0\n', 3],
    ['DEL', '# \x7f\nquorum none\n', 1],
    ['a vertical tab', 'quorum\x0bnone\n', 1],
    ['a last line without its line feed', `${TWO}quorum a`, 3],
  ])('%s', (_, text, line) => {
    expect(lineOf(text)).toBe(line)
  })

  test('the same public key under another key name', () => {
    const again = createCosigner('elsewhere.example/w', signerOf(10), () => 1)
    expect(lineOf(`witness a ${A}\nwitness b ${encodeVkey(again.key)}\nquorum a\n`)).toBe(2)
  })

  test('two keys that their signatures could not tell apart', () => {
    // Among 100,000 keys with the same name, these two have the same key hash.
    const [one, two] = [88939, 106782].map((seed) => {
      const bytes = new Uint8Array(32)
      new DataView(bytes.buffer).setUint32(0, seed)
      return createCosigner('w', createSigner(generatePrivateKey(() => bytes)), () => 1).key
    })
    if (one === undefined || two === undefined) throw new Error('no keys')
    expect([one.keyHash, two.keyHash]).toEqual(['674c4489', '674c4489'])
    expect(lineOf(`witness a ${encodeVkey(one)}\nwitness b ${encodeVkey(two)}\nquorum a\n`)).toBe(2)
  })

  test('what is no UTF-8, a lone surrogate, and what is no text', () => {
    expect(lineOf(Uint8Array.of(0x23, 0xff, 0x0a))).toBe(0)
    expect(lineOf('# \ud800\nquorum none\n')).toBe(0)
    // Callers in plain JavaScript may pass any value.
    for (const odd of [null, undefined, 7, {}, []]) {
      expect(() => parseWitnessPolicy(odd as unknown as string)).toThrow(TypeError)
    }
  })

  test('more than its limits', () => {
    const witness = (i: number): string => encodeVkey(createCosigner('w', signerOf(100 + i), () => 1).key)
    const many = Array.from({ length: 101 }, (_, i) => `witness w${i} ${witness(i)}\n`).join('')
    expect(lineOf(`${many}quorum w0\n`)).toBe(101)
    const logs = Array.from(
      { length: 101 },
      (_, i) => `log ${encodeVkey({ ...LOG.key, publicKey: signerOf(100 + i).publicKey })}\n`,
    ).join('')
    expect(lineOf(`${logs}quorum none\n`)).toBe(101)
    const groups = Array.from({ length: 101 }, (_, i) => `group g${i} any ${i === 0 ? 'a' : `g${i - 1}`}\n`).join('')
    expect(lineOf(`${TWO}${groups}quorum a\n`)).toBe(103)
    expect(parseWitnessPolicy(`${'#\n'.repeat(4095)}quorum none\n`).quorum).toBe(null)
    expect(lineOf(`${'#\n'.repeat(4096)}quorum none\n`)).toBe(0)
    const padding = 256 * 1024 - 'quorum none\n#\n'.length
    expect(parseWitnessPolicy(`quorum none\n#${'x'.repeat(padding)}\n`).quorum).toBe(null)
    expect(lineOf(`quorum none\n#${'x'.repeat(padding + 1)}\n`)).toBe(0)
    expect(lineOf(`quorum none\n#${'é'.repeat(padding / 2 + 1)}\n`)).toBe(0)
    expect(lineOf(new Uint8Array(10 ** 7))).toBe(0)
  })

  test('and repeats nothing of what it was given', () => {
    const { message } = cryptoErrorOf(() => parseWitnessPolicy('secret\u001b[31m\nquorum none\n'))
    expect(message).not.toMatch(/secret|\u001b/)
  })
})
