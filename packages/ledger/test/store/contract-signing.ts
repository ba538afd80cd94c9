// Tests the contract of all stores for signers. A signer is untrusted code, perhaps on a different machine, and may
// be slow, broken or unreachable.
import { setTimeout as delay } from 'node:timers/promises'
import type { Signer } from '@sudoagent/crypto'
import { describe, expect, it } from 'vitest'
import { decisionDraft, testKey, testSigner } from '../fixtures/draft.js'
import { type Place, readAll, report } from './contract-place.js'

function fail(): never {
  throw new Error('not for reading')
}

/** Runs the contract tests on stores from `makePlace`. */
export function testSigning(makePlace: () => Place): void {
  describe('signing', () => {
    it('signs every entry', async () => {
      const place = makePlace()
      const ledger = place.open({ signer: testSigner(1) })
      await Promise.all([1, 2, 3].map((n) => ledger.append(decisionDraft(n))))
      await ledger.close()
      expect(await report(place, [testKey(1).publicKey])).toMatchObject({
        ok: true,
        verdict: 'signed',
        signed_entries: 4,
      })
      expect(await report(place, [testKey(2).publicKey])).toMatchObject({
        ok: false,
        verdict: 'unverified',
        findings_total: 1,
      })
    })

    it('waits for a signer that answers later', async () => {
      const place = makePlace()
      const local = testSigner(1)
      const remote: Signer = { ...local, sign: async (message) => delay(1).then(() => local.sign(message)) }
      const ledger = place.open({ signer: remote })
      await Promise.all([1, 2, 3].map((n) => ledger.append(decisionDraft(n))))
      await ledger.close()
      expect(await report(place, [testKey(1).publicKey])).toMatchObject({ ok: true, verdict: 'signed', entries: 4 })
    })

    it.each<[string, Partial<Signer>]>([
      ['throws', { sign: () => fail() }],
      ['rejects', { sign: () => Promise.reject(new Error('key service is down')) }],
      ['gives too few bytes', { sign: () => new Uint8Array(63) }],
      ['gives something else', { sign: () => 'signature' as unknown as Uint8Array }],
      ['has no key id', { keyId: 'mine' as Signer['keyId'] }],
    ])('writes nothing of a group when the signer %s, and goes on afterwards', async (_, broken) => {
      const place = makePlace()
      const good = testSigner(1)
      let calls = 0
      const flaky: Signer = {
        ...good,
        sign: (message) => {
          calls += 1
          return calls === 3 && broken.sign !== undefined ? broken.sign(message) : good.sign(message)
        },
        get keyId() {
          return calls < 3 ? (broken.keyId ?? good.keyId) : good.keyId
        },
      }
      const ledger = place.open({ signer: flaky })
      const group = await Promise.allSettled([1, 2, 3, 4].map((n) => ledger.append(decisionDraft(n))))
      expect(group.map((one) => (one.status === 'rejected' ? one.reason.code : one.status))).toEqual(
        Array(4).fill('LEDGER_WRITE_FAILED'),
      )
      expect(await readAll(place)).toEqual([])
      calls = 3
      expect((await ledger.append(decisionDraft(5))).position).toBe(2)
      await ledger.close()
      expect(await report(place, [testKey(1).publicKey])).toMatchObject({ ok: true, verdict: 'signed', entries: 2 })
    })
  })
}
