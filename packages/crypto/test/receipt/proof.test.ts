import { expect, test } from 'vitest'
import { isHash } from '../../src/bytes/hash.js'
import { verifyProofOf } from '../../src/receipt/proof.js'
import { codeOf } from '../fixtures/errors.js'
import { KEY, LEDGER_ORIGIN, POLICY, STRANGER, sampleLog, WITNESSES } from '../fixtures/receipts.js'

const log = sampleLog()
const hashAt = (position: number) => {
  const { entry_hash: hash } = JSON.parse(log.lines[position - 1] ?? '')
  if (!isHash(hash)) throw new Error('no hash')
  return hash
}
const TRUST = { publicKeys: [KEY.publicKey] }

test('a proof alone: the entry, its position, the checkpoint, and who signed', async () => {
  const proven = verifyProofOf(hashAt(3), await log.proof(3, { witnesses: WITNESSES }), {
    ...TRUST,
    witnessPolicy: POLICY,
  })
  expect(proven).toMatchObject({ position: 3, signedBy: [KEY.keyId], witnessed: true })
  expect(proven.checkpoint).toMatchObject({ origin: LEDGER_ORIGIN, size: 7 })
  expect(proven.cosignedBy.map(({ name }) => name)).toEqual(['w1', 'w2'])
})

test('too few witnesses are said, not thrown; without policy nothing is said', async () => {
  const proof = await log.proof(3, { witnesses: WITNESSES.slice(1) })
  const proven = verifyProofOf(hashAt(3), proof, { ...TRUST, witnessPolicy: POLICY })
  expect(proven).toMatchObject({ witnessed: false, cosignedBy: [{ name: 'w2', time: 1_790_000_060 }] })
  expect(verifyProofOf(hashAt(3), proof, TRUST)).toMatchObject({ witnessed: null, cosignedBy: [] })
})

test('another entry, another key, no proof', async () => {
  const proof = await log.proof(3)
  expect(codeOf(() => verifyProofOf(hashAt(4), proof, TRUST))).toBe('PROOF_INVALID')
  expect(codeOf(() => verifyProofOf(hashAt(3), proof, { publicKeys: [STRANGER.publicKey] }))).toBe('KEY_UNKNOWN')
  expect(codeOf(() => verifyProofOf(hashAt(3), proof, { publicKeys: [] }))).toBe('KEY_UNKNOWN')
  expect(codeOf(() => verifyProofOf(hashAt(3), '', TRUST))).toBe('PROOF_INVALID')
  expect(() => verifyProofOf(hashAt(3), proof, { keys: [] } as never)).toThrow(TypeError)
})
