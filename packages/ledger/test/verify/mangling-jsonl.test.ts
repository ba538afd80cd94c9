// Flips every byte of a small signed JSONL ledger. Each flip must be found at its position, with a suitable code.
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { byTier, isLong } from '../../../../test/tier.js'
import { ledgerOf, OWNER_KEY } from '../fixtures/attack.js'
import { decisionDraft, outcomeDraft } from '../fixtures/draft.js'
import { verifyFile } from '../fixtures/ledger-file.js'
import { flips, masksAt, Tally } from '../fixtures/spoiled/mangle.js'

const LF = 10

it('every flip of every byte of a JSONL ledger is found', { timeout: 1_800_000 }, async () => {
  const decision = decisionDraft(1)
  const path = await ledgerOf('jsonl', [decision, outcomeDraft(decision), decisionDraft(2, { effect: 'deny' })])
  const bytes = readFileSync(path)
  const tally = new Tally()
  // The short tier flips every seventh byte, and each byte that ends a line.
  const masksFor = (offset: number): readonly number[] =>
    isLong || offset % 7 === 0 || bytes[offset] === LF ? masksAt(offset) : []
  let line = 1
  for await (const { offset, mask, result } of flips(path, bytes, masksFor)) {
    const where = `byte ${offset} ^ ${mask}`
    if (typeof result === 'string') throw new Error(`${where}: ${result} instead of a report`)
    const [first] = result.findings
    expect(result.ok, where).toBe(false)
    expect([where, first?.position]).toEqual([where, line])
    tally.add(first?.code ?? '')
    if (bytes[offset] === LF && mask === masksAt(offset).at(-1)) line += 1
  }
  console.info(`${bytes.length} bytes × ${masksAt(0).length} masks, first finding: ${tally}`)
  expect((await verifyFile(path)).ok).toBe(true)
  expect(line).toBe(5)
  expect(tally.names).toEqual([
    'CHAIN_BROKEN',
    'ENTRY_HASH_MISMATCH',
    'ENTRY_INVALID',
    'LINE_NOT_CANONICAL',
    'LINE_NOT_JSON',
    'LINE_TORN',
    'SIGNATURE_INVALID',
    'VERSION_UNSUPPORTED',
  ])
})

it('every flip of every byte of the head is found, and so is every shorter head', { timeout: 600_000 }, async () => {
  const path = await ledgerOf('jsonl', [decisionDraft(1)])
  const head = readFileSync(`${path}.head`)
  const options = { publicKeys: [OWNER_KEY] }
  const tally = new Tally()
  for (let offset = 0; offset < head.length; offset += byTier({ short: 2, long: 1 })) {
    for (const mask of masksAt(offset)) {
      const changed = Buffer.from(head)
      changed[offset] = (head[offset] ?? 0) ^ mask
      writeFileSync(`${path}.head`, changed)
      const { ok, findings } = await verifyFile(path, options)
      expect(ok, `byte ${offset} ^ ${mask}`).toBe(false)
      tally.add(findings[0]?.code ?? '')
    }
    writeFileSync(`${path}.head`, head.subarray(0, offset))
    expect((await verifyFile(path, options)).ok, `${offset} bytes`).toBe(false)
  }
  writeFileSync(`${path}.head`, head)
  expect((await verifyFile(path, options)).verdict).toBe('signed')
  console.info(`${head.length} bytes of a head × ${masksAt(0).length} masks, first finding: ${tally}`)
})
