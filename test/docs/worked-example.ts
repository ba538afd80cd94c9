// Reads the worked example from docs/ledger-format.md, and creates the same example with the library.
import { createSigner, generatePrivateKey, type Signer } from '../../packages/crypto/dist/index.js'
import { type EntryDraft, select } from '../../packages/ledger/dist/index.js'
import { MemoryLedger } from '../../packages/ledger/dist/store/memory.js'
import type { Page } from './markdown.js'

export interface WorkedExample {
  /** The hashed texts, each with the hash that the page shows. */
  readonly policy: readonly [text: string, hash: string]
  readonly decision: readonly [text: string, hash: string]
  readonly entry: readonly [text: string, hash: string]
  readonly publicKeyPem: string
  readonly keyId: string
  readonly origin: string
  readonly vkey: string
  readonly signature: string
  /** The lines of the two entries. */
  readonly genesis: string
  readonly line: string
  /** Base64. */
  readonly leaves: readonly [string, string]
  readonly root: string
  readonly head: string
  readonly receipt: string
}

/** @throws Error if the page does not have the structure that this function expects */
export function readWorkedExample({ path, blocks }: Page): WorkedExample {
  const plain = blocks.filter(({ language }) => language === 'text').map(({ text }) => text)
  const named = (name: string): string => {
    const [, value] = new RegExp(`^${name} = (\\S+)$`, 'm').exec(plain.join('\n')) ?? []
    if (value === undefined) throw new Error(`${path} does not contain ${name}`)
    return value
  }
  const starting = (start: string): string => `${plain.find((text) => text.startsWith(start))}\n`
  const texts = plain.filter((text) => text.startsWith('{"'))
  const [policy = '', decision = '', entry = ''] = texts
  const json = blocks.filter(({ language }) => language === 'json').map(({ text }) => text)
  const [genesis = '', line = '', receipt = ''] = json
  if (texts.length !== 3 || json.length !== 3)
    throw new Error(`${path} has a different number of blocks in its example`)
  return {
    policy: [policy, named('policy_hash')],
    decision: [decision, named('decision_hash')],
    entry: [entry, named('entry_hash')],
    publicKeyPem: starting('-----BEGIN'),
    keyId: named('key_id'),
    origin: named('origin'),
    vkey: named('vkey'),
    signature: named('entry_signature'),
    genesis,
    line,
    leaves: [named('leaf_0'), named('leaf_1')],
    root: named('root'),
    head: starting(`${named('origin')}\n`),
    receipt: `${receipt}\n`,
  }
}

/** Returns the example's key: 32 bytes of value 1. */
export function exampleSigner(): Signer {
  return createSigner(generatePrivateKey((length) => new Uint8Array(length).fill(1)))
}

const LEDGER_FIELDS = [
  'schema_version',
  'ledger_version',
  'recorded_at',
  'prev_entry_hash',
  'entry_hash',
  'key_id',
  'entry_signature',
]

/** Returns the draft from which a writer creates this line. */
export function draftOf(line: string): EntryDraft {
  const entry = Object.entries(JSON.parse(line) as Record<string, unknown>)
  return Object.fromEntries(entry.filter(([field]) => !LEDGER_FIELDS.includes(field))) as unknown as EntryDraft
}

/** Writes the example's decision to a new ledger, with the example's key and time. @returns the stored lines */
export async function makeLines({ genesis, line }: WorkedExample): Promise<readonly string[]> {
  const { recorded_at: at } = JSON.parse(line) as { readonly recorded_at: string }
  const { checkpoint } = JSON.parse(genesis) as { readonly checkpoint: { readonly ledger_id: string } }
  const options = { signer: exampleSigner(), clock: () => new Date(at), generateId: () => checkpoint.ledger_id }
  const ledger = new MemoryLedger(options)
  await ledger.append(draftOf(line))
  const lines: string[] = []
  for await (const { json } of select(ledger.reader())) lines.push(json)
  return lines
}
