import { expect, it } from 'vitest'
import { sha256Hex } from '../../src/bytes/hash.js'
import { hashDecisionFacts } from '../../src/entry/decision-hash.js'
import { encodeCanonical } from '../../src/json/encode.js'

const FACTS = {
  requestId: '083a0f8c-664e-4692-9c0d-fb611024f7a4',
  decisionAt: '2026-11-22T20:18:29.260673Z',
  policyHash: 'p "1"',
  action: 'payments.refund',
  actor: { principal: 'bot', source: 'node' },
}

it('is the hash of the canonical object that the format names', () => {
  const parameters = { args: [1, 'é'], kwargs: { b: true } }
  const object = {
    version: '2.0',
    request_id: FACTS.requestId,
    decision_at: FACTS.decisionAt,
    policy_hash: FACTS.policyHash,
    intent: FACTS.action,
    resource: { type: 'function', name: FACTS.action },
    parameters,
    actor: FACTS.actor,
  }
  expect(hashDecisionFacts(FACTS, encodeCanonical(parameters))).toBe(sha256Hex(encodeCanonical(object)))
})
