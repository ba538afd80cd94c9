// The worked example of docs/ledger-format.md, taken off the page, and the same made again by the library.
import { createSigner, generatePrivateKey } from '../../packages/crypto/dist/index.js'
import { type EntryDraft, select } from '../../packages/ledger/dist/index.js'
import { MemoryLedger } from '../../packages/ledger/dist/store/memory.js'
import type { Page } from './markdown.js'

export interface WorkedExample {
  /** The hashed texts, and the hashes that the page gives for them. */
  readonly policy: readonly [text: string, hash: string]
  readonly decision: readonly [text: string, hash: string]
  readonly entry: readonly [text: string, hash: string]
  readonly publicKeyPem: string
  readonly keyId: string
  readonly signature: string
  readonly line: string
  readonly receipt: unknown
}

/** @throws Error when the page has another form than the one that is read here */
export function readWorkedExample({ path, blocks }: Page): WorkedExample {
  const plain = blocks.filter(({ language }) => language === 'text').map(({ text }) => text)
  const named = (name: string): string => {
    const [, value] = new RegExp(`^${name} = (\\S+)$`, 'm').exec(plain.join('\n')) ?? []
    if (value === undefined) throw new Error(`${path} does not give ${name}`)
    return value
  }
  const texts = plain.filter((text) => text.startsWith('{"'))
  const [policy = '', decision = '', entry = ''] = texts
  const json = blocks.filter(({ language }) => language === 'json').map(({ text }) => text)
  const [line = '', receipt = ''] = json
  if (texts.length !== 3 || json.length !== 2) throw new Error(`${path} has another number of blocks in its example`)
  return {
    policy: [policy, named('policy_hash')],
    decision: [decision, named('decision_hash')],
    entry: [entry, named('entry_hash')],
    publicKeyPem: `${plain.find((text) => text.startsWith('-----BEGIN'))}\n`,
    keyId: named('key_id'),
    signature: named('entry_signature'),
    line,
    receipt: JSON.parse(receipt),
  }
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

/** What a ledger with the example's key makes of the example's decision, at the example's time. @returns the stored line */
export async function makeLine(line: string): Promise<string> {
  const entry = JSON.parse(line) as Record<string, unknown>
  const draft = Object.fromEntries(Object.entries(entry).filter(([field]) => !LEDGER_FIELDS.includes(field)))
  const signer = createSigner(generatePrivateKey((length) => new Uint8Array(length).fill(1)))
  const ledger = new MemoryLedger({ signer, clock: () => new Date(String(entry.recorded_at)) })
  await ledger.append(draft as unknown as EntryDraft)
  for await (const { json } of select(ledger.reader())) return json
  throw new Error('the ledger is empty')
}
