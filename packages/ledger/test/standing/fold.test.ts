// Tests the property that holds the record of authority together: for every ledger and every cut, a writer that opened
// the ledger there refuses a draft exactly if `verify` would report the entry. A run that resumes from a state
// finds what a whole run finds, and ranges find what lines find.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { byTier } from '../../../../test/tier.js'
import type { StopScope } from '../../src/authority/stop-scope.js'
import type { ControlDraft } from '../../src/entry/control.js'
import type { EntryDraft } from '../../src/entry/entry.js'
import { EMPTY_HEAD } from '../../src/port/writer.js'
import type { Report } from '../../src/verify/report.js'
import { encodeState, parseState } from '../../src/verify/saved-state.js'
import { verify, verifyFrom } from '../../src/verify/verify.js'
import { advance, EMPTY_STATE, type LogState, writerOf } from '../../src/write/advance.js'
import { encodeDraft } from '../../src/write/encode-draft.js'
import { linkBatch } from '../../src/write/link-batch.js'
import { recover } from '../../src/write/recover.js'
import { decisionDraft, momentAt, tickingClock } from '../fixtures/draft.js'
import { linesReader, rangedReader } from '../fixtures/lines-reader.js'
import { OWN_THREAD } from '../fixtures/ranges.js'

const AGENTS = ['a', 'b', 'caf\u00e9', 'cafe\u0301']
const TENANTS = [undefined, 't', 'u'] as const
const idOf = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`

type Step =
  | { readonly kind: 'call'; readonly allow: boolean; readonly agent: string; readonly tenant?: string | undefined }
  | { readonly kind: 'stop'; readonly id: number; readonly scope: unknown }
  | { readonly kind: 'resume'; readonly id: number }

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
)

function draftOf(step: Step, n: number): EntryDraft | ControlDraft {
  if (step.kind === 'call') {
    const authority = step.tenant === undefined ? {} : { authority: { tenant: step.tenant } }
    return decisionDraft(n, { effect: step.allow ? 'allow' : 'deny', more: { agent_id: step.agent, ...authority } })
  }
  const note = { reason: 'r', by: 'b' }
  const block =
    step.kind === 'stop'
      ? { kind: 'stop' as const, stop_id: idOf(step.id), scope: step.scope as StopScope, ...note }
      : { kind: 'resume' as const, stop_id: idOf(step.id), ...note }
  return { event: 'checkpoint', created_at: momentAt(n), checkpoint: block }
}

const writer = () => writerOf({ clock: tickingClock(), generateId: () => 'the ledger' })

/** The line that a writer without rules would add. */
async function forced(draft: EntryDraft | ControlDraft, { head }: LogState): Promise<string> {
  const { entries } = await linkBatch([encodeDraft(draft)], head, { signer: null, clock: tickingClock() })
  return entries[0]?.line ?? ''
}

/** Whether a writer takes the draft, and its state after that. */
async function written(draft: EntryDraft | ControlDraft, state: LogState): Promise<LogState | null> {
  const plan =
    draft.event === 'checkpoint'
      ? await advance({ control: () => draft.checkpoint }, state, writer())
      : await advance({ drafts: [encodeDraft(draft)] }, state, writer())
  return plan.entries.length === 0 ? null : plan.state
}

const codesOf = (report: Report): string[] => report.findings.map(({ code, position }) => `${position} ${code}`)

it('a writer refuses what a verifier would report, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      let state = (await advance({ drafts: [] }, EMPTY_STATE, writer())).state
      const lines = (await advance({ drafts: [] }, EMPTY_STATE, writer())).entries.map(({ line }) => line)
      for (const [n, one] of steps.entries()) {
        const draft = draftOf(one, n + 1)
        const line = await forced(draft, state)
        const { ok, stops } = await verify(linesReader([...lines, line]), OWN_THREAD)
        const after = await written(draft, state)
        expect(after !== null, JSON.stringify(one)).toBe(ok)
        // A writer that catches up with the entry refuses it likewise.
        const recovered = (() => {
          try {
            return recover(state, Buffer.from(line), 'ledger').state
          } catch {
            return null
          }
        })()
        expect(recovered !== null, JSON.stringify(one)).toBe(ok)
        if (recovered === null) continue
        lines.push(line)
        state = recovered
        expect([...state.stops.keys()]).toEqual(stops.map(({ stop_id }) => stop_id))
      }
    }),
    { numRuns: byTier({ short: 150, long: 2_000, slow: 50_000 }) },
  )
}, 3_600_000)

it('a run from a state, and a run by ranges, finds what a whole run by lines finds, at every cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), fc.integer({ min: 1, max: 4 }), async (steps, range) => {
      const genesis = (await advance({ drafts: [] }, EMPTY_STATE, writer())).entries
      const drafts = steps.map((one, n) => encodeDraft(draftOf(one, n + 1)))
      const [first] = genesis
      if (first === undefined) throw new TypeError('no genesis')
      const head = { ...EMPTY_HEAD, size: 1, entryHash: first.entryHash, recordedAt: first.recordedAt }
      const { entries } = await linkBatch(drafts, head, { signer: null, clock: tickingClock(1, Date.UTC(2027, 0, 1)) })
      const lines = [first, ...entries].map(({ line }) => line)
      const whole = await verify(linesReader(lines), OWN_THREAD)
      const ranged = await verify(rangedReader(lines, range), OWN_THREAD)
      expect(ranged).toEqual({ ...whole, read_in_full: ranged.read_in_full })
      for (let cut = 1; cut < lines.length; cut += 1) {
        const { state } = await verifyFrom(linesReader(lines.slice(0, cut)), OWN_THREAD)
        if (state === null) break
        const resume = parseState(encodeState(state))
        for (const reader of [linesReader(lines), rangedReader(lines, range)]) {
          const report = await verify(reader, { ...OWN_THREAD, resume })
          expect(codesOf(report), `cut ${cut}`).toEqual(codesOf(whole))
          expect([report.stops, report.resumes, report.controls_unknown]).toEqual([
            whole.stops,
            whole.resumes,
            whole.controls_unknown,
          ])
        }
      }
    }),
    { numRuns: byTier({ short: 60, long: 800, slow: 20_000 }) },
  )
}, 3_600_000)
