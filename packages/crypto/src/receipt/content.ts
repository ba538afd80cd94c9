/**
 * What the two entries in a receipt say, read from their canonical lines. Only what a reader needs to judge a decision
 * is picked out; the whole stands in `line`.
 *
 * Reading does not verify: the values are true to the line, and the line is whatever somebody gave.
 */

import type { Hash } from '../bytes/hash.js'
import { type DecisionFacts, hashDecisionFacts } from '../entry/decision-hash.js'
import { hashEntry } from '../entry/entry-hash.js'
import {
  isPypiBudgetDenial,
  isPypiEntry,
  PYPI_ACTOR,
  parametersText,
  pypiAsksForApproval,
  pypiPolicyHash,
} from '../entry/pypi-entry.js'
import { checkEntry } from '../entry/shape.js'
import { scanJson } from '../json/scan.js'
import { ReceiptFields, receiptInvalid } from './fields.js'

/** An approval, as the decision's entry has it. */
export interface ReceiptApproval {
  /** Null in ledgers of the package on PyPI, which says no id. */
  readonly approval_id: string | null
  readonly state: string
  readonly approver_id: string | null
  readonly created_at: string | null
  readonly resolved_at: string | null
  readonly expires_at: string | null
}

/** A decision, as its entry has it. */
export interface ReceiptDecision {
  readonly request_id: string
  readonly created_at: string
  /** When the ledger took it, by the ledger's clock; null in ledgers of SudoAgent for Python. */
  readonly recorded_at: string | null
  readonly action: string
  readonly agent_id: string
  /** On whose behalf, and in which implementation. */
  readonly actor: { readonly principal: string; readonly source: string }
  readonly effect: 'allow' | 'deny'
  readonly reason: string
  readonly reason_code: string | null
  readonly policy_id: string
  readonly policy_version: string | null
  readonly policy_hash: string
  readonly decision_hash: Hash
  /**
   * Whether the hash was computed again from the entry. False only for a budget's denial by the package on PyPI, which hashes
   * a time that it does not record.
   */
  readonly decision_hash_checked: boolean
  readonly approval: ReceiptApproval | null
  /** Canonical JSON, redacted; text, because its numbers may not fit a double. */
  readonly parameters: string
  /** The key that the entry says signed it. */
  readonly key_id: string | null
  /** The whole entry: canonical JSON. */
  readonly line: string
}

/** An outcome, as its entry has it. */
export interface ReceiptOutcomeContent {
  readonly created_at: string
  readonly recorded_at: string | null
  readonly status: 'success' | 'error'
  readonly reason: string | null
  readonly reason_code: string | null
  readonly error_type: string | null
  readonly error: string | null
  readonly key_id: string | null
  /** The whole entry: canonical JSON. */
  readonly line: string
}

/** Names in a receipt or an entry, and what stands under them. */
type Claims = Readonly<Record<string, string | null>>

/** What the verifier compares and recomputes; nothing a person needs to see. */
export interface ReceiptContent<Shown> {
  readonly shown: Shown
  /** The hash of the line, taken anew. */
  readonly entryHash: Hash | null
  /** What the receipt must say, too, in the fields of the same names. */
  readonly claims: Claims
  /** What the entry binds an approval to; null without approval, and where there is no binding. */
  readonly approvalBinding: Claims | null
  readonly agentId: string
  /**
   * `decision_hash`, recomputed from what this entry says of the call.
   *
   * @param decisionAt `created_at` of the decision: an outcome has another time of its own.
   */
  hashDecision(decisionAt: string): Hash
  /** Recomputed where it follows from the entry: in those of the package on PyPI. Null elsewhere, and when it is as stated. */
  readonly otherPolicyHash: Hash | null
  /** Whether a call was allowed without the approval that its own entry says was asked for. */
  readonly lacksApproval: boolean
}

/** @throws CryptoError `RECEIPT_INVALID` when the line is not the entry of a decision. */
export function readDecision(line: string): ReceiptContent<ReceiptDecision> {
  const entry = entryOf(line, 'entry', 'decision')
  const block = entry.fields('decision')
  const approval = entry.fieldsOrNull('approval')
  const { members } = scanJson(line)
  const value: object = JSON.parse(line)
  const isPypi = isPypiEntry(value)
  const shown: ReceiptDecision = {
    request_id: entry.text('request_id'),
    created_at: entry.text('created_at'),
    recorded_at: entry.textOrNull('recorded_at'),
    action: entry.text('action'),
    agent_id: entry.text('agent_id'),
    actor: actorOf(entry, isPypi),
    effect: block.oneOf('effect', 'allow', 'deny'),
    reason: block.text('reason'),
    reason_code: block.textOrNull('reason_code'),
    policy_id: block.text('policy_id'),
    policy_version: block.textOrNull('policy_version'),
    policy_hash: block.text('policy_hash'),
    decision_hash: block.hash('decision_hash'),
    decision_hash_checked: !isPypiBudgetDenial(value),
    approval: approval && (isPypi ? readPypiApproval(approval) : readApproval(approval)),
    parameters: parametersText(line, members) ?? '',
    key_id: entry.textOrNull('key_id'),
    line,
  }
  const binding = approval?.fieldsOrNull('binding') ?? null
  return {
    shown,
    entryHash: hashEntry(line, members),
    claims: {
      ...sealOf(entry),
      created_at: shown.created_at,
      request_id: shown.request_id,
      policy_id: shown.policy_id,
      policy_hash: shown.policy_hash,
      decision_hash: shown.decision_hash,
    },
    approvalBinding: binding && {
      request_id: binding.textOrNull('request_id'),
      policy_hash: binding.textOrNull('policy_hash'),
      decision_hash: binding.textOrNull('decision_hash'),
    },
    agentId: shown.agent_id,
    hashDecision: (decisionAt) => hashDecisionFacts(factsOf(entry, decisionAt, isPypi), shown.parameters),
    otherPolicyHash: isPypi ? otherPolicyHash(block) : null,
    lacksApproval: isPypi && shown.effect === 'allow' && approval === null && pypiAsksForApproval(value),
  }
}

/** @throws CryptoError `RECEIPT_INVALID` when the line is not the entry of an outcome. */
export function readOutcome(line: string): ReceiptContent<ReceiptOutcomeContent> {
  const entry = entryOf(line, 'outcome.entry', 'outcome')
  const block = entry.fields('outcome')
  const { members } = scanJson(line)
  const isPypi = isPypiEntry(JSON.parse(line))
  return {
    shown: {
      created_at: entry.text('created_at'),
      recorded_at: entry.textOrNull('recorded_at'),
      status: block.oneOf('status', 'success', 'error'),
      reason: block.textOrNull('reason'),
      reason_code: block.textOrNull('reason_code'),
      error_type: block.textOrNull('error_type'),
      error: block.textOrNull('error'),
      key_id: entry.textOrNull('key_id'),
      line,
    },
    entryHash: hashEntry(line, members),
    claims: {
      ...sealOf(entry),
      request_id: entry.text('request_id'),
      decision_hash: entry.fields('decision').hash('decision_hash'),
    },
    approvalBinding: null,
    agentId: entry.text('agent_id'),
    hashDecision: (decisionAt) =>
      hashDecisionFacts(factsOf(entry, decisionAt, isPypi), parametersText(line, members) ?? ''),
    otherPolicyHash: isPypi ? otherPolicyHash(entry.fields('decision')) : null,
    lacksApproval: false,
  }
}

function entryOf(line: string, path: string, event: string): ReceiptFields {
  const value: unknown = JSON.parse(line)
  const problem = checkEntry(value)
  if (problem?.code === 'VERSION_UNSUPPORTED') throw receiptInvalid(`field \`${path}.${problem.field}\` is not \`2.0\``)
  if (problem !== null) throw receiptInvalid(`field \`${path}.${problem.field}\` does not fit the ledger format`)
  const entry = new ReceiptFields(value, path)
  entry.oneOf('event', event)
  return entry
}

const sealOf = (entry: ReceiptFields): Claims => ({
  entry_hash: entry.hash('entry_hash'),
  entry_signature: entry.signatureOrNull('entry_signature'),
})

const readApproval = (approval: ReceiptFields): ReceiptApproval => ({
  approval_id: approval.text('approval_id'),
  state: approval.text('state'),
  approver_id: approval.textOrNull('approver_id'),
  created_at: approval.textOrNull('created_at'),
  resolved_at: approval.textOrNull('resolved_at'),
  expires_at: approval.textOrNull('expires_at'),
})

const readPypiApproval = (approval: ReceiptFields): ReceiptApproval => ({
  approval_id: null,
  state: approval.isTrue('approved') ? 'approved' : 'denied',
  approver_id: approval.textOrNull('approver_id'),
  created_at: null,
  resolved_at: null,
  expires_at: null,
})

function otherPolicyHash(decision: ReceiptFields): Hash | null {
  const hash = pypiPolicyHash(decision.text('policy_id'))
  return hash === decision.text('policy_hash') ? null : hash
}

const factsOf = (entry: ReceiptFields, decisionAt: string, isPypi: boolean): DecisionFacts => ({
  requestId: entry.text('request_id'),
  decisionAt,
  policyHash: entry.fields('decision').text('policy_hash'),
  action: entry.text('action'),
  actor: actorOf(entry, isPypi),
})

/** SudoAgent for Python names no actor, and hashes this one. */
function actorOf(entry: ReceiptFields, isPypi: boolean): ReceiptDecision['actor'] {
  if (isPypi) return PYPI_ACTOR
  const actor = entry.fieldsOrNull('actor')
  return actor === null
    ? { principal: entry.text('agent_id'), source: 'python' }
    : { principal: actor.text('principal'), source: actor.text('source') }
}
