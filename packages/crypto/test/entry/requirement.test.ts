import { expect, it } from 'vitest'
import { sha256Hex } from '../../src/bytes/hash.js'
import {
  assertedRequirement,
  hashRequirement,
  type Requirement,
  requirementMisfit,
  requirementRows,
} from '../../src/entry/requirement.js'

const HASH = 'a'.repeat(64)
const ASSERTED = assertedRequirement('refunds')
const SIGNED = {
  rule: null,
  factors: [
    { group: 'finance', approvals: 2 },
    { group: null, approvals: 1 },
  ],
  assurance: 'signed',
  registry_hash: HASH,
}

it('accepts one approval by anybody, and signed approvals by groups of a registry', () => {
  expect(requirementMisfit(ASSERTED)).toBeNull()
  expect(requirementMisfit(assertedRequirement(null))).toBeNull()
  expect(requirementMisfit(SIGNED)).toBeNull()
})

it.each([
  [null, 'requirement'],
  [[], 'requirement'],
  [{}, 'requirement.rule'],
  [{ ...ASSERTED, rule: '' }, 'requirement.rule'],
  [{ ...ASSERTED, rule: 'r'.repeat(257) }, 'requirement.rule'],
  [{ ...ASSERTED, more: 1 }, 'requirement.more'],
  [{ ...ASSERTED, assurance: 'session' }, 'requirement.assurance'],
  [{ ...ASSERTED, registry_hash: HASH }, 'requirement.registry_hash'],
  [{ ...SIGNED, registry_hash: null }, 'requirement.registry_hash'],
  [{ ...SIGNED, registry_hash: 'A'.repeat(64) }, 'requirement.registry_hash'],
  [{ ...ASSERTED, factors: [] }, 'requirement.factors'],
  [{ ...ASSERTED, factors: [{ group: null, approvals: 2 }] }, 'requirement.factors'],
  [{ ...ASSERTED, factors: [{ group: 'finance', approvals: 1 }] }, 'requirement.factors'],
  [{ ...SIGNED, factors: Array(9).fill({ group: 'a', approvals: 1 }) }, 'requirement.factors'],
  [{ ...SIGNED, factors: Array(2).fill({ group: 'a', approvals: 9 }) }, 'requirement.factors'],
  [{ ...SIGNED, factors: [{ group: 'a', approvals: 0 }] }, 'requirement.factors[0].approvals'],
  [{ ...SIGNED, factors: [{ group: 'a', approvals: 1.5 }] }, 'requirement.factors[0].approvals'],
  [{ ...SIGNED, factors: [{ group: 'A', approvals: 1 }] }, 'requirement.factors[0].group'],
  [{ ...SIGNED, factors: [{ group: 'a', approvals: 1, by: 1 }] }, 'requirement.factors[0].by'],
])('refuses %j at %s', (value, path) => {
  expect(requirementMisfit(value)).toBe(path)
})

it('hashes the canonical form', () => {
  const text = '{"assurance":"asserted","factors":[{"approvals":1,"group":null}],"registry_hash":null,"rule":"refunds"}'
  expect(hashRequirement(ASSERTED)).toBe(sha256Hex(text))
})

it('has rows for people', () => {
  expect(requirementRows(ASSERTED)).toEqual([
    ['rule', 'refunds'],
    ['needs', '1 approval'],
  ])
  expect(requirementRows(SIGNED as unknown as Requirement)).toEqual([
    ['needs', 'signed approvals: 2 of finance, 1 of any approver'],
    ['registry', HASH],
  ])
})
