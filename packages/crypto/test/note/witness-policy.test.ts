import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openCheckpoint, signCheckpoint } from '../../src/note/checkpoint.js'
import { createCosigner } from '../../src/note/cosignature.js'
import { parseNote, signNote } from '../../src/note/note.js'
import { encodeVkey } from '../../src/note/note-key.js'
import { createNoteVerifier } from '../../src/note/note-signer.js'
import {
  cosignerNames,
  parseWitnessPolicy,
  policyVerifiers,
  quorumReached,
  type WitnessPolicy,
} from '../../src/note/witness-policy.js'
import { codeOf } from '../fixtures/errors.js'
import { A, B, C, D, E, EXAMPLE, F, LOG_VKEY, SIX, TWO } from '../fixtures/policies.js'
import { flips, LOG, NEW_LOG, OTHER_LOG, signerOf } from '../fixtures/signed-notes.js'

const reached = (text: string, ...names: string[]): boolean => quorumReached(parseWitnessPolicy(text), new Set(names))

test('reads the example of the specification', () => {
  const policy = parseWitnessPolicy(EXAMPLE)
  expect(policy.logs).toEqual([{ key: LOG.key, url: null }])
  expect([...policy.witnesses.keys()]).toEqual(['X1', 'X2', 'X3', 'Y1', 'Y2', 'Y3'])
  expect(policy.witnesses.get('Y2')).toEqual({ key: SIX[4]?.key, url: null })
  expect(policy.groups.get('X-witnesses')).toEqual({ threshold: 2, members: ['X1', 'X2', 'X3'] })
  expect(policy.groups.get('X-and-Y')).toEqual({ threshold: 2, members: ['X-witnesses', 'Y-witnesses'] })
  expect(policy.quorum).toBe('X-and-Y')
  expect(parseWitnessPolicy(new TextEncoder().encode(EXAMPLE))).toEqual(policy)
})

test('counts as the example says', () => {
  expect(reached(EXAMPLE, 'X1', 'X3', 'Y2')).toBe(true)
  expect(reached(EXAMPLE, 'X1', 'X2', 'X3', 'Y1', 'Y2', 'Y3')).toBe(true)
  expect(reached(EXAMPLE, 'X1', 'Y1', 'Y2', 'Y3')).toBe(false)
  expect(reached(EXAMPLE, 'X1', 'X2', 'X3')).toBe(false)
  expect(reached(EXAMPLE)).toBe(false)
})

describe('quorumReached', () => {
  test('one witness, all, any, a number', () => {
    expect(reached(`${TWO}quorum a\n`, 'a')).toBe(true)
    expect(reached(`${TWO}quorum a\n`, 'b')).toBe(false)
    expect(reached(`${TWO}group g all a b\nquorum g\n`, 'b')).toBe(false)
    expect(reached(`${TWO}group g all a b\nquorum g\n`, 'b', 'a')).toBe(true)
    expect(reached(`${TWO}group g any a b\nquorum g\n`, 'b')).toBe(true)
    expect(reached(`${TWO}group g 2 a b\nquorum g\n`, 'b')).toBe(false)
  })

  test('none needs none, and says so', () => {
    const policy = parseWitnessPolicy('quorum none\n')
    expect(policy).toEqual({ logs: [], witnesses: new Map(), groups: new Map(), quorum: null })
    expect(quorumReached(policy, new Set())).toBe(true)
    expect(reached(`${TWO}quorum none\n`)).toBe(true)
  })

  test('names of groups, of nobody and of Object.prototype count for nothing', () => {
    const text = `${TWO}group g all a b\nquorum g\n`
    expect(reached(text, 'g', 'none', 'all', 'any', 'constructor', '__proto__', 'a ')).toBe(false)
  })
})

describe('takes', () => {
  test('spaces, tabs, empty lines and comments', () => {
    const text = `# a comment\n \t # another, with ümlauts \u2028 and \t tabs\n\n \t\n\t witness \t a  ${A}\t\n quorum  a \n# end\n`
    expect(parseWitnessPolicy(text).witnesses.size).toBe(1)
  })

  test('addresses as they are written', () => {
    const text = `log ${LOG_VKEY} anything://at+all\nwitness a ${A} https://bücher.example/#x\nquorum a\n`
    const policy = parseWitnessPolicy(text)
    expect(policy.logs[0]?.url).toBe('anything://at+all')
    expect(policy.witnesses.get('a')?.url).toBe('https://bücher.example/#x')
  })

  test('names that are opaque: nothing is normalised, nothing is a property', () => {
    const names = ['K', '\u212a', 'é', 'e\u0301', '__proto__', 'constructor']
    const text = names.map((name, i) => `witness ${name} ${[A, B, C, D, E, F][i]}\n`).join('')
    const policy = parseWitnessPolicy(`${text}group all all ${names.join(' ')}\ngroup 7 1 all\nquorum 7\n`)
    expect([...policy.witnesses.keys()]).toEqual(names)
    expect(quorumReached(policy, new Set(names))).toBe(true)
    expect(quorumReached(policy, new Set(['K', 'K', 'é', '__proto__', 'constructor']))).toBe(false)
  })

  test('a log with two keys, and a quorum above other lines', () => {
    const text = `witness a ${A}\nquorum a\nlog ${LOG_VKEY}\nlog ${encodeVkey(NEW_LOG.key)}\n`
    expect(parseWitnessPolicy(text).logs.map(({ key }) => key.name)).toEqual([LOG.name, LOG.name])
  })

  test('32 logs, witnesses and groups, as C2SP asks, and up to a hundred', () => {
    for (const count of [32, 100]) {
      const keys = Array.from({ length: count }, (_, i) => createCosigner(`w${i}`, signerOf(100 + i), () => 1).key)
      const lines = keys.map((key, i) => {
        const group = i === 0 ? 'group g0 any w0' : `group g${i} all g${i - 1} w${i}`
        const log = encodeVkey({
          ...OTHER_LOG.key,
          publicKey: createCosigner('log', signerOf(i), () => 1).key.publicKey,
        })
        return `log ${log}\nwitness w${i} ${encodeVkey(key)}\n${group}\n`
      })
      const policy = parseWitnessPolicy(`${lines.join('')}quorum g${count - 1}\n`)
      expect([policy.logs.length, policy.witnesses.size, policy.groups.size]).toEqual([count, count, count])
      const all = new Set(keys.map(({ name }) => name))
      expect(quorumReached(policy, all)).toBe(true)
      all.delete('w0')
      expect(quorumReached(policy, all)).toBe(false)
    }
  })
})

describe('verifiers', () => {
  const checkpoint = { origin: LOG.name, size: 1, root: new Uint8Array(32), extensions: [] }
  const policy = parseWitnessPolicy(EXAMPLE)
  const logs = policy.logs.map(({ key }) => createNoteVerifier(key))
  const witnesses = policyVerifiers(policy)
  const namesOf = (signed: string): ReadonlySet<string> => {
    const { cosignatures } = openCheckpoint(
      signed,
      logs,
      witnesses.map(({ verifier }) => verifier),
    )
    return cosignerNames(witnesses, cosignatures)
  }

  test('lead from a cosigned checkpoint to the names of the policy', async () => {
    const signed = await signCheckpoint(checkpoint, [LOG])
    const { text, signatures } = parseNote(signed)
    expect(namesOf(signed)).toEqual(new Set())
    const strangers = createCosigner('witness.example/w0', signerOf(99), () => 1)
    const cosigned = await signNote(text, [...SIX.slice(1, 4), strangers], signatures)
    expect(namesOf(cosigned)).toEqual(new Set(['X2', 'X3', 'Y1']))
    expect(quorumReached(policy, namesOf(cosigned))).toBe(true)
  })

  test('and a cosignature that does not hold rejects the note', async () => {
    const { text, signatures } = parseNote(await signCheckpoint(checkpoint, [LOG]))
    const cosigned = await signNote(text, SIX, signatures)
    const line = cosigned.slice(cosigned.indexOf('— witness.example/w3'))
    const forged = line.replace(/.(?=....\n)/, (char) => (char === 'A' ? 'B' : 'A'))
    expect(codeOf(() => namesOf(cosigned.replace(line, forged)))).toBe('SIGNATURE_INVALID')
  })
})

describe('properties', () => {
  /** A tree of witness groups, and the witnesses that signed. */
  const tree = fc.record({
    parts: fc.array(fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 5 })), { minLength: 1, maxLength: 5 }),
    signed: fc.subarray(['w0', 'w1', 'w2', 'w3', 'w4', 'w5']),
  })

  /**
   * Builds the policy text for such a tree, and a function that computes the expected result without using the package.
   */
  function build(parts: readonly (readonly [number, number])[]) {
    const free = ['w0', 'w1', 'w2', 'w3', 'w4', 'w5']
    const counts = new Map<string, (names: ReadonlySet<string>) => boolean>()
    for (const name of free) counts.set(name, (names) => names.has(name))
    let text = [A, B, C, D, E, F].map((vkey, i) => `witness w${i} ${vkey}\n`).join('')
    let last = 'w0'
    for (const [i, [more, k]] of parts.entries()) {
      const members = free.splice(0, more + 1)
      if (members.length === 0) break
      const threshold = (k % members.length) + 1
      const rules = members.map((member) => counts.get(member))
      last = `g${i}`
      text += `group ${last} ${threshold} ${members.join(' ')}\n`
      counts.set(last, (names) => rules.filter((rule) => rule?.(names)).length >= threshold)
      free.push(last)
    }
    return { text: `${text}quorum ${last}\n`, rule: counts.get(last) }
  }

  test('counts as its definition does, and never less when more have signed', () => {
    fc.assert(
      fc.property(tree, fc.nat({ max: 5 }), ({ parts, signed }, one) => {
        const { text, rule } = build(parts)
        const policy: WitnessPolicy = parseWitnessPolicy(text)
        const names = new Set(signed)
        const enough = quorumReached(policy, names)
        expect(enough).toBe(rule?.(names))
        if (enough) expect(quorumReached(policy, new Set([...signed, `w${one}`]))).toBe(true)
        expect(quorumReached(policy, new Set())).toBe(false)
      }),
      { numRuns: 60 },
    )
  })

  test('lines in disorder are read or refused, never anything else', () => {
    const lines = EXAMPLE.split('\n')
    const line = fc.oneof(fc.constantFrom(...lines, 'quorum none'), fc.string({ maxLength: 12 }))
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (chosen) => {
        const text = chosen.map((one) => `${one}\n`).join('')
        try {
          expect(parseWitnessPolicy(text).quorum).not.toBe(undefined)
        } catch (error) {
          expect(
            codeOf(() => {
              throw error
            }),
          ).toBe('POLICY_INVALID')
        }
      }),
      { numRuns: 200 },
    )
  })

  test('a flipped bit leaves another policy or none, and never a weaker key', () => {
    const text = `witness a ${A}\nquorum a\n`
    let refused = 0
    for (const bytes of flips(text)) {
      try {
        const [witness] = parseWitnessPolicy(bytes).witnesses.values()
        // A flip may change the policy, but must not change the witness key.
        if (witness !== undefined) expect(witness.key.keyHash).toBe(SIX[0]?.keyHash)
      } catch (error) {
        expect(
          codeOf(() => {
            throw error
          }),
        ).toBe('POLICY_INVALID')
        refused++
      }
    }
    expect(refused).toBeGreaterThan(text.length * 7)
  })
})
