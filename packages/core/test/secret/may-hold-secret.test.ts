import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKeyRules } from '../../src/secret/name/name-rules.js'
import { redactPairs } from '../../src/secret/pair-rules.js'
import { mayHoldSecret, redactSecrets } from '../../src/secret/shape/shape-rules.js'

describe('mayHoldSecret', () => {
  const prefixes = [
    'sk-',
    'sk_live_',
    'rk_test_',
    'whsec_',
    'ghp_',
    'github_pat_',
    'xoxb-',
    'xapp-',
    'glpat-',
    'glagent-',
  ]
  const more = [
    'npm_',
    'AIza',
    'ya29.',
    'AKIA',
    'ASIA',
    'hf_',
    'pypi-',
    'SG.',
    'gsk_',
    'dop_v1_',
    'shpat_',
    'dckr_pat_',
  ]
  const others = ['AGE-SECRET-KEY-1', 'Bearer ', 'BASIC\t', 'eyJ', '://', '@', '-----BEGIN A', '-----END A-----']
  const pairs = ['password', '--token', 'secret', '=', '=>', ':=', ':', '%3D', '%3d', ' ', '"', "'", '[', ']', '\\']
  const pieces = [
    ...prefixes,
    ...more,
    ...others,
    ...pairs,
    'aB3dE5gH'.repeat(5),
    'aB3',
    '0',
    'word',
    '.',
    '-',
    '_',
    '/',
    '\n',
    'é',
  ]

  it('lets no text pass of which a rule would take something', () => {
    const rules = createKeyRules(['word', 'aB'])
    let taken = 0
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 8 }), (parts) => {
        const text = parts.join('')
        if (redactPairs(redactSecrets(text), rules) === text) return
        taken += 1
        expect(mayHoldSecret(text), text).toBe(true)
      }),
      { numRuns: 20_000 },
    )
    expect(taken).toBeGreaterThan(2_000)
  })

  it('finds each piece that a rule begins with', () => {
    for (const piece of [...prefixes, ...more, ...others.slice(0, 5), '=', ':', '%3D', '--token'])
      expect(mayHoldSecret(`a ${piece}b`), piece).toBe(true)
  })

  it('spares what agents mostly say the search rule by rule', () => {
    for (const text of ['EUR', 'ord-17', 'damaged on arrival', '2026-01-02', 'a_b', 'support.bot@example.org', ''])
      expect(mayHoldSecret(text), text).toBe(false)
  })
})
