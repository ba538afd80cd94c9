// Tests the part of the store contract that covers the ledger's time, and `begin` before the first call.
import { describe, expect, it } from 'vitest'
import { decisionDraft, EPOCH_MS, testSigner } from '../fixtures/draft.js'
import { refusalOf } from '../fixtures/refusal.js'
import { type Place, report } from './contract-place.js'

const DAY_MS = 86_400_000

export function testBegin(makePlace: () => Place): void {
  describe('begin', () => {
    it('writes the genesis of an empty ledger, which then verifies: no calls were recorded', async () => {
      const place = makePlace()
      const ledger = place.open()
      await ledger.begin?.()
      await ledger.close()
      const { ok, verdict, entries, decisions, outcomes, findings } = await report(place)
      expect(findings).toEqual([])
      expect({ ok, verdict, entries, decisions, outcomes }).toEqual({
        ok: true,
        verdict: 'intact',
        entries: 1,
        decisions: 0,
        outcomes: 0,
      })
    })

    it('does nothing where there is one, again and again, and a call follows as usual', async () => {
      const place = makePlace()
      const ledger = place.open()
      await Promise.all([ledger.begin?.(), ledger.begin?.(), ledger.append(decisionDraft(1)), ledger.begin?.()])
      await ledger.begin?.()
      await ledger.append(decisionDraft(2))
      await ledger.close()
      expect(await report(place)).toMatchObject({ ok: true, entries: 3, decisions: 2 })
    })

    it('signs it with a key', async () => {
      const place = makePlace()
      const signer = testSigner(1)
      const ledger = place.open({ signer })
      await ledger.begin?.()
      await ledger.close()
      expect(await report(place, [signer.publicKey])).toMatchObject({ verdict: 'signed', entries: 1 })
    })

    it('opening alone writes nothing: that stays with the first append', async () => {
      const place = makePlace()
      await place.open().close()
      expect(await report(place)).toMatchObject({ entries: 0, findings: [{ code: 'LEDGER_EMPTY' }] })
    })
  })

  describe('the time of the ledger', () => {
    it.each([
      ['the clock went back ten years', -3650 * DAY_MS, 3650 * DAY_MS],
      ['the clock went back two minutes', -120_000, 120_000],
      ['nothing was written for a year', 365 * DAY_MS, -365 * DAY_MS],
      ['no time has passed', 0, 0],
    ])('says how far it is ahead of the clock: %s', async (_, later, aheadMs) => {
      let nowMs = EPOCH_MS
      const ledger = makePlace().open({ clock: () => new Date(nowMs) })
      await ledger.append(decisionDraft(1))
      nowMs += later
      expect(await ledger.aheadMs?.()).toBe(aheadMs)
      await ledger.close()
    })

    it('is not ahead where there is no entry', async () => {
      const ledger = makePlace().open({ clock: () => new Date(EPOCH_MS) })
      expect(await ledger.aheadMs?.()).toBe(0)
      await ledger.close()
    })
  })
}

/** Tests `begin` by a second writer, for stores whose content outlives the writer. */
export function testBegunAgain(makePlace: () => Place): void {
  describe('begin, by a second writer', () => {
    it('does nothing', async () => {
      const place = makePlace()
      for (const n of [1, 2]) {
        const ledger = place.open()
        await ledger.begin?.()
        await ledger.append(decisionDraft(n))
        await ledger.close()
      }
      expect(await report(place)).toMatchObject({ ok: true, entries: 3, decisions: 2 })
    })

    it('is refused without the key', async () => {
      const place = makePlace()
      const first = place.open({ signer: testSigner(1) })
      await first.begin?.()
      await first.close()
      const refused = await refusalOf(async () => {
        const other = place.open()
        try {
          await other.begin?.()
        } finally {
          await other.close()
        }
      })
      expect(refused).toBe('KEY_REFUSED')
    })
  })
}
