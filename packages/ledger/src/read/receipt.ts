// Makes receipts from a ledger (LEDGER-FORMAT §4), with proofs from the stored tree. `receipt.ts` in the crypto
// package defines the format.
import { type Checkpoint, encodeTlogProof, parseCheckpoint, parseNote } from '@sudoagent/crypto/note'
import { encodeReceipt, type ReceiptEntryParts } from '@sudoagent/crypto/receipt'
import type { EntryRecord } from '../entry/record.js'
import { LedgerError } from '../error.js'
import type { LedgerReader, StoredText } from '../port/reader.js'
import { proveEntry } from '../tree/prove.js'
import { type CallStory, callStory, lookUpCall, select } from './query.js'

/** The request id or the position of the decision. */
export type ReceiptKey = { readonly requestId: string } | { readonly decisionHash: string }

export interface ReceiptOptions {
  /** `false` omits the entries themselves. */
  readonly withEntry?: boolean
}

export interface MadeReceipt {
  /** The receipt as JSON, with a final line feed. */
  readonly text: string
  /** The proof for the decision alone, a C2SP tlog-proof; null if no signed checkpoint covers the entry. */
  readonly proof: string | null
  readonly position: number
  /** Position of the outcome; null if there is none. */
  readonly outcome: number | null
}

/** A signed checkpoint and its parsed content, unverified; the recipient of the receipt verifies it. */
type SignedCheckpoint = Checkpoint & { readonly note: string }

/**
 * Makes the receipt for a decision and, if an outcome was recorded, for the outcome. The proof refers to the cosigned
 * checkpoint if that checkpoint covers the entry, or else to the head.
 *
 * @throws LedgerError ENTRY_NOT_FOUND; LEDGER_DAMAGED if entry, tree and head do not match
 * @example
 * const { text } = await makeReceipt(reader, { requestId: '083a0f8c-664e-4692-9c0d-fb611024f7a4' })
 */
export async function makeReceipt(
  reader: LedgerReader,
  key: ReceiptKey,
  { withEntry = true }: ReceiptOptions = {},
): Promise<MadeReceipt> {
  const { decision, outcome } = await findCall(reader, key)
  const checkpoints = await checkpointsOf(reader)
  const parts = await partsOf(reader, decision, checkpoints)
  const outcomeParts = outcome === undefined ? null : await partsOf(reader, outcome, checkpoints)
  return {
    text: encodeReceipt({ ...parts, outcome: outcomeParts }, { withEntry }),
    proof: parts.proof,
    position: parts.position,
    outcome: outcomeParts?.position ?? null,
  }
}

async function findCall(
  reader: LedgerReader,
  key: ReceiptKey,
): Promise<{ readonly decision: EntryRecord; readonly outcome: EntryRecord | undefined }> {
  const story =
    'requestId' in key ? await storyOf(reader, key.requestId) : await storyOfDecision(reader, key.decisionHash)
  if (story?.decision !== undefined) return { decision: story.decision, outcome: story.outcome }
  const [name, wanted] = 'requestId' in key ? ['request id', key.requestId] : ['decision hash', key.decisionHash]
  throw new LedgerError('ENTRY_NOT_FOUND', `no decision with ${name} \`${wanted}\``)
}

async function storyOfDecision(reader: LedgerReader, decisionHash: string): Promise<CallStory | null> {
  for await (const { entry } of select(reader, { event: 'decision', decisionHash })) {
    return entry.request_id ? storyOf(reader, entry.request_id) : null
  }
  return null
}

/** Finds the entries of a call in the store's call index, or in the whole ledger if the index lacks the decision. */
async function storyOf(reader: LedgerReader, requestId: string): Promise<CallStory | null> {
  const records = (await lookUpCall(reader, requestId)).map(({ record }) => record)
  const decision = records.find(({ entry }) => entry.event === 'decision')
  const outcome = records.find(({ entry }) => entry.event === 'outcome')
  if (decision !== undefined) return { requestId, decision, ...(outcome === undefined ? {} : { outcome }) }
  try {
    return await callStory(reader, { requestId })
  } catch (error) {
    if (error instanceof LedgerError && error.code === 'ENTRY_NOT_FOUND') return null
    throw error
  }
}

/** The checkpoints to which a proof may refer, in order of preference. */
async function checkpointsOf(reader: LedgerReader): Promise<readonly SignedCheckpoint[]> {
  const { head, cosigned } = await reader.evidence()
  return [cosigned, head].map(signedCheckpoint).filter((checkpoint) => checkpoint !== null)
}

function signedCheckpoint(stored: StoredText): SignedCheckpoint | null {
  if (stored === null || stored === 'unreadable') return null
  try {
    return { ...parseCheckpoint(parseNote(stored.text).text), note: stored.text }
  } catch {
    // The checkpoint is unsigned or damaged; `verify` reports which.
    return null
  }
}

async function partsOf(
  reader: LedgerReader,
  { position, entry, json }: EntryRecord,
  checkpoints: readonly SignedCheckpoint[],
): Promise<ReceiptEntryParts> {
  const checkpoint = checkpoints.find(({ size }) => size >= position)
  if (checkpoint === undefined) return { position, line: json, proof: null }
  const hashes = await proveEntry(reader, { position, entryHash: entry.entry_hash }, checkpoint)
  const proof = encodeTlogProof({ index: position - 1, hashes, checkpoint: checkpoint.note, extra: null })
  return { position, line: json, proof }
}
