// Creates one valid sample of every format with our own packages. The fuzzers mutate these samples, which are the same
// in every run.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createSigner, encryptPrivateKey, generatePrivateKey } from '@sudoagent/crypto'
import {
  createCosigner,
  createNoteKey,
  createSignature,
  encodeNote,
  encodeVkey,
  parseCheckpoint,
  parseNote,
} from '@sudoagent/crypto/note'
import { makeReceipt, openLedgerReader } from '@sudoagent/ledger'
import { JsonlLedger } from '@sudoagent/ledger/jsonl'
import { provePrefix } from '@sudoagent/ledger/proof'
import { SqliteLedger } from '@sudoagent/ledger/sqlite'
import { encodeState, verifyFrom } from '@sudoagent/ledger/state'
import { encodeAddCheckpoint } from '@sudoagent/witness'
import { requestIdOf } from '../support/draft.js'
import { SAMPLE } from '../support/ledger.js'

const VECTORS = fileURLToPath(new URL('../../../../vectors', import.meta.url))

export const KEY = generatePrivateKey((length) => new Uint8Array(length).fill(1))
export const PASSPHRASE = 'correct horse'
const WITNESS = createCosigner(
  'witness.example/w1',
  createSigner(generatePrivateKey((n) => new Uint8Array(n).fill(7))),
  () => 1_790_000_000,
)
export const ORIGIN = 'fuzz.example/ledger'
export const POLICY = [
  `log ${encodeVkey(createNoteKey(ORIGIN, KEY.publicKey))}`,
  `witness w1 ${encodeVkey(WITNESS.key)} https://w1.example`,
  'group all 1 w1',
  'quorum all',
  '',
].join('\n')

export interface Evidence {
  readonly jsonl: Buffer
  readonly head: Buffer
  readonly tree: Buffer
  readonly sqlite: Buffer
  readonly cosigned: string
  readonly receipts: readonly string[]
  readonly proof: string
  readonly state: string
  readonly submission: string
  readonly encryptedKey: string
}

/** Creates the same samples in every run. */
export async function makeEvidence(): Promise<Evidence> {
  const folder = mkdtempSync(join(tmpdir(), 'sudoagent-fuzz-'))
  try {
    let now = Date.UTC(2026, 10, 22, 20)
    const options = {
      signer: createSigner(KEY),
      origin: ORIGIN,
      clock: () => {
        now += 1
        return new Date(now)
      },
      generateId: () => '94ee0593-35e5-47e5-81cc-4bf90613e081',
    }
    const paths = [join(folder, 'ledger.jsonl'), join(folder, 'ledger.sqlite')] as const
    for (const ledger of [JsonlLedger.open(paths[0], options), SqliteLedger.open(paths[1], options)]) {
      for (const draft of SAMPLE) await ledger.append(draft)
      await ledger.close()
    }
    const reader = await openLedgerReader(paths[0])
    const { state } = await verifyFrom(reader, { publicKeys: [KEY.publicKey] })
    const head = readFileSync(`${paths[0]}.head`)
    const note = parseNote(head)
    const cosigned = encodeNote({
      ...note,
      signatures: [...note.signatures, await createSignature(note.text, WITNESS)],
    })
    const made = await makeReceipt(reader, { requestId: requestIdOf(1) })
    const bare = await makeReceipt(reader, { requestId: requestIdOf(3) }, { withEntry: false })
    const control = await makeReceipt(reader, { position: 1 })
    const { size, root } = parseCheckpoint(note.text)
    const { hashes: proof } = await provePrefix(reader, 4, { size, root })
    await reader.close()
    return {
      jsonl: readFileSync(paths[0]),
      head,
      tree: readFileSync(`${paths[0]}.tree`),
      sqlite: readFileSync(paths[1]),
      cosigned,
      receipts: [made.text, bare.text, control.text],
      proof: made.proof ?? '',
      state: state === null ? '' : encodeState(state),
      submission: encodeAddCheckpoint({ oldSize: 4, proof, checkpoint: head.toString() }),
      encryptedKey: encryptPrivateKey(KEY, PASSPHRASE),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Reads the files in a folder of vectors, which include inputs that the fuzzers found earlier. */
export function vectorsIn(folder: string, suffix = ''): readonly Buffer[] {
  const names = readdirSync(join(VECTORS, folder), { recursive: true, withFileTypes: true })
  return names
    .filter((file) => file.isFile() && file.name.endsWith(suffix))
    .map((file) => readFileSync(join(file.parentPath, file.name)))
}
