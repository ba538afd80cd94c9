import { expect, it } from 'vitest'
import { sha256Hex } from '../../src/bytes/hash.js'
import { hashAuthority } from '../../src/entry/authority.js'
import { assertedRequirement } from '../../src/entry/requirement.js'
import { hashShownCall } from '../../src/entry/shown-call.js'

const CALL = {
  requestId: 'r-1',
  decisionAt: '2026-11-22T20:18:29.260673Z',
  policyHash: 'p',
  action: 'refund',
  actor: { principal: 'bot', source: 'node' },
  parameters: { args: [1], kwargs: { to: 'e\u0301' } },
  authority: { tenant: 'e\u0301' },
  requirement: assertedRequirement('e\u0301'),
}

it('covers what a decision entry covers, in Unicode NFC', () => {
  const decision =
    '{"actor":{"principal":"bot","source":"node"},"decision_at":"2026-11-22T20:18:29.260673Z","intent":"refund"' +
    ',"parameters":{"args":[1],"kwargs":{"to":"é"}},"policy_hash":"p","request_id":"r-1"' +
    ',"resource":{"name":"refund","type":"function"},"version":"2.0"}'
  expect(hashShownCall(CALL)).toEqual({
    decisionHash: sha256Hex(decision),
    authorityHash: sha256Hex('{"tenant":"é"}'),
    requirementHash: sha256Hex(
      '{"assurance":"asserted","factors":[{"approvals":1,"group":null}],"registry_hash":null,"rule":"é"}',
    ),
  })
})

it('has no authority hash without an authority', () => {
  expect(hashShownCall({ ...CALL, authority: null }).authorityHash).toBeNull()
  expect(hashAuthority(null)).toBeNull()
})

it('has no requirement hash without a requirement', () => {
  expect(hashShownCall({ ...CALL, requirement: null }).requirementHash).toBeNull()
})

it('refuses a value without a canonical form', () => {
  expect(() => hashShownCall({ ...CALL, parameters: { args: [Number.NaN], kwargs: {} } })).toThrow(
    expect.objectContaining({ code: 'VALUE_REFUSED' }),
  )
})
