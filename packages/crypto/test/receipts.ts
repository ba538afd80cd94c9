import { encodeBase64 } from '../src/base64.js'
import { encodeCanonical } from '../src/canonical-json.js'
import { signCheckpoint } from '../src/checkpoint.js'
import { createCosigner } from '../src/cosignature.js'
import { hashDecisionFacts } from '../src/decision-hash.js'
import { appendLeaf, EMPTY_FRONTIER, frontierRoot } from '../src/frontier.js'
import { hexToBytes, sha256Hex } from '../src/hash.js'
import { inclusionProof } from '../src/inclusion.js'
import { leafHash } from '../src/merkle.js'
import { parseNote, signNote } from '../src/note.js'
import { encodeVkey } from '../src/note-key.js'
import { createNoteSigner } from '../src/note-signer.js'
import { encodeReceipt, type ReceiptEntryParts } from '../src/receipt.js'
import type { Signer } from '../src/signature.js'
import { encodeTlogProof } from '../src/tlog-proof.js'
import { parseWitnessPolicy } from '../src/witness-policy.js'
import { signerOf } from './signed-notes.js'

export const KEY = signerOf(1)
export const NEW_KEY = signerOf(2)
export const STRANGER = signerOf(3)
export const LEDGER_ORIGIN = 'sudoagent.example/ledger/1'
export const REQUEST_ID = '083a0f8c-664e-4692-9c0d-fb611024f7a4'

/** Two witnesses, in no relation to the log. */
export const WITNESSES = [
  createCosigner('witness.example/w1', signerOf(11), () => 1_790_000_000),
  createCosigner('witness.example/w2', signerOf(12), () => 1_790_000_060),
]

export const POLICY_TEXT = `${WITNESSES.map(({ key }, i) => `witness w${i + 1} ${encodeVkey(key)}\n`).join('')}group both all w1 w2\nquorum both\n`
export const POLICY = parseWitnessPolicy(POLICY_TEXT)

/** A text of this form in an entry becomes a number with those digits, which `encodeCanonical` would round. */
const EXACT = /"exact:([0-9.]+)"/g

const canonical = (value: unknown): string => encodeCanonical(value).replace(EXACT, '$1')

type Fields = Readonly<Record<string, unknown>>

export interface EntryOptions {
  readonly key?: Signer | null
  readonly prev?: string | null
  /** Members that take the place of others; undefined takes one away. */
  readonly changes?: Fields
}

/** The canonical line of an entry, hashed and signed as a ledger does. */
export function sealEntry(fields: Fields, { key = KEY, prev = null, changes = {} }: EntryOptions = {}): string {
  const all: Record<string, unknown> = {
    schema_version: '2.0',
    ledger_version: '2.0',
    recorded_at: fields.created_at,
    prev_entry_hash: prev,
    ...(key === null ? {} : { key_id: key.keyId }),
    ...fields,
    ...changes,
  }
  for (const name of Object.keys(all)) if (all[name] === undefined) delete all[name]
  const entryHash = sha256Hex(canonical({ ...all, entry_hash: null }))
  const signature = key?.sign(new TextEncoder().encode(entryHash)) as Uint8Array | undefined
  const seal = signature === undefined ? {} : { entry_signature: encodeBase64(signature) }
  return canonical({ ...all, entry_hash: entryHash, ...seal })
}

export interface CallOptions extends EntryOptions {
  readonly requestId?: string
  readonly effect?: 'allow' | 'deny'
  readonly reason?: string
  readonly parameters?: Fields
  readonly approved?: boolean
}

const POLICY_HASH = sha256Hex('the policy')
const ACTOR = { principal: 'bot-7', source: 'node' }

function blocksOf({ requestId = REQUEST_ID, parameters = { args: [], kwargs: { amount: 40 } }, ...call }: CallOptions) {
  const created_at = '2026-11-22T20:18:30.054069Z'
  const facts = { requestId, decisionAt: created_at, policyHash: POLICY_HASH, action: 'refund', actor: ACTOR }
  const decision_hash = hashDecisionFacts(facts, canonical(parameters))
  const binding = { request_id: requestId, policy_hash: POLICY_HASH, decision_hash }
  return {
    call: { request_id: requestId, created_at, action: 'refund', agent_id: 'bot', actor: ACTOR, parameters },
    decision: {
      reason: call.reason ?? 'within the limit',
      reason_code: 'ALLOWED',
      policy_id: 'refunds:v2',
      policy_version: '2',
      policy_hash: POLICY_HASH,
      decision_hash,
    },
    approval: {
      approval_id: 'a-1',
      state: 'approved',
      approver_id: 'ada@example.com',
      created_at,
      resolved_at: created_at,
      expires_at: null,
      binding,
    },
  }
}

export function decisionLine(options: CallOptions = {}): string {
  const { call, decision, approval } = blocksOf(options)
  return sealEntry(
    {
      ...call,
      event: 'decision',
      decision: { ...decision, effect: options.effect ?? 'allow' },
      approval: options.approved ? approval : null,
      budget: null,
      metadata: {},
    },
    options,
  )
}

export function outcomeLine(options: CallOptions = {}): string {
  const { call, decision } = blocksOf(options)
  const outcome = { status: 'success', reason: null, reason_code: null, error_type: null, error: null }
  return sealEntry({ ...call, event: 'outcome', decision, outcome }, options)
}

export interface ProofOptions {
  /** Of the checkpoint; by default all entries. */
  readonly size?: number
  readonly keys?: readonly Signer[]
  readonly origin?: string
  readonly witnesses?: typeof WITNESSES
}

/** Some entries in one tree, from position 1. */
export class SampleLog {
  readonly lines: readonly string[]
  readonly #nodes = new Map<string, Uint8Array>()
  readonly #roots: Uint8Array[] = []

  constructor(lines: readonly string[]) {
    this.lines = lines
    let frontier = EMPTY_FRONTIER
    for (const line of lines) {
      this.#roots.push(frontierRoot(frontier))
      const step = appendLeaf(frontier, leafHash(hexToBytes(JSON.parse(line).entry_hash)))
      for (const { level, index, hash } of step.completed) this.#nodes.set(`${level}/${index}`, hash)
      frontier = step.frontier
    }
    this.#roots.push(frontierRoot(frontier))
  }

  async checkpoint({ size = this.lines.length, keys = [KEY], origin = LEDGER_ORIGIN, witnesses = [] }: ProofOptions) {
    const root = this.#roots[size] ?? new Uint8Array(0)
    const signers = keys.map((key) => createNoteSigner(origin, key))
    const signed = parseNote(await signCheckpoint({ origin, size, root, extensions: [] }, signers))
    return witnesses.length === 0 ? signNote(signed.text, signers) : signNote(signed.text, witnesses, signed.signatures)
  }

  async proof(position: number, options: ProofOptions = {}): Promise<string> {
    const size = options.size ?? this.lines.length
    const read = (level: number, index: number) => this.#nodes.get(`${level}/${index}`) ?? new Uint8Array(0)
    const hashes = await inclusionProof(position - 1, size, read)
    return encodeTlogProof({ index: position - 1, hashes, checkpoint: await this.checkpoint(options), extra: null })
  }

  async parts(position: number, options: ProofOptions = {}): Promise<ReceiptEntryParts> {
    return { position, line: this.lines[position - 1] ?? '', proof: await this.proof(position, options) }
  }
}

/** Seven entries: five of other calls, and at 3 and 5 a decision and its outcome. */
export function sampleLog(options: CallOptions = {}): SampleLog {
  const other = (n: number) => decisionLine({ requestId: `00000000-0000-4000-8000-00000000000${n}` })
  return new SampleLog([other(1), other(2), decisionLine(options), other(4), outcomeLine(options), other(6), other(7)])
}

/** The receipt of that decision. */
export async function sampleReceipt(
  options: CallOptions & ProofOptions & { readonly withOutcome?: boolean; readonly withEntry?: boolean } = {},
): Promise<string> {
  const log = sampleLog(options)
  const outcome = options.withOutcome === false ? null : await log.parts(5, options)
  return encodeReceipt({ ...(await log.parts(3, options)), outcome }, { withEntry: options.withEntry ?? true })
}
