// Links drafts to the hash chain: sets the position, the time, the hash of the previous entry, and the signature of
// each entry.

import type { Hash, Signer } from '@sudoagent/crypto'
import { encodeBase64 } from '@sudoagent/crypto/bytes'
import { isDeadlineOver } from '@sudoagent/crypto/entry'
import { formatTimestamp, isTimestamp } from '../entry/timestamp.js'
import { LedgerError } from '../error.js'
import type { AppendedEntry, Head } from '../port/writer.js'
import { type EncodedDraft, linkEntry } from './encode-draft.js'
import { signAllInTime, writeFailed } from './signing.js'

/** A linked and signed entry, ready to be stored. */
export interface LinkedEntry extends AppendedEntry {
  readonly line: string
  /** Null for a control entry. */
  readonly requestId: string | null
  readonly prevEntryHash: Hash | null
}

/** Returns the only result of a group of one entry. */
export function singleEntry(entries: readonly LinkedEntry[]): AppendedEntry {
  const [entry] = entries
  if (entry === undefined) throw new TypeError('expected one entry, but the group is empty')
  return { position: entry.position, entryHash: entry.entryHash, recordedAt: entry.recordedAt }
}

export interface LinkOptions {
  readonly signer: Signer | null
  /** Read once for each entry, under the ledger's lock. */
  readonly clock: () => Date
}

/** The error for a draft that cannot be recorded at this time; the other drafts in its group can still be recorded. */
export class ApprovalOver extends LedgerError {
  constructor(
    readonly draft: EncodedDraft,
    recordedAt: string,
  ) {
    super(
      'ENTRY_REFUSED',
      `the approval of the call expired at ${draft.approvedUntil}, and the ledger time is ${recordedAt}`,
      {
        hint: 'was the clock set back? ledger time never goes back: wait until the clock has caught up',
      },
    )
  }
}

/**
 * Links drafts after `head`, in order. Pure except for the signer and the clock.
 *
 * @throws LedgerError ENTRY_REFUSED for a call whose approval has expired by the ledger time (a verifier would report
 *   such an entry; the ledger time is ahead of the clock if the clock was set back); LEDGER_WRITE_FAILED if the
 *   signer or the clock throws
 */
export async function linkBatch(
  drafts: readonly EncodedDraft[],
  head: Head,
  { signer, clock }: LinkOptions,
): Promise<readonly LinkedEntry[]> {
  const unsigned: (Omit<LinkedEntry, 'line'> & { readonly line: (signature: string | null) => string })[] = []
  let { size, entryHash: prevEntryHash, recordedAt: previousAt } = head
  for (const draft of drafts) {
    const now = readClock(clock)
    // `recorded_at` must not go back, even if the clock was set back.
    const recordedAt = previousAt !== null && previousAt > now ? previousAt : now
    const { approvedUntil } = draft
    if (approvedUntil !== null && isTimestamp(approvedUntil) && isDeadlineOver(approvedUntil, recordedAt))
      throw new ApprovalOver(draft, recordedAt)
    const { entryHash, line } = linkEntry(draft, { prevEntryHash, recordedAt, keyId: signer?.keyId ?? null })
    size += 1
    unsigned.push({ position: size, entryHash, recordedAt, prevEntryHash, line, requestId: draft.requestId })
    prevEntryHash = entryHash
    previousAt = recordedAt
  }
  // The chain depends only on hashes, so a signer that supports batches can make all signatures in parallel.
  const messageOf = ({ entryHash }: { readonly entryHash: Hash }): Uint8Array => Buffer.from(entryHash, 'ascii')
  const signatures = signer === null ? [] : await signAllInTime(signer, unsigned.map(messageOf))
  return unsigned.map((entry, n) => {
    const signature = signatures[n]
    return { ...entry, line: entry.line(signature === undefined ? null : encodeBase64(signature)) }
  })
}

export function readClock(clock: () => Date): string {
  try {
    return formatTimestamp(clock())
  } catch (cause) {
    throw writeFailed('the clock', cause)
  }
}
