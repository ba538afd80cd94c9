// Describes the attacks that a verdict does not rule out, and names the option that would rule out each attack.
import type { Report } from './report.js'

/**
 * The attacks that a report does not rule out: those that better evidence or an option would rule out, and those that
 * no verdict rules out. Empty for a broken ledger, which must not be trusted at all.
 *
 * @example
 * for (const attack of residualRisks(report)) console.log(`- ${attack}`)
 */
export function residualRisks(report: Report): readonly string[] {
  if (report.verdict === 'broken') return []
  if (report.verdict === 'unverified')
    return ['that anything was changed: no signature was checked (give the key that signed the ledger)']
  return [
    ...authorship(report),
    ...rollback(report),
    ...rewrite(report),
    ...tail(report),
    ...earlierRun(report),
    ...ledgerWriter(report),
    ...approvers(report),
  ]
}

function authorship({ verdict, signed_entries: signed }: Report): string[] {
  if (verdict !== 'intact') return []
  const how = signed > 0 ? 'verify with `--public-key`' : 'sign the ledger, and verify with `--public-key`'
  return [`that the ledger was rewritten and every hash recomputed (${how})`]
}

/**
 * A head states the number of entries. If an older head is restored together with its entries, the ledger is
 * consistent.
 */
function rollback({ verdict, checkpoint, anchors }: Report): string[] {
  if (checkpoint === null) return ['that the last entries were removed (a head states the number of entries)']
  if (verdict === 'anchored' || anchors.length > 0) return []
  return [
    'that an older copy was restored, including its head (verify with a `--checkpoint` or `--receipt` kept elsewhere)',
  ]
}

function rewrite({ verdict, witnesses, anchors, entries }: Report): string[] {
  if (verdict === 'witnessed' && witnesses !== null) return []
  if (verdict === 'anchored') {
    const size = Math.max(...anchors.map((anchor) => anchor.size))
    if (size >= entries) return []
    return [
      `that the holder of the signing key rewrote the entries after entry ${size} (keep later checkpoints, or ask witnesses)`,
    ]
  }
  if (verdict === 'intact') return []
  return ['that the holder of the signing key rewrote the ledger (keep checkpoints elsewhere, or ask witnesses)']
}

function tail({ verdict, witnesses, entries, tail: behind }: Report): string[] {
  const unseen = verdict === 'witnessed' && witnesses !== null ? entries - witnesses.size : 0
  return [
    ...(unseen > 0
      ? [`that the holder of the signing key rewrote the last ${entriesOf(unseen)}, which no witness has seen`]
      : []),
    ...(behind > 0
      ? [
          `that some of the last ${entriesOf(behind)} were removed: no checkpoint covers them (limit them with \`--max-tail\`)`,
        ]
      : []),
  ]
}

function earlierRun({ resumed_from: from }: Report): string[] {
  if (from === null) return []
  return [
    `that the text of the first ${entriesOf(from)} was changed since an earlier run read them (verify without \`--state\` from time to time)`,
    'that a decision of the earlier run was recorded again, or that its call was asked about again',
  ]
}

/** Attacks that no check of the entries can find, whatever the verdict: a writer decides what it records. */
function ledgerWriter({ signed_entries: signed }: Report): string[] {
  const writer = signed > 0 ? 'the holder of the signing key' : 'a writer of the ledger'
  return [
    `that ${writer} required less than the policy, left out a refusal, a question or a stop, or recorded an earlier time`,
    'that a function ran without an entry, twice, or with other arguments',
  ]
}

function approvers({ approvals: { asserted } }: Report): string[] {
  if (asserted === 0) return []
  return [
    'that an approver has another name, or was shown another call or redacted values',
    "that the subject of a call, left out or misnamed by the agent's process, approved it himself (require a `verified` subject)",
  ]
}

const entriesOf = (n: number): string => (n === 1 ? 'entry' : `${n} entries`)
