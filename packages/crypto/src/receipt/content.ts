/**
 * The content of the two entries in a receipt, read from their canonical lines. Only the fields that a reader needs
 * to assess a decision are extracted; `line` has the whole entry.
 *
 * Reading does not verify: the values are those of the line, and the line is untrusted.
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

/** An approval, as stated in the decision's entry. */
export interface ReceiptApproval {
  /** Null in ledgers of the package on PyPI, which does not record an id. */
  readonly approval_id: string | null
  readonly state: string
  readonly approver_id: string | null
  readonly created_at: string | null
  readonly resolved_at: string | null
  readonly expires_at: string | null
}

/** A decision, as stated in its entry. */
export interface ReceiptDecision {
  readonly request_id: string
  readonly created_at: string
  /** When the ledger recorded it, by the ledger's clock; null in ledgers of SudoAgent for Python. */
  readonly recorded_at: string | null
  readonly action: string
  readonly agent_id: string
  /** The principal, and the implementation that recorded it. */
  readonly actor: { readonly principal: string; readonly source: string }
  readonly effect: 'allow' | 'deny'
  readonly reason: string
  readonly reason_code: string | null
  readonly policy_id: string
  readonly policy_version: string | null
  readonly policy_hash: string
  readonly decision_hash: Hash
  /**
   * Whether the hash was recomputed from the entry. False only for a budget's denial by the package on PyPI, which
   * hashes a time that it does not record.
   */
  readonly decision_hash_checked: boolean
  readonly approval: ReceiptApproval | null
  /** Canonical JSON, redacted. A string, because its numbers may not be exact in a double. */
  readonly parameters: string
  /** The key that signed the entry, according to the entry. */
  readonly key_id: string | null
  /** The whole entry as canonical JSON. */
  readonly line: string
}

/** An outcome, as stated in its entry. */
export interface ReceiptOutcomeContent {
  readonly created_at: string
  readonly recorded_at: string | null
  readonly status: 'success' | 'error'
  readonly reason: string | null
  readonly reason_code: string | null
  readonly error_type: string | null
  readonly error: string | null
  readonly key_id: string | null
  /** The whole entry as canonical JSON. */
  readonly line: string
}

/** Names of fields in a receipt or an entry, and their values. */
type Claims = Readonly<Record<string, string | null>>

/** The values that the verifier compares and recomputes, besides those for people. */
export interface ReceiptContent<Shown> {
  readonly shown: Shown
  /** The recomputed hash of the line. */
  readonly entryHash: Hash | null
  /** Values that the receipt must state, too, in the fields with the same names. */
  readonly claims: Claims
  /** The binding of the approval; null without approval or binding. */
  readonly approvalBinding: Claims | null
  readonly agentId: string
  /**
   * Recomputes `decision_hash` from the call in this entry.
   *
   * @param decisionAt - `created_at` of the decision; an outcome has a different time
   */
  hashDecision(decisionAt: string): Hash
  /**
   * Recomputed if it differs from the stated one, which is possible only in entries of the package on PyPI;
   * otherwise null.
   */
  readonly otherPolicyHash: Hash | null
  /** Whether a call was allowed without the approval that, according to its entry, was required. */
  readonly lacksApproval: boolean
}

/** @throws CryptoError `RECEIPT_INVALID` when the line is not the entry of a decision */
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

/** @throws CryptoError `RECEIPT_INVALID` when the line is not the entry of an outcome */
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
  if (problem !== null) throw receiptInvalid(`field \`${path}.${problem.field}\` does not follow the ledger format`)
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

/** SudoAgent for Python does not record an actor; this is the one in its hashes. */
function actorOf(entry: ReceiptFields, isPypi: boolean): ReceiptDecision['actor'] {
  if (isPypi) return PYPI_ACTOR
  const actor = entry.fieldsOrNull('actor')
  return actor === null
    ? { principal: entry.text('agent_id'), source: 'python' }
    : { principal: actor.text('principal'), source: actor.text('source') }
}
