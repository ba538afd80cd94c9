// Lists every parser of untrusted bytes, each with valid inputs. A target returns, or throws one of our errors with a
// code. If a strict parser accepts a text, its encoder must return the same bytes.

import { parsePrivateKey, parsePublicKey } from '@sudoagent/crypto'
import { scanJson } from '@sudoagent/crypto/json'
import {
  createCosignatureVerifier,
  createNoteKey,
  createNoteVerifier,
  encodeCheckpoint,
  encodeNote,
  encodeTlogProof,
  encodeVkey,
  openNote,
  parseCheckpoint,
  parseNote,
  parseTlogProof,
  parseVkey,
  parseWitnessPolicy,
} from '@sudoagent/crypto/note'
import { parseReceipt, verifyReceipt } from '@sudoagent/crypto/receipt'
import { encodeFrontier, parseFrontier } from '@sudoagent/crypto/tree'
import { readUnverifiedCheckpoint } from '@sudoagent/ledger/proof'
import { encodeState, parseState } from '@sudoagent/ledger/state'
import { parsePolicyFile, RulePolicy } from '@sudoagent/policy'
import { encodeAddCheckpoint, parseAddCheckpoint } from '@sudoagent/witness'
import { expect } from 'vitest'
import { type Evidence, KEY, ORIGIN, PASSPHRASE, POLICY, vectorsIn } from './evidence.js'

export interface Target {
  readonly name: string
  readonly corpus: readonly Uint8Array[]
  /** Relative cost of one input. A target with cost 10 gets a tenth of the inputs of the cheapest target. */
  readonly cost: number
  readonly run: (bytes: Uint8Array) => unknown
}

export const target = (
  name: string,
  cost: number,
  corpus: readonly (string | Uint8Array)[],
  run: Target['run'],
): Target => ({
  name,
  cost,
  corpus: corpus.map((one) => Buffer.from(one)),
  run,
})

export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')
const policy = parseWitnessPolicy(POLICY)
const witnessKeys = [...policy.witnesses.values()].map(({ key }) => key)
const trust = { publicKeys: [KEY.publicKey], witnessPolicy: policy }
const verifiers = [
  createNoteVerifier(createNoteKey(ORIGIN, KEY.publicKey)),
  ...witnessKeys.map((key) => createCosignatureVerifier(key)),
]

/** A call for which every valid policy must return one of these decisions. */
const CALL = { action: 'files/t', args: [], kwargs: { path: '/srv/data/../etc/passwd', amount: 5, a: [null, ''] } }
const DECISIONS = ['allow', 'deny', 'require_approval']

/** Lists the parsers of texts and bytes in memory. */
export function textTargets(evidence: Evidence): readonly Target[] {
  const { head, cosigned, jsonl, receipts, proof, state, submission, encryptedKey } = evidence
  const texts = (name: string): readonly string[] => vectorsIn('note', name).flatMap(stringsIn)
  const json = vectorsIn('canonical-json', '.json').flatMap(stringsIn)
  const policies = vectorsIn('policy', 'decide.json')
    .flatMap(stringsIn)
    .filter((one) => one.includes('sudoagent_policy'))
  /** Combines a strict parser with its encoder. */
  const both = (parse: (bytes: Uint8Array) => string) => (bytes: Uint8Array) => expect(parse(bytes)).toBe(text(bytes))
  return [
    target('JSON', 1, [...json, ...text(jsonl).split('\n')], (bytes) => scanJson(text(bytes))),
    target('public key', 2, [KEY.publicKey.pem, KEY.pem], (bytes) => parsePublicKey(text(bytes))),
    target('private key', 2, [KEY.pem, KEY.publicKey.pem], (bytes) => parsePrivateKey(text(bytes))),
    // The parser rejects most inputs before it derives a key. For the other inputs, the file sets the cost of the
    // derivation, up to a limit.
    target('encrypted private key', 300, [encryptedKey], (bytes) => parsePrivateKey(text(bytes), PASSPHRASE)),
    target(
      'vkey',
      2,
      [...witnessKeys.map(encodeVkey), ...texts('vkey-accept.json')],
      both((bytes) => encodeVkey(parseVkey(text(bytes)))),
    ),
    target('note', 3, [head, cosigned, ...texts('note-accept.json')], (bytes) => {
      both((given) => encodeNote(parseNote(given)))(bytes)
      openNote(bytes, verifiers)
    }),
    target(
      'checkpoint',
      1,
      [bodyOf(head), ...texts('checkpoint-accept.json')],
      both((bytes) => encodeCheckpoint(parseCheckpoint(bytes))),
    ),
    target('kept checkpoint', 1, [head, cosigned], (bytes) => readUnverifiedCheckpoint(text(bytes))),
    target(
      'tlog-proof',
      1,
      [proof, ...texts('tlog-proof-accept.json')],
      both((bytes) => encodeTlogProof(parseTlogProof(bytes))),
    ),
    target('receipt', 12, receipts, (bytes) => {
      verifyReceipt(bytes, trust)
      parseReceipt(bytes)
    }),
    target('policy file', 4, policies, (bytes) => {
      const rules = new RulePolicy(parsePolicyFile(text(bytes), 'policy.yaml'))
      expect(DECISIONS).toContain(rules.evaluate(CALL).decision)
    }),
    target('witness policy', 2, [POLICY], (bytes) => parseWitnessPolicy(bytes)),
    target(
      'verified state',
      4,
      [state],
      both((bytes) => encodeState(parseState(bytes))),
    ),
    target(
      'add-checkpoint request',
      2,
      [submission],
      both((bytes) => encodeAddCheckpoint(parseAddCheckpoint(bytes))),
    ),
    target(
      'frontier',
      1,
      [encodeFrontier({ size: 3, hashes: [Buffer.alloc(32, 1), Buffer.alloc(32, 2)] })],
      (bytes) => {
        expect(Buffer.from(encodeFrontier(parseFrontier(bytes))).equals(bytes)).toBe(true)
      },
    ),
  ]
}

/** Returns the checkpoint in a signed note. */
export const bodyOf = (note: Uint8Array): string => `${text(note).split('\n\n')[0]}\n`

/** Collects all strings in a vector file, in any member. */
function stringsIn(file: Buffer): string[] {
  const found: string[] = []
  JSON.parse(text(file), (_, value) => {
    if (typeof value === 'string' && value.length > 0) found.push(value)
    return value
  })
  return found
}
