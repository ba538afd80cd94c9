// Tests the contract of all stores, so that every store behaves in the same way for engines and auditors.
import { describe, expect, it } from 'vitest'
import type { EntryDraft } from '../../src/entry/entry.js'
import { ENTRY_BYTES_MAX } from '../../src/limits.js'
import { select } from '../../src/read/query.js'
import { verify } from '../../src/verify/verify.js'
import {
  approvalOf,
  decisionDraft,
  EPOCH_MS,
  momentAt,
  outcomeDraft,
  requestIdOf,
  testSigner,
  tickingClock,
} from '../fixtures/draft.js'
import { refusalOf } from '../fixtures/refusal.js'
import { REFUSED_DRAFTS } from '../fixtures/refused-drafts.js'
import { testBegin, testBegunAgain } from './contract-begin.js'
import { testOnce } from './contract-once.js'
import { type Place, readAll, report } from './contract-place.js'
import { testDurableQuestions, testQuestions } from './contract-questions.js'
import { testSigning } from './contract-signing.js'
import { testDurableStops, testStops } from './contract-stops.js'
import { testStories } from './contract-story.js'

/** Runs the contract tests on new, empty stores from `makePlace`. */
export function testStoreContract(makePlace: () => Place): void {
  describe('appending', () => {
    it('begins with a genesis, numbers entries from 1 and chains them', async () => {
      const place = makePlace()
      const ledger = place.open({ clock: tickingClock() })
      const decision = decisionDraft(1)
      const first = await ledger.append(decision)
      const second = await ledger.append(outcomeDraft(decision))
      await ledger.close()
      expect([first.position, second.position]).toEqual([2, 3])
      // The genesis entry reads the clock twice: for `created_at` and for `recorded_at`.
      expect([first.recordedAt, second.recordedAt]).toEqual([momentAt(2), momentAt(3)])
      const { findings, ...rest } = await report(place)
      expect(findings).toEqual([])
      expect(rest).toMatchObject({
        ok: true,
        verdict: 'intact',
        entries: 3,
        decisions: 1,
        outcomes: 1,
        open: 0,
        signed_entries: 0,
      })
      expect(rest.head).toMatchObject({ size: 3, entry_hash: second.entryHash })
      expect(rest.checkpoint).toEqual({ size: 3, signed_by: [] })
    })

    it('takes the draft as it is at the call', async () => {
      const place = makePlace()
      const ledger = place.open()
      const draft = structuredClone(decisionDraft(1)) as { metadata?: unknown }
      const done = ledger.append(draft as EntryDraft)
      draft.metadata = 'changed behind its back'
      await done
      await ledger.close()
      expect((await report(place)).ok).toBe(true)
    })

    it('keeps the order of appends that are made together', async () => {
      const place = makePlace()
      const ledger = place.open()
      const entries = await Promise.all(Array.from({ length: 1_200 }, (_, n) => ledger.append(decisionDraft(n))))
      await ledger.close()
      expect(entries.map(({ position }) => position)).toEqual(Array.from({ length: 1_200 }, (_, n) => n + 2))
      expect((await readAll(place)).map(({ requestId }) => requestId)).toEqual(
        Array.from({ length: 1_200 }, (_, n) => requestIdOf(n)),
      )
      expect(await report(place)).toMatchObject({ ok: true, entries: 1_201 })
    })

    it('keeps what is not ASCII, and foreign key names', async () => {
      const place = makePlace()
      const ledger = place.open()
      const kwargs = JSON.parse(
        '{"__proto__":{"x":1},"constructor":"ctor","toJSON":1,"😀":"中文 說明","e\u0301":"\u2028\\u0000","𝒳":1,"ﬀ":2}',
      )
      await ledger.append(decisionDraft(1, { kwargs }))
      await ledger.close()
      expect(await report(place)).toMatchObject({ ok: true, entries: 2 })
      const reader = await place.read()
      for await (const { json } of select(reader, { event: 'decision' }))
        expect(json).toContain('"__proto__":{"x":1},"constructor":"ctor"')
      await reader.close()
    })
  })

  describe('recorded_at', () => {
    it('never goes back when the clock does', async () => {
      const place = makePlace()
      // The genesis entry uses the first two times.
      const times = [0, 0, 5_000, 1_000, 9_000, 2_000]
      const ledger = place.open({ clock: () => new Date(EPOCH_MS + (times.shift() ?? 0)) })
      const recorded = []
      for (let n = 1; n <= 4; n += 1) recorded.push((await ledger.append(decisionDraft(n))).recordedAt)
      await ledger.close()
      expect(recorded).toEqual([5_000, 5_000, 9_000, 9_000].map(momentAt))
      expect((await report(place)).ok).toBe(true)
    })

    it('refuses a call whose approval is over by it, however early the clock says that it is; and that call alone', async () => {
      const place = makePlace()
      let now = EPOCH_MS + 3_600_000
      const ledger = place.open({ clock: () => new Date(now) })
      await ledger.append(decisionDraft(1))
      now = EPOCH_MS
      const [first, second, third] = [decisionDraft(2), decisionDraft(3), decisionDraft(4, { effect: 'deny' })]
      const answers = await Promise.allSettled([
        ledger.append(first),
        ledger.append({ ...second, approval: approvalOf(second) }),
        // A denied call does not run, so its approval may have expired.
        ledger.append({ ...third, approval: approvalOf(third) }),
      ])
      expect(answers.map((one) => (one.status === 'fulfilled' ? one.value.position : one.reason.code))).toEqual([
        3,
        'ENTRY_REFUSED',
        4,
      ])
      await ledger.close()
      expect(await report(place)).toMatchObject({ ok: true, entries: 4 })
    })

    it('rejects, and writes nothing, when the clock gives no time', async () => {
      const place = makePlace()
      let time = Number.NaN
      const ledger = place.open({ clock: () => new Date(time) })
      expect(await refusalOf(() => ledger.append(decisionDraft(1)))).toBe('LEDGER_WRITE_FAILED')
      time = EPOCH_MS
      expect((await ledger.append(decisionDraft(2))).position).toBe(2)
      await ledger.close()
    })
  })

  testSigning(makePlace)
  testStops(makePlace)
  testQuestions(makePlace)
  testOnce(makePlace)
  testStories(makePlace)
  testBegin(makePlace)

  describe('refused drafts', () => {
    it.each(REFUSED_DRAFTS)('leaves nothing of %s', async (_, draft) => {
      const place = makePlace()
      const ledger = place.open()
      const [before, refused, after] = await Promise.allSettled([
        ledger.append(decisionDraft(1)),
        ledger.append(draft as EntryDraft),
        ledger.append(decisionDraft(2)),
      ])
      await ledger.close()
      expect([before?.status, after?.status]).toEqual(['fulfilled', 'fulfilled'])
      expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'ENTRY_REFUSED' } })
      expect((await readAll(place)).map(({ requestId }) => requestId)).toEqual([requestIdOf(1), requestIdOf(2)])
      expect((await report(place)).ok).toBe(true)
    })

    it('takes an entry of the greatest size, and can read it', async () => {
      const place = makePlace()
      const ledger = place.open({ signer: testSigner(1) })
      const bare = JSON.stringify(decisionDraft(1, { kwargs: { blob: '' } })).length
      // The margin of 100 bytes leaves room for the version fields that the ledger adds.
      await ledger.append(decisionDraft(1, { kwargs: { blob: 'x'.repeat(ENTRY_BYTES_MAX - bare - 100) } }))
      await ledger.close()
      expect((await report(place)).ok).toBe(true)
    })
  })

  describe('closing', () => {
    it('waits for what is under way, then refuses', async () => {
      const place = makePlace()
      const ledger = place.open()
      const pending = Promise.all([1, 2, 3].map((n) => ledger.append(decisionDraft(n))))
      await ledger.close()
      expect((await pending).map(({ position }) => position)).toEqual([2, 3, 4])
      expect(await refusalOf(() => ledger.append(decisionDraft(4)))).toBe('LEDGER_CLOSED')
      expect(await readAll(place)).toHaveLength(3)
    })

    it('may be called again, also at the same time', async () => {
      const ledger = makePlace().open()
      await ledger.append(decisionDraft(1))
      await Promise.all([ledger.close(), ledger.close()])
      await ledger.close()
    })
  })

  describe('reading', () => {
    it('finds an empty ledger not ok', async () => {
      const place = makePlace()
      await place.open().close()
      expect(await report(place)).toMatchObject({
        ok: false,
        verdict: 'broken',
        findings: [{ code: 'LEDGER_EMPTY', position: null }],
      })
    })

    it('shows the moment of opening, again and again', async () => {
      const place = makePlace()
      const ledger = place.open()
      await ledger.append(decisionDraft(1))
      const reader = await place.read()
      await ledger.append(decisionDraft(2))
      expect((await verify(reader)).entries).toBe(2)
      await ledger.append(decisionDraft(3))
      expect(await verify(reader)).toMatchObject({ ok: true, entries: 2 })
      await reader.close()
      expect((await report(place)).entries).toBe(4)
      await ledger.close()
    })

    it('gives the event loop a turn between batches', async () => {
      const place = makePlace()
      const ledger = place.open()
      await Promise.all(Array.from({ length: 600 }, (_, n) => ledger.append(decisionDraft(n))))
      await ledger.close()
      const reader = await place.read()
      let batches = 0
      let turns = 0
      for await (const _ of reader.batches()) {
        expect(turns).toBe(batches)
        batches += 1
        setImmediate(() => (turns += 1))
      }
      expect(batches).toBeGreaterThan(1)
      await reader.close()
    })

    it('always sees a whole chain while a writer appends', async () => {
      const place = makePlace()
      const ledger = place.open()
      let writing = true
      const writer = (async () => {
        for (let n = 1; n <= 150; n += 3)
          await Promise.all([n, n + 1, n + 2].map((one) => ledger.append(decisionDraft(one))))
        writing = false
      })()
      let seen = 0
      while (writing) {
        const { entries, findings } = await report(place)
        expect(findings.filter(({ code }) => code !== 'LEDGER_EMPTY')).toEqual([])
        expect(entries).toBeGreaterThanOrEqual(seen)
        seen = entries
      }
      await writer
      await ledger.close()
      expect((await report(place)).entries).toBe(151)
    })
  })
}

/** Tests the contract of stores whose content outlives the process. */
export function testDurableStore(makePlace: () => Place): void {
  testBegunAgain(makePlace)
  testDurableStops(makePlace)
  testDurableQuestions(makePlace)
  it('goes on where it ended', async () => {
    const place = makePlace()
    const recorded: string[] = []
    for (let n = 1; n <= 3; n += 1) {
      // Each writer's clock is one second earlier than the previous writer's clock.
      const ledger = place.open({ clock: () => new Date(EPOCH_MS - n * 1_000) })
      const { position, recordedAt } = await ledger.append(decisionDraft(n))
      expect(position).toBe(n + 1)
      recorded.push(recordedAt)
      await ledger.close()
    }
    expect(new Set(recorded)).toEqual(new Set([momentAt(-1_000)]))
    expect(await report(place)).toMatchObject({ ok: true, entries: 4 })
  })

  it('has on record what it acknowledged, before it is closed', async () => {
    const place = makePlace()
    const ledger = place.open()
    for (let n = 1; n <= 5; n += 1) {
      await ledger.append(decisionDraft(n))
      expect(await report(place)).toMatchObject({ ok: true, entries: n + 1, tail: 0 })
    }
    await ledger.close()
  })
}
