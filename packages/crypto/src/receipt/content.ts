/**
 * Reads the content of the two entries in a receipt from their canonical lines. Only the fields needed to assess a
 * decision are extracted; `line` contains the whole entry.
 *
 * Reading does not verify anything: the values come from an untrusted line.
 */

import type { Hash } from '../bytes/hash.js'
import { type Authority, authorityMisfit } from '../entry/authority.js'
import { type DecisionFacts, hashDecisionFacts } from '../entry/decision-hash.js'
import { hashEntry } from '../entry/entry-hash.js'
import { type Fields, own } from '../entry/fields.js'
import {
  isPypiBudgetDenial,
  isPypiEntry,
  PYPI_ACTOR,
  parametersText,
  pypiAsksForApproval,
  pypiPolicyHash,
} from '../entry/pypi-entry.js'
import { isRedactedCount } from '../entry/question.js'
import { type Requirement, requirementMisfit } from '../entry/requirement.js'
import { checkEntry } from '../entry/shape.js'
import { scanJson } from '../json/scan.js'
import { ReceiptFields, receiptInvalid } from './fields.js'
import { hasExactNumbers } from './question-numbers.js'

/** An approval, as stated in the decision entry. */
export interface ReceiptApproval {
  /** Null in entries of the PyPI package, which does not record an id. */
  readonly approval_id: string | null
  readonly state: string
  readonly approver_id: string | null
  readonly created_at: string | null
  readonly resolved_at: string | null
  readonly expires_at: string | null
  /** Which approvals the question required; null for an approval that was not recorded as a question first. */
  readonly requirement: Requirement | null
  /** How many values and keys of the call are recorded as something other than themselves; null without a question. */
  readonly redacted: number | null
}

/** A decision, as stated in its entry. */
export interface ReceiptDecision {
  readonly request_id: string
  readonly created_at: string
  /**
   * The time at which the decision was recorded, by the ledger clock. Null in ledgers written by SudoAgent for
   * Python.
   */
  readonly recorded_at: string | null
  readonly action: string
  readonly agent_id: string
  /** The principal, and the implementation that recorded the principal. */
  readonly actor: { readonly principal: string; readonly source: string }
  /** For whom the agent called; null if the entry does not say. */
  readonly authority: Authority | null
  readonly effect: 'allow' | 'deny'
  readonly reason: string
  readonly reason_code: string | null
  readonly policy_id: string
  readonly policy_version: string | null
  readonly policy_hash: string
  readonly decision_hash: Hash
  /**
   * Whether `decision_hash` was recomputed from the entry. False only for budget denials by the PyPI package, which
   * hashes a time that it does not record.
   */
  readonly decision_hash_checked: boolean
  readonly approval: ReceiptApproval | null
  /**
   * Redacted canonical JSON. The parameters are a string because a double may not represent their numbers exactly.
   */
  readonly parameters: string
  /** The id of the signing key, as stated in the entry. */
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

/** Field values of a receipt or entry, by field name. */
type Claims = Readonly<Record<string, string | null>>

/** The content of an entry: `shown` is for display, and the verifier compares or recomputes the other values. */
export interface ReceiptContent<Shown> {
  readonly shown: Shown
  /** The entry hash, recomputed from the line. */
  readonly entryHash: Hash | null
  /** Values that the receipt must repeat in the fields with the same names. */
  readonly claims: Claims
}

/** The content of a decision or an outcome. */
export interface CallContent<Shown> extends ReceiptContent<Shown> {
  /** The approval binding; null if the entry does not have an approval or the approval does not have a binding. */
  readonly approvalBinding: Claims | null
  readonly agentId: string
  /**
   * Recomputes `decision_hash` from the call in this entry.
   *
   * @param decisionAt - `created_at` of the decision, which differs from `created_at` of an outcome
   */
  hashDecision(decisionAt: string): Hash
  /**
   * The recomputed policy hash if it differs from the stated policy hash; otherwise null. Only entries of the PyPI
   * package allow this check.
   */
  readonly otherPolicyHash: Hash | null
  /** Whether the call was allowed without the approval that its entry states was required. */
  readonly lacksApproval: boolean
}

/** @throws CryptoError `RECEIPT_INVALID` if the line is not a decision entry */
export function readDecision(line: string): CallContent<ReceiptDecision> {
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
    authority: (own(value as Fields, 'authority') ?? null) as Authority | null,
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
  if (shown.approval?.requirement && !hasExactNumbers(line, 'approval', shown.approval))
    throw receiptInvalid('field `entry.approval` does not follow the ledger format')
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

/** @throws CryptoError `RECEIPT_INVALID` if the line is not an outcome entry */
export function readOutcome(line: string): CallContent<ReceiptOutcomeContent> {
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

/** @throws CryptoError `RECEIPT_INVALID` if the line is not an entry of this event */
export function entryOf(line: string, path: string, event: string): ReceiptFields {
  const value: unknown = JSON.parse(line)
  const problem = checkEntry(value)
  if (problem?.code === 'VERSION_UNSUPPORTED') throw receiptInvalid(`field \`${path}.${problem.field}\` is not \`2.0\``)
  const misfit = problem?.field ?? authorityMisfit(own(value as Fields, 'authority'))
  if (misfit !== null) throw receiptInvalid(`field \`${path}.${misfit}\` does not follow the ledger format`)
  const entry = new ReceiptFields(value, path)
  entry.oneOf('event', event)
  return entry
}

export const sealOf = (entry: ReceiptFields): Claims => ({
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
  ...readQuestion(approval),
})

function readQuestion(approval: ReceiptFields): Pick<ReceiptApproval, 'requirement' | 'redacted'> {
  if (!approval.has('requirement')) return NO_QUESTION
  const isRequirement = (value: unknown): value is Requirement => requirementMisfit(value) === null
  return {
    requirement: approval.fitting('requirement', isRequirement),
    redacted: approval.fitting('redacted', isRedactedCount),
  }
}

const NO_QUESTION = { requirement: null, redacted: null }

const readPypiApproval = (approval: ReceiptFields): ReceiptApproval => ({
  approval_id: null,
  state: approval.isTrue('approved') ? 'approved' : 'denied',
  approver_id: approval.textOrNull('approver_id'),
  created_at: null,
  resolved_at: null,
  expires_at: null,
  ...NO_QUESTION,
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

/**
 * Reads the actor. SudoAgent for Python does not record an actor, so this function returns the actor that its
 * hashes use.
 */
function actorOf(entry: ReceiptFields, isPypi: boolean): ReceiptDecision['actor'] {
  if (isPypi) return PYPI_ACTOR
  const actor = entry.fieldsOrNull('actor')
  return actor === null
    ? { principal: entry.text('agent_id'), source: 'python' }
    : { principal: actor.text('principal'), source: actor.text('source') }
}
