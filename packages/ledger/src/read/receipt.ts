// Makes receipts from a ledger (LEDGER-FORMAT §4), with proofs from the stored tree. `receipt.ts` in the crypto
// package defines the format.
import { type Checkpoint, encodeTlogProof, parseCheckpoint, parseNote } from '@sudoagent/crypto/note'
import { encodeReceipt, type ReceiptEntryParts } from '@sudoagent/crypto/receipt'
import { isCallEntry } from '../entry/entry.js'
import type { EntryRecord } from '../entry/record.js'
import { LedgerError } from '../error.js'
import type { LedgerReader, StoredText } from '../port/reader.js'
import { proveEntry } from '../tree/prove.js'
import { lookUpCall, select } from './query.js'
import { type CallStory, callStory, entryAt } from './story.js'

/** The request id or the hash of the decision; or the position of any entry. */
export type ReceiptKey =
  | { readonly requestId: string }
  | { readonly decisionHash: string }
  | { readonly position: number }

export interface ReceiptOptions {
  /** `false` omits the entries themselves. */
  readonly withEntry?: boolean
}

export interface MadeReceipt {
  /** The receipt as JSON, with a final line feed. */
  readonly text: string
  /** The proof for the decision or control entry alone, a C2SP tlog-proof; null if no signed checkpoint covers it. */
  readonly proof: string | null
  /** Position of the decision or of the control entry. */
  readonly position: number
  /** Position of the outcome; null if there is none. */
  readonly outcome: number | null
}

/** A signed checkpoint and its parsed content, unverified; the recipient of the receipt verifies it. */
type SignedCheckpoint = Checkpoint & { readonly note: string }

/**
 * Makes the receipt for a decision and, if an outcome was recorded, for the outcome; or, by its position, for a control
 * entry. The position of an outcome is that of its call. The proof refers to the cosigned checkpoint if that checkpoint
 * covers the entry, or else to the head.
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
  const { first, outcome } = 'position' in key ? await entriesAt(reader, key.position) : await findCall(reader, key)
  const checkpoints = await checkpointsOf(reader)
  const parts = await partsOf(reader, first, checkpoints)
  const outcomeParts = outcome === undefined ? null : await partsOf(reader, outcome, checkpoints)
  return {
    text: encodeReceipt({ ...parts, outcome: outcomeParts }, { withEntry }),
    proof: parts.proof,
    position: parts.position,
    outcome: outcomeParts?.position ?? null,
  }
}

/** The entries of a receipt: a decision, and its outcome if there is one; or a control entry. */
interface ReceiptEntries {
  readonly first: EntryRecord
  readonly outcome: EntryRecord | undefined
}

async function entriesAt(reader: LedgerReader, position: number): Promise<ReceiptEntries> {
  const record = await entryAt(reader, position)
  return isCallEntry(record.entry)
    ? findCall(reader, { requestId: record.entry.request_id })
    : { first: record, outcome: undefined }
}

async function findCall(
  reader: LedgerReader,
  key: Exclude<ReceiptKey, { readonly position: number }>,
): Promise<ReceiptEntries> {
  const story =
    'requestId' in key ? await storyOf(reader, key.requestId) : await storyOfDecision(reader, key.decisionHash)
  if (story?.decision !== undefined) return { first: story.decision, outcome: story.outcome }
  const [name, wanted] = 'requestId' in key ? ['request id', key.requestId] : ['decision hash', key.decisionHash]
  const asked = story?.question
  throw new LedgerError('ENTRY_NOT_FOUND', `no decision with ${name} \`${wanted}\``, {
    ...(asked === undefined ? {} : { hint: `entry ${asked.position} is its question, which has a receipt of its own` }),
  })
}

type FoundCall = Pick<CallStory, 'question' | 'decision' | 'outcome'>

async function storyOfDecision(reader: LedgerReader, decisionHash: string): Promise<FoundCall | null> {
  for await (const { entry } of select(reader, { event: 'decision', decisionHash })) {
    return entry.request_id ? storyOf(reader, entry.request_id) : null
  }
  return null
}

/** Finds the entries of a call in the store's call index, or in the whole ledger if the index lacks the decision. */
async function storyOf(reader: LedgerReader, requestId: string): Promise<FoundCall | null> {
  const records = (await lookUpCall(reader, requestId)).map(({ record }) => record)
  const decision = records.find(({ entry }) => entry.event === 'decision')
  const outcome = records.find(({ entry }) => entry.event === 'outcome')
  if (decision !== undefined) return { decision, ...(outcome === undefined ? {} : { outcome }) }
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
