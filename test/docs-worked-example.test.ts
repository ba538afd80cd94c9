// Tests the worked example in docs/ledger-format.md. Recomputes every value on the page from its text, and checks
// that the library writes, verifies and exports the same values.
import { createHash, createPublicKey, verify as verifySignature } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parsePublicKey } from '../packages/crypto/dist/index.js'
import { createNoteSigner, signCheckpoint } from '../packages/crypto/dist/note.js'
import { verifyReceipt } from '../packages/crypto/dist/receipt.js'
import { appendLeaf, EMPTY_FRONTIER, frontierRoot, leafHash } from '../packages/crypto/dist/tree.js'
import { makeReceipt, openLedgerReader, verify } from '../packages/ledger/dist/index.js'
import { JsonlLedger } from '../packages/ledger/dist/store/jsonl/ledger.js'
import { parsePage } from './docs/markdown.js'
import { draftOf, exampleSigner, makeLines, readWorkedExample } from './docs/worked-example.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const path = 'docs/ledger-format.md'

describe('worked example of the ledger format', () => {
  const example = readWorkedExample(parsePage(path, readFileSync(join(root, path), 'utf8')))
  const {
    policy,
    decision,
    entry,
    publicKeyPem,
    keyId,
    origin,
    signature,
    genesis,
    line,
    head,
    root: rootHash,
  } = example
  const stored = JSON.parse(line) as Record<string, unknown>
  const hashes = [genesis, line].map((text) => String(JSON.parse(text).entry_hash))
  const sha256 = (...parts: readonly (string | Uint8Array)[]): Buffer =>
    parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest()
  const spki = createPublicKey(publicKeyPem).export({ format: 'der', type: 'spki' })
  const isSigned = (text: string, base64: string): boolean =>
    verifySignature(null, Buffer.from(text), createPublicKey(publicKeyPem), Buffer.from(base64, 'base64'))

  it('has the key and the decision of the vector', () => {
    const { key, steps } = JSON.parse(readFileSync(join(root, 'vectors/ledger/worked-example.json'), 'utf8'))
    expect([publicKeyPem, keyId]).toEqual([key.public_key_pem, key.key_id])
    expect(steps[0]).toMatchObject({ text: decision[0], sha256: decision[1] })
  })

  it('has the hashes of its texts, and the texts of its lines', () => {
    for (const [text, hash] of [policy, decision, entry]) expect(sha256(text).toString('hex')).toBe(hash)
    expect(stored).toMatchObject({ entry_hash: entry[1], entry_signature: signature, key_id: keyId })
    expect(stored).toMatchObject({ prev_entry_hash: hashes[0], decision: { decision_hash: decision[1] } })
    const { entry_signature: _, ...rest } = stored
    expect(JSON.parse(entry[0])).toEqual({ ...rest, entry_hash: null })
    const text = genesis.replace(/,"entry_signature":"[^"]*"/, '').replace(`"${hashes[0]}"`, 'null')
    expect(sha256(text).toString('hex')).toBe(hashes[0])
  })

  it('has signatures that verify under its key', () => {
    expect(sha256(spki).toString('hex').slice(0, 16)).toBe(keyId)
    expect(isSigned(entry[1], signature)).toBe(true)
    expect(isSigned(String(hashes[0]), String(JSON.parse(genesis).entry_signature))).toBe(true)
  })

  it('has the tree of its entries, and a head that is signed for its origin', () => {
    const leaves = hashes.map((hash) => sha256(Uint8Array.of(0), Buffer.from(hash, 'hex')))
    expect(leaves.map((leaf) => leaf.toString('base64'))).toEqual(example.leaves)
    expect(sha256(Uint8Array.of(1), ...leaves).toString('base64')).toBe(rootHash)
    expect(origin).toBe(`sudoagent.dev/ledger/${hashes[0]?.slice(0, 32)}`)
    const key = Buffer.concat([Uint8Array.of(1), spki.subarray(-32)])
    const keyHash = sha256(`${origin}\n`, key).subarray(0, 4)
    expect(example.vkey).toBe(`${origin}+${keyHash.toString('hex')}+${key.toString('base64')}`)
    const [text = '', line = ''] = head.split('\n\n')
    const [dash, name, base64 = ''] = line.trimEnd().split(' ')
    const data = Buffer.from(base64, 'base64')
    expect(`${text}\n`).toBe(`${origin}\n2\n${rootHash}\n`)
    expect([dash, name, data.subarray(0, 4)]).toEqual(['—', origin, keyHash])
    expect(isSigned(`${text}\n`, data.subarray(4).toString('base64'))).toBe(true)
  })

  it('begins as the library begins a ledger', async () => {
    const [made = ''] = await makeLines(example)
    const { checkpoint, created_at, event } = JSON.parse(made)
    // The page shows the software version with which the example was created, so the test ignores the version.
    const wanted = JSON.parse(genesis)
    expect({ event, created_at, checkpoint: { ...checkpoint, software: null } }).toEqual({
      event: 'checkpoint',
      created_at: wanted.created_at,
      checkpoint: { ...wanted.checkpoint, software: null },
    })
  })

  it('is what the library writes behind its genesis, verifies, and gives a receipt for', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sudoagent-example-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const path = join(folder, 'ledger.jsonl')
    writeFileSync(path, `${genesis}\n`)
    const at = new Date(String(stored.recorded_at))
    await writeHead(path, hashes.slice(0, 1))
    const ledger = JsonlLedger.open(path, { signer: exampleSigner(), clock: () => at })
    await ledger.append(draftOf(line))
    await ledger.close()
    expect(readFileSync(path, 'utf8')).toBe(`${genesis}\n${line}\n`)
    expect(readFileSync(`${path}.head`, 'utf8')).toBe(head)
    const opened = await openLedgerReader(path)
    const report = await verify(opened, { publicKeys: [parsePublicKey(publicKeyPem)] })
    expect(report).toMatchObject({ ok: true, verdict: 'signed', entries: 2, open: 1, origin, findings: [] })
    const { text } = await makeReceipt(opened, { requestId: String(stored.request_id) }, { withEntry: false })
    expect(text).toBe(example.receipt)
    expect(verifyReceipt(text, { publicKeys: [parsePublicKey(publicKeyPem)] })).toMatchObject({ verdict: 'signed' })
    await opened.close()
  })

  /** Writes the head that the ledger had before the decision, which covers only the genesis entry. */
  async function writeHead(path: string, entryHashes: readonly string[]): Promise<void> {
    const leaves = entryHashes.map((hash) => leafHash(Buffer.from(hash, 'hex')))
    const frontier = leaves.reduce((tree, leaf) => appendLeaf(tree, leaf).frontier, EMPTY_FRONTIER)
    const checkpoint = { origin, size: frontier.size, root: frontierRoot(frontier), extensions: [] }
    writeFileSync(`${path}.head`, await signCheckpoint(checkpoint, [createNoteSigner(origin, exampleSigner())]))
  }
})
