// Computes the hashes of a new decision, and recomputes the hashes of a stored entry (LEDGER-FORMAT §3).

import type { Hash } from '@sudoagent/crypto'
import {
  type DecisionFacts,
  hashDecisionFacts,
  hashEntry,
  isPypiBudgetDenial,
  isPypiEntry,
  type Members,
  normalFacts,
  PYPI_ACTOR,
  parametersText,
  pypiPolicyHash,
} from '@sudoagent/crypto/entry'
import { encodeFixed } from '@sudoagent/crypto/json'
import { type CallEntry, isCallEntry, type LedgerEntry, type Parameters } from './entry.js'

/**
 * Computes the `decision_hash` of a new decision.
 *
 * @param facts - every string is normalised to NFC, as in the encoded entry
 * @param parameters - if deeply frozen, their encoding is reused for the entries of the call
 * @throws CryptoError VALUE_REFUSED if the parameters have no canonical form
 */
export function decisionHash(facts: DecisionFacts, parameters: Parameters): Hash {
  return hashDecisionFacts(normalFacts(facts), encodeFixed(parameters, 'parameters'))
}

/**
 * Recomputes the `decision_hash` of a decision or an outcome from the entry and its canonical line.
 *
 * @param decisionAt - the decision's `created_at`; required for an outcome, whose own `created_at` differs
 */
export function hashDecision(entry: CallEntry, line: string, members: Members, decisionAt = entry.created_at): Hash {
  const actor = entry.actor ?? (isPypiEntry(entry) ? PYPI_ACTOR : { principal: entry.agent_id, source: 'python' })
  const { request_id: requestId, action } = entry
  const facts = { requestId, decisionAt, policyHash: entry.decision.policy_hash, action, actor }
  return hashDecisionFacts(facts, parametersText(line, members) ?? 'null')
}

/** A hash in an entry that does not match the entry's content. */
export interface HashProblem {
  readonly code: 'ENTRY_HASH_MISMATCH' | 'DECISION_HASH_MISMATCH' | 'POLICY_HASH_MISMATCH'
  readonly message: string
}

/** Recomputes every hash of an entry from its canonical line and reports each mismatch. */
export function hashProblems(entry: LedgerEntry, line: string, members: Members): readonly HashProblem[] {
  const problems: HashProblem[] = []
  if (hashEntry(line, members) !== entry.entry_hash)
    problems.push({ code: 'ENTRY_HASH_MISMATCH', message: 'entry_hash does not match its content' })
  if (!isCallEntry(entry)) return problems
  // For a budget denial, sudoagent 2.0.0 on PyPI hashes a time that it does not record.
  if (entry.event === 'decision' && !isPypiBudgetDenial(entry)) {
    if (hashDecision(entry, line, members) !== entry.decision.decision_hash)
      problems.push({ code: 'DECISION_HASH_MISMATCH', message: 'decision_hash does not match the decision' })
  }
  if (isPypiEntry(entry) && pypiPolicyHash(entry.decision.policy_id) !== entry.decision.policy_hash)
    problems.push({ code: 'POLICY_HASH_MISMATCH', message: 'policy_hash does not match the policy' })
  return problems
}
