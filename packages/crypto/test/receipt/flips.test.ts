import { expect, test } from 'vitest'
import { byTier, isLong } from '../../../../test/tier.js'
import { checkTrust } from '../../src/receipt/proof.js'
import { parseReceipt } from '../../src/receipt/receipt.js'
import { verifyUnder } from '../../src/receipt/verify.js'
import { ASKED, controlReceipt, KEY, POLICY, STOP, sampleReceipt, WITNESSES } from '../fixtures/receipts.js'
import { flips } from '../fixtures/signed-notes.js'

const WHITE_SPACE = [0x09, 0x0a, 0x0d, 0x20]

// Masks that flip each bit, and masks that replace a white space character with a different one. The short and long
// tiers flip one bit, and apply only the one or two replacements for the white space that the encoder writes.
const MASKS = byTier({
  short: [1, 0x0a ^ 0x20],
  long: [1, 0x0a ^ 0x0d, 0x0a ^ 0x20],
  slow: [1, 2, 4, 8, 16, 32, 64, 128, 0x09 ^ 0x0a, 0x0a ^ 0x0d, 0x0a ^ 0x20, 0x0d ^ 0x20],
})
// Masks for other receipts. 0x20 changes the case of a hex digit.
const FEW_MASKS = byTier({ short: [1], long: [1, 0x20] })
/**
 * The interval between changed bytes in the receipt with an outcome and cosignatures. The short tier changes only every
 * fifth byte, because verification of this receipt checks seven keys.
 */
const ONE_BYTE_IN = isLong ? 1 : 5

/**
 * Changes each byte of a receipt in turn and verifies the result. Every accepted receipt must have the original
 * content, to the last digit.
 *
 * @returns the numbers of tested and of accepted receipts
 */
function flipAll(receipt: string, trust: ReturnType<typeof checkTrust>, masks: readonly number[], every = 1) {
  const parsed = parseReceipt(receipt)
  const report = verifyUnder(trust, receipt)
  expect(report.ok).toBe(true)
  let tried = 0
  let same = 0
  for (const text of flips(receipt, masks, every)) {
    tried += 1
    const flipped = verifyUnder(trust, text)
    if (!flipped.ok) continue
    same += 1
    expect(parseReceipt(text)).toEqual(parsed)
    expect(flipped).toEqual(report)
  }
  return { tried, same }
}

test('every flipped byte of a receipt is refused, or is other white space between tokens', async () => {
  const receipt = await sampleReceipt({ withOutcome: false, approved: true })
  const { tried, same } = flipAll(receipt, checkTrust({ publicKeys: [KEY.publicKey] }), MASKS)
  expect(tried).toBe(Buffer.byteLength(receipt) * MASKS.length)
  const spaces = [...Buffer.from(receipt)].filter((byte) => WHITE_SPACE.includes(byte)).length
  expect(same).toBeGreaterThan(0)
  expect(same).toBeLessThan(spaces * 3)
})

test('so is every byte of an outcome, and of cosignatures that a policy asks for', async () => {
  const receipt = await sampleReceipt({ witnesses: WITNESSES })
  const trust = checkTrust({ publicKeys: [KEY.publicKey], witnessPolicy: POLICY })
  const { tried, same } = flipAll(receipt, trust, FEW_MASKS, ONE_BYTE_IN)
  expect(tried).toBe(Math.ceil(Buffer.byteLength(receipt) / ONE_BYTE_IN) * FEW_MASKS.length)
  expect(same).toBe(0)
})

test('so is every byte of a control entry', async () => {
  const trust = checkTrust({ publicKeys: [KEY.publicKey] })
  for (const block of [STOP, ASKED]) {
    const receipt = await controlReceipt(block)
    const { tried, same } = flipAll(receipt, trust, FEW_MASKS)
    expect([tried, same]).toEqual([Buffer.byteLength(receipt) * FEW_MASKS.length, 0])
  }
})

test('where the content was left out, a flipped byte changes nothing that was proven', async () => {
  const receipt = await sampleReceipt({ withEntry: false, withOutcome: false })
  const trust = checkTrust({ publicKeys: [KEY.publicKey] })
  const report = verifyUnder(trust, receipt)
  expect(report.entry_signature).toBe('verified')
  for (const text of flips(receipt, FEW_MASKS)) {
    const flipped = verifyUnder(trust, text)
    if (flipped.ok) expect(flipped).toEqual(report)
  }
})

test('cut off anywhere, it is refused', async () => {
  const receipt = (await sampleReceipt({ withOutcome: false })).trimEnd()
  const trust = checkTrust({ publicKeys: [KEY.publicKey] })
  for (let length = 0; length < receipt.length; length += 7) {
    expect(verifyUnder(trust, receipt.slice(0, length)).ok).toBe(false)
  }
})
