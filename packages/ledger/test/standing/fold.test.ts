// Tests the property that holds the record of authority together: for every ledger and every cut, a writer that opened
// the ledger there refuses a draft exactly if `verify` would report the entry. A run that resumes from a state
// finds what a whole run finds, and ranges find what lines find.

import type { StopScope } from '@sudoagent/crypto/entry'
import { assertedRequirement } from '@sudoagent/crypto/entry'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { byTier } from '../../../../test/tier.js'
import type { ControlDraft } from '../../src/entry/control.js'
import type { EntryDraft } from '../../src/entry/entry.js'
import type { Question } from '../../src/port/writer.js'
import { QuestionBook } from '../../src/standing/question-book.js'
import { expiryLimit } from '../../src/standing/questions.js'
import { coveringStop } from '../../src/standing/stops.js'
import type { Report } from '../../src/verify/report.js'
import { encodeState, parseState } from '../../src/verify/saved-state.js'
import { verify, verifyFrom } from '../../src/verify/verify.js'
import { advance, EMPTY_STATE, type LogState, writerOf } from '../../src/write/advance.js'
import { NO_RECORDS } from '../../src/write/call-records.js'
import { type EncodedDraft, encodeDraft } from '../../src/write/encode-draft.js'
import { deadlineOf, encodeQuestion } from '../../src/write/encode-question.js'
import { linkBatch } from '../../src/write/link-batch.js'
import { recover } from '../../src/write/recover.js'
import { approvalOf, decisionDraft, EPOCH_MS, momentAt } from '../fixtures/draft.js'
import { linesReader, rangedReader } from '../fixtures/lines-reader.js'
import { answerTo, questionOf } from '../fixtures/question.js'
import { OWN_THREAD } from '../fixtures/ranges.js'

const AGENTS = ['a', 'b', 'caf\u00e9', 'cafe\u0301']
const TENANTS = [undefined, 't', 'u'] as const
const idOf = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`

type Step =
  | { readonly kind: 'call'; readonly allow: boolean; readonly agent: string; readonly tenant?: string | undefined }
  | { readonly kind: 'stop'; readonly id: number; readonly scope: unknown }
  | { readonly kind: 'resume'; readonly id: number }
  | { readonly kind: 'ask'; readonly id: number; readonly ttlMs: number; readonly agent: string }
  | { readonly kind: 'answer'; readonly id: number; readonly allow: boolean; readonly change: string }
  | { readonly kind: 'wait'; readonly ms: number }

const scope: fc.Arbitrary<unknown> = fc.oneof(
  fc.constant({ all: true }),
  fc.constantFrom(...AGENTS, '*', 'c*', '?').map((agent) => ({ agent })),
  fc.constantFrom('t', 'u').map((tenant) => ({ tenant })),
  fc.constant({ agent: 'a', tenant: 't' }),
  fc.constantFrom<unknown>({}, { region: 'eu' }, null),
)
const id = fc.nat(3)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('call' as const),
      allow: fc.boolean(),
      agent: fc.constantFrom(...AGENTS),
      tenant: fc.constantFrom(...TENANTS),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stop' as const), id, scope }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('resume' as const), id }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      id,
      ttlMs: fc.constantFrom(1, 1_000, 300_000),
      agent: fc.constantFrom('a', 'b'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      id,
      allow: fc.boolean(),
      change: fc.constantFrom('', '', '', 'none', 'older', 'redacted', 'requirement', 'expires_at', 'agent_id'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(2, 60_000, 61_100, 400_000) }),
  },
)

type Draft = EntryDraft | ControlDraft | Question

/** The questions that were asked so far, and the time. */
class World {
  readonly asked = new Map<number, { readonly question: Question; readonly decision: EntryDraft; expiresAt: string }>()
  nowMs = EPOCH_MS
  readonly clock = (): Date => new Date(this.nowMs)

  /** Null for a step without an entry. */
  draftOf(step: Step, n: number): Draft | null {
    switch (step.kind) {
      case 'wait':
        this.nowMs += step.ms
        return null
      case 'call': {
        const authority = step.tenant === undefined ? {} : { authority: { tenant: step.tenant } }
        return decisionDraft(n + 100, {
          effect: step.allow ? 'allow' : 'deny',
          more: { agent_id: step.agent, ...authority },
        })
      }
      case 'ask': {
        const decision = decisionDraft(n, { requestId: idOf(step.id), more: { agent_id: step.agent } })
        const question = questionOf(decision, { ttlMs: step.ttlMs })
        this.asked.set(step.id, { question, decision, expiresAt: deadlineOf(momentAt(0), step.ttlMs) })
        return question
      }
      case 'answer':
        return this.#answer(step)
      default: {
        const note = { reason: 'r', by: 'b' }
        const block =
          step.kind === 'stop'
            ? { kind: 'stop' as const, stop_id: idOf(step.id), scope: step.scope as StopScope, ...note }
            : { kind: 'resume' as const, stop_id: idOf(step.id), ...note }
        return { event: 'checkpoint', created_at: momentAt(n), checkpoint: block }
      }
    }
  }

  #answer({ id, allow, change }: Extract<Step, { kind: 'answer' }>): EntryDraft {
    const found = this.asked.get(id)
    const decision = found?.decision ?? decisionDraft(0, { requestId: idOf(id) })
    const expiresAt = found?.expiresAt ?? momentAt(300_000)
    const effect = allow ? ('allow' as const) : ('deny' as const)
    const decided = { ...decision, decision: { ...decision.decision, effect } }
    const at = { expiresAt, recordedAt: decision.created_at }
    if (change === 'none') return decided
    if (change === 'older') return { ...decided, approval: approvalOf(decision, { expires_at: expiresAt }) }
    if (change === 'redacted') return answerTo(decided, at, { redacted: 1 })
    if (change === 'requirement') return answerTo(decided, at, { requirement: assertedRequirement(null) })
    if (change === 'expires_at') return answerTo(decided, { ...at, expiresAt: momentAt(7_654_321) })
    return answerTo(change === 'agent_id' ? { ...decided, agent_id: 'z' } : decided, at)
  }

  encoded(draft: Draft): EncodedDraft {
    return 'event' in draft ? encodeDraft(draft) : encodeQuestion(draft, momentAt(0))
  }

  writer() {
    return writerOf({ clock: this.clock, generateId: () => 'the ledger' })
  }

  /** The line that a writer without rules would add. */
  async forced(draft: Draft, { head }: LogState): Promise<string> {
    const { entries } = await linkBatch([this.encoded(draft)], head, { signer: null, clock: this.clock }, () => null)
    return entries[0]?.line ?? ''
  }

  /** Whether a writer takes the draft, and its state after that. */
  async written(draft: Draft, state: LogState, book: QuestionBook): Promise<LogState | null> {
    const records = { ...NO_RECORDS, hasQuestions: true, find: book.find.bind(book), count: book.count.bind(book) }
    const work =
      'event' in draft && draft.event === 'checkpoint'
        ? { control: () => draft.checkpoint }
        : { drafts: [this.encoded(draft)] }
    const plan = await advance(work, state, this.writer(), records)
    return plan.entries.length === 0 ? null : plan.state
  }

  /** Remembers the deadline that the ledger has set. */
  recorded(line: string): void {
    const { checkpoint } = JSON.parse(line) as { checkpoint?: { kind: string; request_id: string; expires_at: string } }
    if (checkpoint?.kind !== 'asked') return
    for (const found of this.asked.values())
      if (found.question.requestId === checkpoint.request_id) found.expiresAt = checkpoint.expires_at
  }
}

const codesOf = (report: Report): string[] => report.findings.map(({ code, position }) => `${position} ${code}`)

/** A writer asks nothing under a stop; a verifier reports calls that are allowed under one. */
const isStopped = (draft: Draft, { stops }: LogState): boolean =>
  'ttlMs' in draft &&
  coveringStop(stops, { agentId: draft.agentId, action: draft.action, authority: draft.authority ?? null }) !==
    undefined

const isOfClosedRequest = ({ code }: { readonly code: string }): boolean =>
  ['ASKED_DUPLICATE', 'DECISION_DUPLICATE', 'APPROVAL_REUSED'].includes(code)

const ofOpenRequests = (report: Report): string[] =>
  codesOf({ ...report, findings: report.findings.filter((finding) => !isOfClosedRequest(finding)) })

const sharedOf = ({ stops, resumes, controls_unknown, questions, approvals }: Report) => {
  return { stops, resumes, controls_unknown, questions, approvals }
}

it('a writer refuses what a verifier would report, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      const world = new World()
      const begun = await advance({ drafts: [] }, EMPTY_STATE, world.writer())
      let { state } = begun
      const lines = begun.entries.map(({ line }) => line)
      const book = new QuestionBook()
      for (const [n, one] of steps.entries()) {
        const draft = world.draftOf(one, n + 1)
        if (draft === null) continue
        const line = await world.forced(draft, state)
        const { ok, stops, questions, findings } = await verify(linesReader([...lines, line]), OWN_THREAD)
        // A writer does not look for the decision of a closed question, unless the draft is `once`.
        const isClosed = findings.some(({ code }) => code === 'DECISION_DUPLICATE')
        // Nor does it check an approval of the older form again.
        const isOlder = 'event' in draft && draft.event === 'decision' && draft.approval?.requirement === undefined
        const isLate = isOlder && findings.some(({ code }) => code.startsWith('APPROVAL_'))
        const isAskedAgain = findings.some(
          ({ code, message }) => code === 'ASKED_DUPLICATE' && /decision/.test(message),
        )
        if (isClosed || isAskedAgain || isLate) continue
        const after = await world.written(draft, state, book)
        expect(after !== null, JSON.stringify(one)).toBe(ok && !isStopped(draft, state))
        // A writer that catches up with the entry refuses it likewise.
        const recovered = (() => {
          try {
            return recover(state, Buffer.from(line), 'ledger', book)
          } catch {
            return null
          }
        })()
        expect(recovered !== null, JSON.stringify(one)).toBe(ok)
        if (recovered === null) continue
        lines.push(line)
        world.recorded(line)
        state = recovered.state
        book.apply(recovered.questions)
        expect([...state.stops.keys()]).toEqual(stops.map(({ stop_id }) => stop_id))
        expect(book.open(expiryLimit(state.head.recordedAt)).open).toHaveLength(questions.open)
      }
    }),
    { numRuns: byTier({ short: 150, long: 2_000, slow: 50_000 }) },
  )
}, 3_600_000)

it('a run from a state, and a run by ranges, finds what a whole run by lines finds, at every cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), fc.integer({ min: 1, max: 4 }), async (steps, range) => {
      const world = new World()
      const begun = await advance({ drafts: [] }, EMPTY_STATE, world.writer())
      const lines = begun.entries.map(({ line }) => line)
      let { head } = begun.state
      for (const [n, one] of steps.entries()) {
        const draft = world.draftOf(one, n + 1)
        if (draft === null) continue
        const linked = await linkBatch([world.encoded(draft)], head, { signer: null, clock: world.clock }, () => null)
        const [entry] = linked.entries
        if (entry === undefined) continue
        head = { size: entry.position, entryHash: entry.entryHash, recordedAt: entry.recordedAt }
        lines.push(entry.line)
        world.recorded(entry.line)
      }
      const whole = await verify(linesReader(lines), OWN_THREAD)
      const ranged = await verify(rangedReader(lines, range), OWN_THREAD)
      expect(ranged).toEqual({ ...whole, read_in_full: ranged.read_in_full })
      for (let cut = 1; cut < lines.length; cut += 1) {
        const { state } = await verifyFrom(linesReader(lines.slice(0, cut)), OWN_THREAD)
        if (state === null) break
        const resume = parseState(encodeState(state))
        for (const reader of [linesReader(lines), rangedReader(lines, range)]) {
          const report = await verify(reader, { ...OWN_THREAD, resume })
          // A state does not have the requests that are closed, and their approvals.
          expect(codesOf(report), `cut ${cut}`).toEqual(expect.arrayContaining(ofOpenRequests(whole)))
          expect(codesOf(whole), `cut ${cut}`).toEqual(expect.arrayContaining(codesOf(report)))
          if (whole.findings.some(isOfClosedRequest)) continue
          expect(sharedOf(report), `cut ${cut}`).toEqual(sharedOf(whole))
        }
      }
    }),
    { numRuns: byTier({ short: 60, long: 800, slow: 20_000 }) },
  )
}, 3_600_000)
