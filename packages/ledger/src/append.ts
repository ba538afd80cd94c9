// Group commit: appends that are waiting together become durable together, in the order in which they came. The first one does not wait for
// company: it is committed at once, and whatever arrives meanwhile forms the next group. No timer anywhere, so a lone caller pays for one
// write and nothing else.
import { encodeBase64, type Hash, type Signer } from '@sudoagent/crypto'
import { type EncodedDraft, encodeDraft, linkEntry } from './chain.js'
import type { EntryDraft } from './entry.js'
import { LedgerError } from './error.js'
import type { AppendedEntry, Head } from './ledger.js'
import { COMMIT_BYTES_MAX, COMMIT_ENTRIES_MAX, SIGNER_TIMEOUT_MS } from './limits.js'
import { formatTimestamp } from './timestamp.js'

/** An entry that has its place in the chain and its signature, ready to be stored. */
export interface LinkedEntry extends AppendedEntry {
  readonly line: string
  readonly prevEntryHash: Hash | null
}

export interface LinkOptions {
  readonly signer: Signer | null
  /** Read once for each entry, under the ledger's lock. */
  readonly clock: () => Date
}

const SIGNATURE_BYTES = 64
const KEY_ID = /^[0-9a-f]{16}$/

/**
 * Links drafts behind `head`, one after another. Pure but for the signer and the clock.
 *
 * @throws LedgerError LEDGER_WRITE_FAILED when the signer or the clock fails, whatever they throw: their errors say nothing about the store
 */
export async function linkBatch(
  drafts: readonly EncodedDraft[],
  head: Head,
  { signer, clock }: LinkOptions,
): Promise<readonly LinkedEntry[]> {
  const linked: LinkedEntry[] = []
  let { size, entryHash: prevEntryHash, recordedAt: previousAt } = head
  for (const draft of drafts) {
    const now = readClock(clock)
    // A clock that was set back must not make the record run backwards.
    const recordedAt = previousAt !== null && previousAt > now ? previousAt : now
    const { entryHash, line } = linkEntry(draft, { prevEntryHash, recordedAt, keyId: signer?.keyId ?? null })
    const signature = signer === null ? null : await signatureOf(signer, entryHash)
    size += 1
    linked.push({ position: size, entryHash, recordedAt, prevEntryHash, line: line(signature) })
    prevEntryHash = entryHash
    previousAt = recordedAt
  }
  return linked
}

function readClock(clock: () => Date): string {
  try {
    return formatTimestamp(clock())
  } catch (cause) {
    throw failed('the clock', cause)
  }
}

/** Base64 of the signature over an entry hash. A signer is foreign code: what it gives must have the form that a reader will ask for. */
async function signatureOf(signer: Signer, entryHash: Hash): Promise<string> {
  try {
    const signature = await inTime(signer.sign(Buffer.from(entryHash, 'ascii')))
    if (!ArrayBuffer.isView(signature) || signature.byteLength !== SIGNATURE_BYTES) {
      throw new TypeError(`it gave no signature of ${SIGNATURE_BYTES} bytes`)
    }
    if (!KEY_ID.test(signer.keyId)) throw new TypeError('its key id is not 16 hex digits')
    return encodeBase64(signature)
  } catch (cause) {
    throw failed('the signer', cause)
  }
}

/** A signature that comes too late is not waited for: the write lock is held meanwhile. */
async function inTime(signing: Uint8Array | Promise<Uint8Array>): Promise<Uint8Array> {
  if (ArrayBuffer.isView(signing)) return signing
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no signature within ${SIGNER_TIMEOUT_MS} ms`)), SIGNER_TIMEOUT_MS)
  })
  try {
    return await Promise.race([signing, deadline])
  } finally {
    clearTimeout(timer)
  }
}

function failed(what: string, cause: unknown): LedgerError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new LedgerError('LEDGER_WRITE_FAILED', `nothing was written: ${what} failed: ${why}`, { cause })
}

interface Waiting {
  readonly draft: EncodedDraft
  readonly resolve: (entry: AppendedEntry) => void
  readonly reject: (error: unknown) => void
}

/** Queues appends in front of a store's `commit`, which makes a group durable: all of it, or none. */
export class GroupCommit {
  readonly #commit: (drafts: readonly EncodedDraft[]) => Promise<readonly AppendedEntry[]>
  #waiting: Waiting[] = []
  #running: Promise<void> | null = null
  #closed = false

  constructor(commit: (drafts: readonly EncodedDraft[]) => Promise<readonly AppendedEntry[]>) {
    this.#commit = commit
  }

  /** @throws LedgerError ENTRY_REFUSED, LEDGER_CLOSED, or what the store's commit threw (as a rejection) */
  async append(draft: EntryDraft): Promise<AppendedEntry> {
    if (this.#closed) throw new LedgerError('LEDGER_CLOSED', 'the ledger is closed')
    const encoded = encodeDraft(draft)
    const done = new Promise<AppendedEntry>((resolve, reject) =>
      this.#waiting.push({ draft: encoded, resolve, reject }),
    )
    this.#running ??= this.#run()
    return done
  }

  /** Refuses new appends and waits for those under way. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #run(): Promise<void> {
    // One turn of the microtask queue: calls that were made together get into the first group together.
    await null
    while (this.#waiting.length > 0) await this.#flush(this.#takeGroup())
    this.#running = null
  }

  /** At least one, and no more than a commit may hold, in entries and in bytes. */
  #takeGroup(): readonly Waiting[] {
    let bytes = 0
    const more = this.#waiting.findIndex(({ draft }, index) => {
      bytes += draft.bytes
      return index >= COMMIT_ENTRIES_MAX || (index > 0 && bytes > COMMIT_BYTES_MAX)
    })
    return this.#waiting.splice(0, more === -1 ? this.#waiting.length : more)
  }

  async #flush(group: readonly Waiting[]): Promise<void> {
    try {
      const entries = await this.#commit(group.map(({ draft }) => draft))
      for (const [index, { resolve, reject }] of group.entries()) {
        const entry = entries[index]
        if (entry === undefined) reject(new LedgerError('LEDGER_WRITE_FAILED', 'the store lost an entry of a group'))
        else resolve({ position: entry.position, entryHash: entry.entryHash, recordedAt: entry.recordedAt })
      }
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }
}
