// Every byte of a small signed JSONL ledger, flipped: each flip is found, where it is, with a code that fits.
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { decisionDraft, outcomeDraft, testSigner } from './fixtures/draft.js'
import { jsonlOf, verifyFile } from './fixtures/ledger-file.js'
import { flips, MASKS, Tally } from './fixtures/mangle.js'
import { writtenLines } from './fixtures/seal.js'

const LF = 10

it('every flip of every byte of a JSONL ledger is found', { timeout: 1_800_000 }, async () => {
  const decision = decisionDraft(1)
  const lines = await writtenLines(
    [decision, outcomeDraft(decision), decisionDraft(2, { effect: 'deny' })],
    testSigner(1),
  )
  const path = jsonlOf(lines)
  const bytes = readFileSync(path)
  const tally = new Tally()
  let line = 1
  for await (const { offset, mask, result } of flips(path, bytes, MASKS)) {
    const where = `byte ${offset} ^ ${mask}`
    if (typeof result === 'string') {
      // Only what tells the kind of the file: with another first byte it is no JSONL ledger.
      expect([where, result]).toEqual([`byte 0 ^ ${mask}`, 'LEDGER_NOT_A_LEDGER'])
      tally.add(result)
      continue
    }
    const [first] = result.findings
    expect(result.ok, where).toBe(false)
    expect([where, first?.position]).toEqual([where, line])
    tally.add(first?.code ?? '')
    if (bytes[offset] === LF && mask === MASKS.at(-1)) line += 1
  }
  console.info(`${bytes.length} bytes × ${MASKS.length} masks, first finding: ${tally}`)
  expect((await verifyFile(path)).ok).toBe(true)
  expect(line).toBe(4)
  expect(tally.names).toEqual([
    'CHAIN_BROKEN',
    'ENTRY_HASH_MISMATCH',
    'ENTRY_INVALID',
    'LEDGER_NOT_A_LEDGER',
    'LINE_NOT_CANONICAL',
    'LINE_NOT_JSON',
    'LINE_TORN',
    'SIGNATURE_INVALID',
    'VERSION_UNSUPPORTED',
  ])
})
