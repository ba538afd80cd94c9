import { describe, expect, it, vi } from 'vitest'
import { AllowAllPolicy, DenyAllPolicy, identifyPolicy, parsePolicyResult } from '../../src/policy/policy.js'

const evaluate = () => ({ decision: 'allow', reason: 'x' }) as const

describe('identifyPolicy', () => {
  it('names a policy by its id, never by its class: a minifier changes that', () => {
    class Refunds {
      evaluate = evaluate
    }
    class Named extends Refunds {
      get policyId() {
        return 'refunds'
      }
    }
    expect(identifyPolicy({ policyId: 'refunds', version: '2', evaluate })).toMatchObject({
      policyId: 'refunds',
      policyVersion: '2',
    })
    expect(() => identifyPolicy(new Refunds())).toThrow(/policyId/)
    expect(() => identifyPolicy({ version: '1', evaluate })).toThrow(/policyId/)
    expect(identifyPolicy(new Named())).toMatchObject({ policyId: 'refunds' })
  })

  it('the hash follows id, version and source, and nothing else', () => {
    const hash = (policy: object) => identifyPolicy(policy as never).policyHash
    const base = { policyId: 'p', version: '1', evaluate }
    expect(hash({ ...base })).toBe(hash({ ...base, extra: 1 }))
    const others = [
      { ...base, policyId: 'q' },
      { ...base, version: '2' },
      { ...base, evaluate: () => evaluate() },
    ]
    expect(new Set([base, ...others].map(hash)).size).toBe(4)
  })

  it('without version and hash it is `unversioned`, and that is warned of once', () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const plain = { policyId: 'never-versioned', evaluate }
    const identity = identifyPolicy(plain)
    identifyPolicy({ ...plain })
    expect(identity).toMatchObject({ policyVersion: 'unversioned' })
    expect(identity.policyHash).toMatch(/^[0-9a-f]{64}$/)
    expect(warn.mock.calls).toEqual([
      [expect.stringContaining('`never-versioned`'), { code: 'SUDOAGENT_POLICY_UNVERSIONED' }],
    ])
    const versioned = [
      { version: '1' },
      { policyHash: 'ab'.repeat(32) },
      { version: '1', policyHash: 'ab'.repeat(32) },
    ].map((more) => identifyPolicy({ ...plain, policyId: 'versioned', ...more }).policyVersion)
    expect(versioned).toEqual(['1', null, '1'])
    expect(warn).toHaveBeenCalledTimes(1)
    warn.mockRestore()
  })

  it('an explicit hash counts; one that is no hash is refused', () => {
    const policyHash = 'ab'.repeat(32)
    expect(identifyPolicy({ policyId: 'p', policyHash, evaluate }).policyHash).toBe(policyHash)
    expect(() => identifyPolicy({ policyId: 'p', policyHash: policyHash.toUpperCase(), evaluate })).toThrow(TypeError)
  })

  it.each([
    null,
    undefined,
    1,
    evaluate,
    {},
    { policyId: 'p' },
    { evaluate },
    { policyId: '', evaluate },
    { policyId: 1, evaluate },
  ])('%s is no policy', (policy) => {
    expect(() => identifyPolicy(policy as never)).toThrow(TypeError)
  })
})

describe('parsePolicyResult', () => {
  it('fills in the standard reason codes', () => {
    const code = (decision: string) => parsePolicyResult({ decision, reason: 'x' }).reasonCode
    expect(['allow', 'deny', 'require_approval'].map(code)).toEqual([
      'POLICY_ALLOW_LOW_RISK',
      'POLICY_DENY_HIGH_RISK',
      'POLICY_REQUIRE_APPROVAL_HIGH_VALUE',
    ])
  })

  it('returns the time for an approval, and ignores it without one', () => {
    const timeOf = (decision: string, approval?: unknown) =>
      parsePolicyResult({ decision, reason: 'x', approval }).withinMs
    expect(timeOf('require_approval')).toBeNull()
    expect([1, 604_800_000].map((within) => timeOf('require_approval', { within }))).toEqual([1, 604_800_000])
    expect(['allow', 'deny'].map((decision) => timeOf(decision, { within: 1 }))).toEqual([null, null])
  })

  it('reads each field once', () => {
    let reads = 0
    parsePolicyResult({
      get decision() {
        reads += 1
        return 'deny'
      },
      reason: 'x',
    })
    expect(reads).toBe(1)
  })

  it.each([
    undefined,
    true,
    'allow',
    [],
    {},
    Object.create({ decision: 'allow', reason: 'x' }),
    Object.assign(Object.create({ decision: 'allow' }), { reason: 'x' }),
    { decision: 'allow' },
    { decision: 'allow', reason: 1 },
    { decision: 'allow', reason: '' },
    { decision: 'toString', reason: 'x' },
    { decision: 'allow', reason: 'x', reasonCode: 3 },
    { decision: 'allow', reason: 'x', more: 1 },
    { decision: 'allow', reason: 'x'.repeat(5_000) },
    { decision: 'require_approval', reason: 'x', approval: 120_000 },
    { decision: 'require_approval', reason: 'x', approval: { within: 604_800_001 } },
    { decision: 'deny', reason: 'x', approval: { within: '5m' } },
  ])('%j is no result', (value) => {
    expect(() => parsePolicyResult(value)).toThrow(TypeError)
  })
})

it('the two built-in policies do what they are called', () => {
  expect(new AllowAllPolicy().evaluate().decision).toBe('allow')
  expect(new DenyAllPolicy().evaluate().decision).toBe('deny')
})
