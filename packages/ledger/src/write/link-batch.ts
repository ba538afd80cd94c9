// Links drafts to the hash chain: sets the position, the time, the hash of the previous entry, and the signature of
// each entry.

import type { Hash, Signer } from '@sudoagent/crypto'
import { encodeBase64 } from '@sudoagent/crypto/bytes'
import { isDeadlineOver } from '@sudoagent/crypto/entry'
import { formatTimestamp, isTimestamp, timestampMs } from '../entry/timestamp.js'
import { LedgerError } from '../error.js'
import { LEDGER_AHEAD_MS_MAX } from '../limits.js'
import type { AppendedEntry, Head } from '../port/writer.js'
import { type EncodedDraft, linkEntry } from './encode-draft.js'
import { withDeadline } from './encode-question.js'
import { signAllInTime, writeFailed } from './signing.js'

/** A linked and signed entry, ready to be stored. */
export interface LinkedEntry extends AppendedEntry {
  readonly line: string
  /** Null for a control entry. */
  readonly requestId: string | null
  readonly prevEntryHash: Hash | null
}

/** The entry that was made of a draft, or the reason why the draft was refused. */
export type DraftResult = LinkedEntry | LedgerError

export interface LinkOptions {
  readonly signer: Signer | null
  /** Read once for each entry, under the ledger's lock. */
  readonly clock: () => Date
}

/** An entry that has its place, but is not signed or stored yet. */
export type PlacedEntry = Omit<LinkedEntry, 'line'>

/**
 * Decides whether a draft can be the next entry; if so, the drafts after it are judged as if it were recorded.
 *
 * @param before - `recorded_at` of the entry before it; null for the first entry
 * @returns the reason why it cannot; null if it can
 */
export type Admit = (draft: EncodedDraft, entry: PlacedEntry, before: string | null) => LedgerError | null

export interface LinkedBatch {
  /** The entries to store, in order. */
  readonly entries: readonly LinkedEntry[]
  /** The result of each draft. */
  readonly results: readonly DraftResult[]
}

/**
 * Links drafts after `head`, in order; a draft that is refused leaves no gap. Pure except for the signer, the clock
 * and `admit`.
 *
 * @param admit - called for each draft under the ledger's lock; null admits every draft whose approval is in time
 * @returns the entries, and for each draft its entry or a LedgerError: that of `admit`, or ENTRY_REFUSED for a call
 *   whose approval has expired by the ledger time (a verifier would report such an entry; the ledger time is ahead of
 *   the clock if the clock was set back), or CLOCK_BEHIND_LEDGER for a question while the ledger time is far ahead
 * @throws LedgerError LEDGER_WRITE_FAILED if the signer or the clock throws
 */
export async function linkBatch(
  drafts: readonly EncodedDraft[],
  head: Head,
  { signer, clock }: LinkOptions,
  admit: Admit | null = null,
): Promise<LinkedBatch> {
  const unsigned: (PlacedEntry & { readonly line: (signature: string | null) => string })[] = []
  let refused: Map<number, LedgerError> | null = null
  let { size, entryHash: prevEntryHash, recordedAt: previousAt } = head
  for (let n = 0; n < drafts.length; n += 1) {
    const now = readClock(clock)
    // `recorded_at` must not go back, even if the clock was set back.
    const recordedAt = previousAt !== null && previousAt > now ? previousAt : now
    const draft = withDeadline(drafts[n] as EncodedDraft, recordedAt)
    const { entryHash, line } = linkEntry(draft, { prevEntryHash, recordedAt, keyId: signer?.keyId ?? null })
    const entry = { position: size + 1, entryHash, recordedAt, prevEntryHash, requestId: draft.requestId, line }
    const refusal =
      refusalByClock(draft, recordedAt, now) ??
      (admit === null ? approvalOver(draft, recordedAt) : admit(draft, entry, previousAt))
    if (refusal !== null) {
      refused ??= new Map()
      refused.set(n, refusal)
      continue
    }
    size += 1
    unsigned.push(entry)
    prevEntryHash = entryHash
    previousAt = recordedAt
  }
  // The chain depends only on hashes, so a signer that supports batches can make all signatures in parallel.
  const messageOf = ({ entryHash }: { readonly entryHash: Hash }): Uint8Array => Buffer.from(entryHash, 'ascii')
  const signatures = signer === null ? [] : await signAllInTime(signer, unsigned.map(messageOf))
  const entries = unsigned.map((entry, n) => {
    const signature = signatures[n]
    return { ...entry, line: entry.line(signature === undefined ? null : encodeBase64(signature)) }
  })
  if (refused === null) return { entries, results: entries }
  const [refusals, taken] = [refused, entries.values()]
  return { entries, results: drafts.map((_, n) => refusals.get(n) ?? (taken.next().value as LinkedEntry)) }
}

function refusalByClock({ question }: EncodedDraft, recordedAt: string, now: string): LedgerError | null {
  if (question === null) return null
  const aheadMs = timestampMs(recordedAt) - timestampMs(now)
  if (aheadMs <= LEDGER_AHEAD_MS_MAX) return null
  const message = `the ledger time is ${Math.round(aheadMs / 1000)} s ahead of the clock of this machine`
  return new LedgerError('CLOCK_BEHIND_LEDGER', message)
}

/** The error for a call that is allowed too long after the deadline of its approval; null if it is in time. */
export function approvalOver({ approvedUntil }: EncodedDraft, recordedAt: string): LedgerError | null {
  if (approvedUntil === null || !isTimestamp(approvedUntil) || !isDeadlineOver(approvedUntil, recordedAt)) return null
  const message = `the approval of the call expired at ${approvedUntil}, and the ledger time is ${recordedAt}`
  return new LedgerError('ENTRY_REFUSED', message, {
    hint: 'was the clock set back? ledger time never goes back: wait until the clock has caught up',
  })
}

export function readClock(clock: () => Date): string {
  try {
    return formatTimestamp(clock())
  } catch (cause) {
    throw writeFailed('the clock', cause)
  }
}
