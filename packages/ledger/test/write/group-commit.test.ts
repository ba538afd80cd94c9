import { setTimeout as delay } from 'node:timers/promises'
import { type Signer, sha256Hex } from '@sudoagent/crypto'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { LedgerError } from '../../src/error.js'
import { COMMIT_BYTES_MAX, COMMIT_ENTRIES_MAX, SIGNER_TIMEOUT_MS } from '../../src/limits.js'
import { type AppendedEntry, EMPTY_HEAD } from '../../src/port/writer.js'
import { type EncodedDraft, encodeDraft } from '../../src/write/encode-draft.js'
import { GroupCommit } from '../../src/write/group-commit.js'
import { linkBatch } from '../../src/write/link-batch.js'
import { decisionDraft, momentAt, testSigner, tickingClock } from '../fixtures/draft.js'
import { refusalOf } from '../fixtures/refusal.js'

const encoded = [1, 2, 3].map((n) => encodeDraft(decisionDraft(n)))

describe('linkBatch', () => {
  it('links behind the head', async () => {
    const { entries: first } = await linkBatch(encoded.slice(0, 1), EMPTY_HEAD, { signer: null, clock: tickingClock() })
    const [head] = first
    if (head === undefined) throw new Error('nothing was linked')
    const { entries: rest } = await linkBatch(
      encoded.slice(1),
      { ...head, size: 1 },
      { signer: null, clock: tickingClock(1, Date.UTC(2026, 0, 3)) },
    )
    expect(rest.map(({ position }) => position)).toEqual([2, 3])
    expect(rest.map(({ prevEntryHash }) => prevEntryHash)).toEqual([head.entryHash, rest[0]?.entryHash])
    expect(head.prevEntryHash).toBeNull()
  })

  it('does not wait for a signer that never answers', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const hanging: Signer = { ...testSigner(1), sign: () => new Promise(() => {}) }
    const refused = refusalOf(() => linkBatch(encoded, EMPTY_HEAD, { signer: hanging, clock: tickingClock() }))
    await vi.advanceTimersByTimeAsync(SIGNER_TIMEOUT_MS)
    expect(await refused).toBe('LEDGER_WRITE_FAILED')
  })

  it('reads the clock once for each entry', async () => {
    const { entries } = await linkBatch(encoded, EMPTY_HEAD, { signer: null, clock: tickingClock(7) })
    expect(entries.map(({ recordedAt }) => recordedAt)).toEqual([0, 7, 14].map(momentAt))
  })

  it.each<[string, { signer?: Signer; clock?: () => Date }]>([
    ['a signer that throws an error of the file system', { signer: { ...testSigner(1), sign: () => fail('EIO') } }],
    ['a signer that throws no error', { signer: { ...testSigner(1), sign: () => fail(null) } }],
    ['a clock that throws', { clock: () => fail('ENOSPC') }],
  ])('says so, and nothing about the store, for %s', async (_, { signer = null, clock = tickingClock() }) => {
    await expect(linkBatch(encoded, EMPTY_HEAD, { signer, clock })).rejects.toMatchObject({
      code: 'LEDGER_WRITE_FAILED',
    })
    await expect(linkBatch(encoded, EMPTY_HEAD, { signer, clock })).rejects.toThrow(
      /^nothing was written: the (signer|clock) failed: /,
    )
  })
})

function fail(code: string | null): never {
  throw code === null ? 'no error at all' : Object.assign(new Error('broken'), { code })
}

/** Creates a store that commits each group with `answer` and records the size of the group. */
function groups(answer: (drafts: readonly EncodedDraft[]) => Promise<readonly AppendedEntry[]>) {
  const sizes: number[] = []
  let position = 0
  const commit = new GroupCommit(async (drafts) => {
    sizes.push(drafts.length)
    return answer(drafts)
  })
  const numbered = (drafts: readonly EncodedDraft[]): AppendedEntry[] =>
    drafts.map(() => {
      position += 1
      return { position, entryHash: '0'.repeat(64) as AppendedEntry['entryHash'], recordedAt: momentAt(0) }
    })
  return { commit, sizes, numbered }
}

describe('GroupCommit', () => {
  it('commits together what was called together, and what came meanwhile after it', async () => {
    const { commit, sizes, numbered } = groups(async (drafts) => {
      await delay(5)
      return numbered(drafts)
    })
    const first = [1, 2].map((n) => commit.append(decisionDraft(n)))
    await delay(1)
    const second = [3, 4, 5].map((n) => commit.append(decisionDraft(n)))
    expect((await Promise.all([...first, ...second])).map(({ position }) => position)).toEqual([1, 2, 3, 4, 5])
    expect(sizes).toEqual([2, 3])
  })

  it('bounds a group in entries', async () => {
    const { commit, sizes, numbered } = groups(async (drafts) => numbered(drafts))
    await Promise.all(Array.from({ length: COMMIT_ENTRIES_MAX + 1 }, (_, n) => commit.append(decisionDraft(n))))
    expect(sizes).toEqual([COMMIT_ENTRIES_MAX, 1])
  })

  it('bounds a group in bytes, but always takes one', async () => {
    const { commit, sizes, numbered } = groups(async (drafts) => numbered(drafts))
    const blob = 'x'.repeat(2 * 1024 * 1024)
    const perGroup = Math.floor(COMMIT_BYTES_MAX / (blob.length + 1_000))
    await Promise.all(
      Array.from({ length: perGroup + 2 }, (_, n) => commit.append(decisionDraft(n, { kwargs: { blob } }))),
    )
    expect(sizes).toEqual([perGroup, 2])
  })

  it('rejects a whole group when its commit fails, and only that one', async () => {
    let calls = 0
    const { commit, numbered } = groups(async (drafts) => {
      calls += 1
      if (calls === 1) throw new LedgerError('LEDGER_BUSY', 'busy')
      return numbered(drafts)
    })
    const answers = await Promise.allSettled([1, 2].map((n) => commit.append(decisionDraft(n))))
    expect(answers.map((answer) => answer.status)).toEqual(['rejected', 'rejected'])
    expect((await commit.append(decisionDraft(3))).position).toBe(1)
  })

  it('rejects what a commit says nothing about', async () => {
    const { commit, numbered } = groups(async (drafts) => numbered(drafts.slice(1)))
    const [first, second] = await Promise.allSettled([1, 2].map((n) => commit.append(decisionDraft(n))))
    expect(first).toMatchObject({ status: 'fulfilled' })
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'LEDGER_WRITE_FAILED' } })
  })

  it('finishes what was called before it was closed', async () => {
    const { commit, numbered } = groups(async (drafts) => {
      await delay(5)
      return numbered(drafts)
    })
    const done = commit.append(decisionDraft(1))
    const closed = commit.close()
    expect(await refusalOf(() => commit.append(decisionDraft(2)))).toBe('LEDGER_CLOSED')
    await closed
    expect((await done).position).toBe(1)
  })
})

it('lets timers and signals in while group follows group', async () => {
  let committed = 0
  const commits = new GroupCommit(async (drafts) => {
    const until = performance.now() + 2
    while (performance.now() < until);
    const hash = sha256Hex('')
    committed += drafts.length
    return drafts.map(() => ({ position: 1, entryHash: hash, recordedAt: momentAt(0) }))
  })
  let ticks = 0
  const timer = setInterval(() => {
    ticks += 1
  }, 1)
  // These callers append one entry after the other, and await nothing but the ledger.
  await Promise.all(
    [1, 2, 3].map(async (n) => {
      for (let i = 0; i < 20; i += 1) await commits.append(decisionDraft(100 * n + i))
    }),
  )
  clearInterval(timer)
  expect(committed).toBe(60)
  expect(ticks).toBeGreaterThan(2)
})

describe('a draft that was prepared', () => {
  /** Creates a queue whose store keeps the drafts in memory. */
  function queue() {
    const stored: EncodedDraft[] = []
    const commits = new GroupCommit(async (drafts) => {
      stored.push(...drafts)
      return drafts.map((_, n) => ({ position: n + 1, entryHash: sha256Hex('x'), recordedAt: momentAt(0) }))
    })
    return { commits, stored }
  }

  const approval = {
    approval_id: 'a',
    state: 'approved',
    approver_id: 'o',
    created_at: momentAt(5),
    resolved_at: null,
    expires_at: null,
    binding: null,
  }

  it.each([
    ['a plain one', {}],
    [
      'one whose other members look like the one',
      { action: '"created_at":"2026', approval, agent_id: 'é"created_at":"' },
    ],
    ['one with members before it', { a: 1, aa: { created_at: 'x' }, created: [momentAt(9)] }],
  ])('is what it would have been with the later time: %s', async (_, more) => {
    const { commits, stored } = queue()
    const draft = { ...decisionDraft(1), ...more }
    const prepared = commits.prepare(draft)
    expect(stored).toEqual([])
    const appended = await prepared.append(momentAt(7))
    expect(stored).toEqual([encodeDraft({ ...draft, created_at: momentAt(7) })])
    expect(appended).toEqual({ position: 1, entryHash: sha256Hex('x'), recordedAt: momentAt(0) })
  })

  it('is refused when the draft is, or the time', async () => {
    const { commits, stored } = queue()
    expect(() => commits.prepare({ ...decisionDraft(1), action: '' })).toThrow(LedgerError)
    const prepared = commits.prepare(decisionDraft(1))
    for (const time of ['', 'now', '2026-01-02T03:04:05Z', `${momentAt(1)}"`, momentAt(1).replace('2', '"')])
      expect(await refusalOf(() => prepared.append(time))).toBe('ENTRY_REFUSED')
    expect(stored).toEqual([])
  })

  it('is refused when the ledger was closed meanwhile', async () => {
    const { commits, stored } = queue()
    const prepared = commits.prepare(decisionDraft(1))
    await commits.close()
    expect(await refusalOf(() => prepared.append(momentAt(1)))).toBe('LEDGER_CLOSED')
    expect(stored).toEqual([])
  })

  it('is made known before it waits for anybody, as every draft', async () => {
    const seen: string[] = []
    const commits = new GroupCommit(
      async (drafts) => {
        seen.push('commit')
        return drafts.map((_, n) => ({ position: n + 1, entryHash: sha256Hex('x'), recordedAt: momentAt(0) }))
      },
      async () => void seen.push('ready'),
      ({ requestId }) => void seen.push(String(requestId)),
    )
    const draft = decisionDraft(1)
    await Promise.all([commits.append(draft), commits.prepare(draft).append(momentAt(1))])
    expect(seen.slice(0, 2)).toEqual([draft.request_id, draft.request_id])
    expect(seen.slice(2)).toContain('commit')
  })
})
