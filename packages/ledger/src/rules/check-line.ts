// The strict check of a single line, and an overview of the ledger rules (LEDGER-FORMAT §6).
//
// `checkLine` extracts the facts of one line and reports every defect that is visible in that line alone: the JSON,
// the shape, `entry_hash`, `decision_hash`, the approval's binding and expiry. The other files in this folder compare
// the facts of a line with the facts of earlier lines:
//
// - `succession.ts`: hash chain, ledger clock, database columns, signatures
// - `lifecycle.ts`: one decision for each call, at most one outcome, and only if the call was allowed; approvals are
// used once
// - `key-ring.ts`: the keys that may sign at each position, from the control entries (§5)
//
// For example, a decision is followed by two outcomes of the same call:
//
//   position 2  decision  allow     ok
//   position 3  outcome   success   ok
//   position 4  outcome   success   OUTCOME_DUPLICATE
//
// `plain/recognise-line.ts` is the fast path for lines that this package wrote, and returns the same facts.
import { authorityMisfit, isPypiEntry, PYPI_ACTOR, parametersText } from '@sudoagent/crypto/entry'
import { readStoredControl } from '../entry/control.js'
import { hashProblems } from '../entry/decision-hash.js'
import { approvalOf, type CallEntry, isCallEntry } from '../entry/entry.js'
import { memberText, type ParsedLine, parseLine } from '../entry/line.js'
import { approvalProblemsOf, hasTimes, storedAnswerOf } from './approval.js'
import type { ApprovalUse, CallFacts, LineFacts, Problem } from './line-facts.js'

/**
 * Reads a line strictly. Never throws: a line is untrusted, so defects are part of the result.
 *
 * @param line - without its line feed
 */
export function checkLine(line: Uint8Array): LineFacts {
  const parsed = parseLine(line)
  if (!parsed.ok) {
    const { code, message, claimedHash } = parsed
    return { kind: 'unreadable', code, message, claimedHash }
  }
  const { entry, text, members } = parsed
  const seal = {
    entryHash: entry.entry_hash,
    previous: entry.prev_entry_hash,
    recordedAt: entry.recorded_at ?? null,
    keyId: entry.key_id ?? null,
    signature: entry.entry_signature ?? null,
    hashProblems: hashProblems(entry, text, members),
  }
  if (isCallEntry(entry)) return { kind: 'call', ...seal, ...callFacts(entry, parsed) }
  return {
    kind: 'control',
    ...seal,
    createdAt: entry.created_at ?? null,
    block: readStoredControl(entry, parsed),
  }
}

type OfCall = Omit<CallFacts, 'kind' | 'entryHash' | 'previous' | 'recordedAt' | 'keyId' | 'signature' | 'hashProblems'>

function callFacts(entry: CallEntry, parsed: ParsedLine): OfCall {
  const { text, members } = parsed
  const actor = entry.actor ?? (isPypiEntry(entry) ? PYPI_ACTOR : { principal: entry.agent_id, source: 'python' })
  const isDecision = entry.event === 'decision'
  const isAllowed = isDecision && entry.decision.effect === 'allow'
  return {
    isDecision,
    isAllowed,
    decisionHash: entry.decision.decision_hash,
    createdAt: entry.created_at,
    requestId: entry.request_id,
    agentId: entry.agent_id,
    action: entry.action,
    principal: actor.principal,
    source: actor.source,
    policyHash: entry.decision.policy_hash,
    parameters: parametersText(text, members) ?? 'null',
    approval: isAllowed ? approvalUse(entry) : null,
    isApproved: isAllowed && approvalOf(entry) !== null,
    answer: isDecision ? storedAnswerOf(entry, parsed) : null,
    approvalProblems: isDecision ? approvalProblemsOf(entry) : [],
    authority: memberText(text, members, 'authority'),
    authorityProblem: authorityProblemOf(entry),
  }
}

function authorityProblemOf({ authority }: CallEntry): Problem | null {
  const field = authorityMisfit(authority)
  return field === null ? null : { code: 'AUTHORITY_INVALID', message: `field \`${field}\` is not valid` }
}

function approvalUse(entry: CallEntry): ApprovalUse | null {
  const approval = approvalOf(entry)
  return approval === null || approval.approval_id === null
    ? null
    : { id: approval.approval_id, hasTimes: hasTimes(approval) }
}
