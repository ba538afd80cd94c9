// Links drafts to the chain: each gets its position, its time, the hash of the entry before it, and its signature.
import { encodeBase64, type Hash, isDeadlineOver, type Signer } from '@sudoagent/crypto'
import { formatTimestamp, isTimestamp } from '../entry/timestamp.js'
import { LedgerError } from '../error.js'
import type { AppendedEntry, Head } from '../port/writer.js'
import { type EncodedDraft, linkEntry } from './encode-draft.js'
import { signAllInTime, writeFailed } from './signing.js'

/** An entry that has its place in the chain and its signature, ready to be stored. */
export interface LinkedEntry extends AppendedEntry {
  readonly line: string
  /** Null for a control entry. */
  readonly requestId: string | null
  readonly prevEntryHash: Hash | null
}

/** The entry of a group of one, as its caller gets it. */
export function singleEntry(entries: readonly LinkedEntry[]): AppendedEntry {
  const [entry] = entries
  if (entry === undefined) throw new TypeError('a group of one has one entry')
  return { position: entry.position, entryHash: entry.entryHash, recordedAt: entry.recordedAt }
}

export interface LinkOptions {
  readonly signer: Signer | null
  /** Read once for each entry, under the ledger's lock. */
  readonly clock: () => Date
}

/** One draft of a group cannot be recorded at this time; the others can. */
export class ApprovalOver extends LedgerError {
  constructor(
    readonly draft: EncodedDraft,
    recordedAt: string,
  ) {
    super(
      'ENTRY_REFUSED',
      `the approval of the call ended at ${draft.approvedUntil}, and the ledger is at ${recordedAt}`,
      {
        hint: 'was the clock set back? The time of the ledger never goes back; wait until the clock has caught up with it',
      },
    )
  }
}

/**
 * Links drafts behind `head`, one after another. Pure but for the signer and the clock.
 *
 * @throws LedgerError ENTRY_REFUSED for a call that would be allowed under an approval that is over by the ledger's own time: a verifier would
 * find it, and the clock may have been set back to make it look younger; LEDGER_WRITE_FAILED when the signer or the clock fails, whatever they throw: their errors say nothing about the store
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
    // A clock that was set back must not make the record run backwards.
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
  // The chain is made of hashes, so that signatures wait for one another no longer than the signer wants.
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
