import { expect, it } from 'vitest'
import {
  isPypiBudgetDenial,
  isPypiEntry,
  parametersText,
  pypiAsksForApproval,
  pypiMisfit,
  pypiPolicyHash,
} from '../../src/entry/pypi-entry.js'
import { scanJson } from '../../src/json/scan.js'

type Fields = { readonly [name: string]: unknown }

const hash = 'a'.repeat(64)
const names = { policy_id: 'P', policy_hash: hash, decision_hash: hash, reason_code: 'CODE' }
const binding = { request_id: 'r', policy_hash: hash, decision_hash: hash }
const entry = {
  event: 'decision',
  action: 'app.refund',
  agent_id: 'bot',
  approval: null,
  decision: { effect: 'allow', reason: '', ...names },
  metadata: { args: ['1'], kwargs: {}, agent_id: 'bot', ...names },
}
const outcome = {
  event: 'outcome',
  action: 'app.refund',
  agent_id: 'bot',
  decision: { reason: '', ...names },
  outcome: { status: 'success', error: null, error_type: null },
  metadata: { args: [], kwargs: {} },
}
const approved = {
  ...entry,
  approval: { approved: true, binding },
  metadata: { ...entry.metadata, approved: true, approval_binding: binding, policy_decision: 'require_approval' },
}
const budget = {
  ...entry,
  decision: { ...entry.decision, effect: 'deny', reason_code: 'BUDGET_EXCEEDED_TOOL_RATE' },
  metadata: { ...entry.metadata, policy_decision: 'require_budget', reason_code: 'BUDGET_EXCEEDED_TOOL_RATE' },
}
const without = (fields: Fields, name: string): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([key]) => key !== name))
const decision = (change: Fields): Fields => ({ ...entry, decision: { ...entry.decision, ...change } })
const metadata = (change: Fields): Fields => ({ ...entry, metadata: { ...entry.metadata, ...change } })
const approval = (change: Fields): Fields => ({ ...approved, approval: { ...approved.approval, ...change } })

it.each<[string, Fields]>([
  ['a decision', entry],
  ['an outcome', outcome],
  ['an approved call', approved],
  ['a budget denial', budget],
  ['no reason code at all', { ...decision({ reason_code: null }), metadata: without(entry.metadata, 'reason_code') }],
  [
    'texts of any length',
    { ...entry, action: 'a'.repeat(5_000), decision: { ...entry.decision, reason: 'r'.repeat(9_000) } },
  ],
  ['members of a later release', { ...entry, note: 1, metadata: { ...entry.metadata, error: 'gone' } }],
])('fits: %s', (_, value) => {
  expect([isPypiEntry(value), pypiMisfit(value)]).toEqual([true, null])
})

it.each<[string, Fields]>([
  ['parameters', { ...entry, parameters: { args: [], kwargs: {} } }],
  ['an actor', { ...entry, actor: null }],
  ['a budget', { ...entry, budget: null }],
  ['a policy version', decision({ policy_version: null })],
  ['no decision', without(entry, 'decision')],
  ['a decision that is a list', { ...entry, decision: [] }],
])('is of the other shape, or of none: %s', (_, value) => {
  expect(isPypiEntry(value)).toBe(false)
})

it.each<[string, Fields]>([
  ['action', { ...entry, action: '' }],
  ['agent_id', { ...entry, agent_id: 1 }],
  ['metadata', { ...entry, metadata: [] }],
  ['metadata.args', metadata({ args: {} })],
  ['metadata.kwargs', metadata({ kwargs: [] })],
  ['decision.reason', decision({ reason: null })],
  ['decision.reason_code', decision({ reason_code: 7 })],
  ['decision.policy_id', decision({ policy_id: '' })],
  ['decision.policy_hash', decision({ policy_hash: 'A'.repeat(64) })],
  ['decision.decision_hash', decision({ decision_hash: null })],
  ['decision.effect', decision({ effect: 'require_approval' })],
  ['metadata.policy_id', metadata({ policy_id: 'Q' })],
  ['metadata.policy_hash', metadata({ policy_hash: 'b'.repeat(64) })],
  ['metadata.decision_hash', metadata({ decision_hash: 'b'.repeat(64) })],
  ['metadata.agent_id', metadata({ agent_id: 'b' })],
  ['metadata.reason_code', metadata({ reason_code: null })],
  ['approval', metadata({ approved: true })],
  ['approval', metadata({ approval_binding: binding })],
  ['approval', without(entry, 'approval')],
  ['approval.approved', approval({ approved: 'yes' })],
  ['approval.approver_id', approval({ approver_id: '' })],
  ['approval.binding', approval({ binding: null })],
  ['approval.binding', approval({ binding: { ...binding, request_id: 1 } })],
  ['metadata.approved', approval({ approved: false })],
  ['metadata.approver_id', approval({ approver_id: 'ops' })],
  ['metadata.approval_binding', approval({ binding: { ...binding, request_id: 's' } })],
  ['metadata.approval_binding', approval({ binding: {} })],
  ['outcome.status', { ...outcome, outcome: { ...outcome.outcome, status: 'open' } }],
  ['outcome.error', { ...outcome, outcome: { ...outcome.outcome, error: 1 } }],
  ['outcome.status', without(outcome, 'outcome')],
])('does not fit: %s', (field, value) => {
  expect(pypiMisfit(value)).toBe(field)
})

it('borrows nothing from a prototype', () => {
  expect(pypiMisfit(JSON.parse(JSON.stringify(entry).replace('"metadata"', '"__proto__"')))).toBe('metadata')
  const odd = JSON.parse('{"__proto__":"x"}') as Fields
  const value = { ...approval({ binding: odd }), metadata: { ...approved.metadata, approval_binding: {} } }
  expect(pypiMisfit(value)).toBe('metadata.approval_binding')
})

it.each<[boolean, string, Fields]>([
  [true, 'as the package writes it', budget],
  [false, 'an allow', { ...budget, decision: { ...budget.decision, effect: 'allow' } }],
  [false, 'another code', { ...budget, decision: { ...budget.decision, reason_code: 'POLICY_DENY_HIGH_RISK' } }],
  [false, 'with an approval', { ...budget, approval: approved.approval }],
  [false, 'another step', { ...budget, metadata: { ...budget.metadata, policy_decision: 'require_approval' } }],
  [false, 'of the other shape', { ...budget, parameters: {} }],
])('budget denial %s: %s', (is, _, value) => {
  expect(isPypiBudgetDenial(value)).toBe(is)
})

it('tells whether a person was to be asked', () => {
  expect([approved, budget, entry].map(pypiAsksForApproval)).toEqual([true, false, false])
})

it('hashes a policy by its name', () => {
  // printf '{"policy":"__main__.Pol"}' | sha256sum
  expect(pypiPolicyHash('__main__.Pol')).toBe('23b79b01f9148963686651367df85e069789980a968bb69701ab06b75a335459')
})

it.each([
  ['{"parameters":{"args":[1],"kwargs":{}}}', '{"args":[1],"kwargs":{}}'],
  ['{"metadata":{"args":["é","\\""],"kwargs":{"args":1.50}}}', '{"args":["é","\\""],"kwargs":{"args":1.50}}'],
  ['{"metadata":{"args":[],"kwargs":{}},"parameters":{"args":[2],"kwargs":{}}}', '{"args":[2],"kwargs":{}}'],
  ['{"metadata":{"args":[]}}', null],
  ['{"metadata":["args","kwargs"]}', null],
  ['{}', null],
])('parameters of %s', (line, text) => {
  expect(parametersText(line, scanJson(line).members)).toBe(text)
})
