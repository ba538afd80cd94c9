// Tests writers that open a ledger whose files an attacker or a crash changed while the ledger was closed. A writer
// continues after valid entries and refuses everything else, because its next head covers all earlier entries.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hexToBytes } from '@sudoagent/crypto/bytes'
import { leafHash, verifyInclusion } from '@sudoagent/crypto/tree'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { openLedgerReader } from '../../src/store/open.js'
import { SqliteLedger } from '../../src/store/sqlite/ledger.js'
import { proveEntry, proveInclusion } from '../../src/tree/prove.js'
import {
  backUp,
  cutTail,
  headIn,
  KINDS,
  type Kind,
  ledgerOf,
  linesIn,
  OWNER,
  OWNER_KEY,
  removeHead,
  replaceHead,
  replaceLines,
  withWriter,
  write,
} from '../fixtures/attack.js'
import { decisionDraft, testSigner } from '../fixtures/draft.js'
import { sqliteOf, verifyFile } from '../fixtures/ledger-file.js'
import { refusalOf } from '../fixtures/refusal.js'
import { type Entry, entriesOf, sealAll, writtenLines } from '../fixtures/seal.js'

const drafts = (from: number, count: number) => Array.from({ length: count }, (_, n) => decisionDraft(from + n))
const append = (kind: Kind, path: string) => write(kind, path, [decisionDraft(99)])

describe.each(KINDS)('a writer of %s', (kind) => {
  it.each<[string, (path: string) => unknown]>([
    ['the tail was cut', (path) => cutTail(kind, path, 2)],
    ['all entries were removed', (path) => replaceLines(kind, path, [])],
    ['the head was removed', (path) => removeHead(kind, path)],
    ['the head is half written', async (path) => replaceHead(kind, path, (await headIn(path)).slice(0, 40))],
    [
      'the head has lost its signature',
      async (path) => replaceHead(kind, path, `${(await headIn(path)).split('\n\n')[0]}\n`),
    ],
    [
      'the head is that of another log',
      async (path) => replaceHead(kind, path, (await headIn(path)).replaceAll('example.com', 'example.org')),
    ],
    [
      'the head is signed by a stranger',
      async (path) =>
        replaceHead(kind, path, await headIn(await ledgerOf(kind, drafts(1, 4), { signer: testSigner(66) }))),
    ],
    [
      'the head belongs to a different ledger',
      async (path) => replaceHead(kind, path, await headIn(await ledgerOf(kind, drafts(5, 4)))),
    ],
    [
      'the last entry was changed',
      async (path) =>
        replaceLines(
          kind,
          path,
          (await linesIn(path)).map((line, n) => (n === 4 ? line.replace('"amount":4', '"amount":5') : line)),
        ),
    ],
    [
      'the history was rewritten under the head',
      async (path) =>
        replaceLines(
          kind,
          path,
          sealAll(
            entriesOf(await linesIn(path)).map((entry, n) => (n === 2 ? { ...entry, agent_id: 'x' } : entry)),
            () => OWNER,
          ),
        ),
    ],
  ])('refuses when %s', async (_, change) => {
    const path = await ledgerOf(kind, drafts(1, 4))
    await change(path)
    const before = await linesIn(path)
    expect(await refusalOf(() => append(kind, path))).toMatch(/^LEDGER_(?:DAMAGED|NOT_A_LEDGER)$/)
    expect(await linesIn(path)).toEqual(before)
  })

  it.each<[string, (entry: Entry) => Entry, number]>([
    ['unsigned', ({ key_id: _, ...entry }) => entry, 0],
    ['signed by a stranger', (entry) => ({ ...entry, key_id: testSigner(66).keyId }), 66],
    ['signed by a stranger in the name of the owner', (entry) => entry, 66],
  ])('does not take over an entry behind the head that is %s', async (_, change, signedBy) => {
    const path = await ledgerOf(kind, drafts(1, 2))
    const lines = await linesIn(path)
    const entries = entriesOf(lines)
    const extra = change({ ...(entries.at(-1) as Entry), request_id: 'behind' })
    const signers = [...entries.map(() => OWNER), signedBy === 0 ? null : testSigner(signedBy)]
    replaceLines(
      kind,
      path,
      sealAll([...entries, extra], (n) => signers[n] ?? null),
    )
    expect(await refusalOf(() => append(kind, path))).toBe('LEDGER_DAMAGED')
  })

  it('takes over what a crash left behind the head, and goes on', async () => {
    const path = await ledgerOf(kind, drafts(1, 2))
    const earlier = await headIn(path)
    await write(kind, path, drafts(3, 3))
    if (kind === 'jsonl') replaceHead(kind, path, earlier)
    else {
      // SQLite ledgers write the head, the tree and the entries in one transaction. Rows after the head therefore come
      // only from a writer that does not support heads.
      const db = new Database(path)
      const older = new Database(await ledgerOf(kind, drafts(1, 2)))
      const row = older.prepare('SELECT * FROM sudoagent_head').get() as Record<string, unknown>
      older.close()
      db.prepare(
        'UPDATE sudoagent_head SET size = @size, entry_hash = @entry_hash, frontier = @frontier, checkpoint = @checkpoint',
      ).run(row)
      db.close()
    }
    expect(await verifyFile(path, { publicKeys: [OWNER_KEY] })).toMatchObject({
      verdict: 'signed',
      entries: 6,
      tail: 3,
    })
    await append(kind, path)
    expect(await verifyFile(path, { publicKeys: [OWNER_KEY] })).toMatchObject({
      verdict: 'signed',
      entries: 7,
      tail: 0,
    })
    await proofsHold(path)
  })

  it('goes on from an older copy with its head: nothing that lies here says that it is one', async () => {
    const path = await ledgerOf(kind, drafts(1, 2))
    const putBack = backUp(path)
    await write(kind, path, drafts(3, 2))
    putBack()
    await append(kind, path)
    expect(await verifyFile(path, { publicKeys: [OWNER_KEY] })).toMatchObject({ verdict: 'signed', entries: 4 })
  })

  it('refuses a key that the ledger does not know, no key at all, and another origin', async () => {
    const path = await ledgerOf(kind, drafts(1, 1))
    const code = (options: object) => refusalOf(() => withWriter(kind, path, options, async () => {}))
    expect(await code({ signer: testSigner(66) })).toBe('KEY_REFUSED')
    expect(await code({ signer: undefined })).toBe('KEY_REFUSED')
    expect(await code({ origin: 'example.com/other' })).toBe('ORIGIN_REFUSED')
    await expect(withWriter(kind, path, { origin: 'white space' }, async () => {})).rejects.toThrow(TypeError)
    const unsigned = await ledgerOf(kind, drafts(1, 1), { signer: undefined as never })
    // This genesis entry does not require signatures, so unsigned entries are valid too.
    await append(kind, unsigned)
    expect(await verifyFile(unsigned)).toMatchObject({ ok: true, signed_entries: 1 })
  })

  it('gives a ledger of another implementation a tree and a head, and no genesis', async () => {
    const lines = await writtenLines(drafts(1, 700))
    const path = await ledgerOf(kind, [])
    replaceLinesOfOther(kind, path, lines)
    let calls = 0
    const flaky = {
      keyId: OWNER.keyId,
      publicKey: OWNER.publicKey,
      sign: (message: Uint8Array) => {
        calls += 1
        if (calls === 1) throw new Error('not now')
        return OWNER.sign(message)
      },
    }
    await withWriter(kind, path, { signer: flaky, origin: undefined as never }, async (ledger) => {
      expect(await refusalOf(() => ledger.append(decisionDraft(800)))).toBe('LEDGER_WRITE_FAILED')
      await ledger.append(decisionDraft(801))
    })
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 701, tail: 0, signed_entries: 1 })
    await proofsHold(path)
  })
})

function replaceLinesOfOther(kind: Kind, path: string, lines: readonly string[]): void {
  for (const suffix of ['', '.head', '.tree']) rmSync(`${path}${suffix}`, { force: true })
  if (kind === 'sqlite') sqliteOf(lines, {}, path)
  else writeFileSync(path, lines.map((line) => `${line}\n`).join(''))
}

/** Verifies proofs for several positions. The proofs come from the stored tree, and the root comes from the head. */
async function proofsHold(path: string): Promise<void> {
  const reader = await openLedgerReader(path)
  const { size, root } = statedIn(await headIn(path))
  const hashes = entriesOf(await linesIn(path)).map((entry) => String(entry.entry_hash))
  expect(reader.treeReader(size)).not.toBeNull()
  for (const position of [1, 2, 255, 256, 257, 512, 513, size - 1, size].filter((p) => p >= 1 && p <= size)) {
    const proof = await proveInclusion(reader, position, size)
    const leaf = leafHash(hexToBytes(hashes[position - 1] ?? ''))
    expect(verifyInclusion(leaf, position - 1, size, proof, root), `position ${position}`).toBe(true)
  }
  await reader.close()
}

function statedIn(note: string): { size: number; root: Uint8Array } {
  const [, size = '', root = ''] = note.split('\n')
  return { size: Number(size), root: Uint8Array.from(Buffer.from(root, 'base64')) }
}

describe('the tree of a JSONL ledger', () => {
  it.each<[string, (path: string) => void]>([
    ['deleted', (path) => rmSync(`${path}.tree`)],
    ['cut', (path) => writeFileSync(`${path}.tree`, readFileSync(`${path}.tree`).subarray(0, 100))],
    ['garbage', (path) => writeFileSync(`${path}.tree`, Buffer.alloc(40_000, 7))],
  ])('%s: made anew by the next writer, and missed by nobody before', async (_, change) => {
    const path = await ledgerOf('jsonl', drafts(1, 300))
    change(path)
    expect(await verifyFile(path, { publicKeys: [OWNER_KEY] })).toMatchObject({ verdict: 'signed' })
    const reader = await openLedgerReader(path)
    const { size, root } = statedIn(await headIn(path))
    const [first] = entriesOf(await linesIn(path))
    // Every returned proof must be valid, whatever the stored tree contains.
    const entryHash = String(first?.entry_hash)
    const proof = await proveEntry(reader, { position: 1, entryHash }, { size, root })
    expect(verifyInclusion(leafHash(hexToBytes(entryHash)), 0, size, proof, root)).toBe(true)
    await reader.close()
    await append('jsonl', path)
    await proofsHold(path)
  })

  it('begins anew where nothing but the first head was written', async () => {
    const path = await ledgerOf('jsonl', [])
    const other = await ledgerOf('jsonl', drafts(1, 1))
    const origin = (await headIn(other)).split('\n')[0]
    writeFileSync(`${path}.head`, `${origin}\n1\n${Buffer.alloc(32).toString('base64')}\n`)
    await append('jsonl', path)
    expect(await verifyFile(path, { publicKeys: [OWNER_KEY] })).toMatchObject({ verdict: 'signed', entries: 2 })
  })
})

it('two writers of one SQLite ledger, of which one changes the key, keep one tree', async () => {
  const path = await ledgerOf('sqlite', drafts(1, 1))
  const next = testSigner(2)
  const one = SqliteLedger.open(path, { signer: OWNER })
  const two = SqliteLedger.open(path, { signer: OWNER })
  for (let n = 10; n < 300; n += 1) await (n % 2 === 0 ? one : two).append(decisionDraft(n))
  await one.addKey(next)
  const three = SqliteLedger.open(path, { signer: next })
  for (let n = 300; n < 600; n += 1) await ([one, two, three][n % 3] ?? one).append(decisionDraft(n))
  await three.retireKey(OWNER.keyId)
  expect(await refusalOf(() => two.append(decisionDraft(900)))).toBe('KEY_REFUSED')
  await three.append(decisionDraft(901))
  await Promise.all([one, two, three].map((ledger) => ledger.close()))
  expect(await verifyFile(path, { publicKeys: [OWNER_KEY] })).toMatchObject({
    verdict: 'signed',
    tail: 0,
    findings: [],
  })
  await proofsHold(path)
})
