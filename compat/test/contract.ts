// The contract of every adapter. Each adapter's test file calls it once and adds its own cases.
import { describe, expect, it } from 'vitest'
import { deskFor, type Framework, HANGS, LEAKS, play, playPending, SCENARIOS, TOOL_ERROR } from './scenario.js'

export function testFramework(framework: Framework): void {
  describe(`${framework.name}: what the model is shown, and what is on record`, () => {
    it.each(SCENARIOS)('$name', async (scenario) => {
      const ended = await play(framework, scenario)
      expect(ended.ran).toEqual(scenario.runs ? scenario.amounts.map((amount) => ({ amount })) : [])
      expect(ended.entries).toEqual(scenario.entries)
      if (scenario.text === null && framework.endsWhenToolThrows) {
        expect(ended.shown).toBeNull()
        expect(String(ended.error)).toContain(TOOL_ERROR)
        return
      }
      expect(ended.error).toBeUndefined()
      expect(ended.shown).toHaveLength(1)
      const [shown = ''] = ended.shown ?? []
      if (scenario.text !== null) expect(shown).toContain(scenario.text)
      for (const leak of LEAKS) expect(shown).not.toMatch(leak)
      for (const decision of ended.decisions) {
        const kwargs = { amount: scenario.amounts[0] }
        expect(decision).toEqual({ action: 'refund', kwargs, callId: framework.callId })
      }
    })
  })

  describe(`${framework.name}: calls beside one another, and over time`, () => {
    it('a call that is denied leaves its siblings alone', async () => {
      const ended = await play(framework, { amounts: [10, 5000, 20] })
      expect(ended.error).toBeUndefined()
      expect(ended.shown?.[0]).toContain('refunded 10')
      expect(ended.shown?.[1]).toContain('denied by policy')
      expect(ended.shown?.[2]).toContain('refunded 20')
      expect(ended.ran.map(({ amount }) => amount).sort()).toEqual([10, 20])
      expect(ended.entries.filter((entry) => entry.startsWith('outcome'))).toHaveLength(2)
    })

    it.each(['approved', 'denied'] as const)(
      'an answer that comes while the call is open counts: %s',
      async (answer) => {
        const ended = await play(framework, { amounts: [500], ...deskFor(answer) })
        expect(ended.error).toBeUndefined()
        expect(ended.ran).toHaveLength(answer === 'approved' ? 1 : 0)
        expect(ended.shown?.[0]).toContain(
          answer === 'approved' ? 'refunded 500' : 'This call was not approved, so it did not run (APPROVAL_DENIED).',
        )
      },
    )

    it('a call that waits is pending for the model, and runs once when it is repeated after the approval', async () => {
      const { shown, ran, questions } = await playPending(framework)
      const pending = 'This call waits for the approval of a person and has not run (APPROVAL_PENDING).'
      expect(shown[0]).toContain(pending)
      expect(shown[1]).toContain(pending)
      expect(shown[2]).toContain('refunded 500')
      expect({ ran, questions }).toEqual({ ran: [{ amount: 500 }], questions: 1 })
      for (const leak of LEAKS) expect(shown[0]).not.toMatch(leak)
    })

    it('the authority in the context of the framework is recorded', async () => {
      const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
      const sudoagent = { onBehalfOf: { id: 'alice' }, tenant: 'acme', session: 'chat-7', trace }
      const ended = await play(framework, { amounts: [30], context: { sudoagent } })
      const subject = { assurance: 'asserted', id: 'alice', type: 'user' }
      const authority = { on_behalf_of: subject, tenant: 'acme', session: 'chat-7' }
      expect(ended.authorities).toEqual([
        [
          framework.passes === 'authority' ? authority : undefined,
          framework.passes === 'nothing' ? undefined : { trace },
        ],
      ])
      expect((await play(framework, { amounts: [30] })).authorities).toEqual([[undefined, undefined]])
    })

    it('an abort while an approval is open denies, on record', async () => {
      const ended = await play(framework, { amounts: [500], ...deskFor('none') })
      expect(ended.ran).toEqual([])
      expect(ended.entries).toEqual(['decision deny CALL_CANCELLED'])
    })

    it('a call whose caller is gone does not run, and asks nobody', async () => {
      const aborted = {
        ...framework,
        run: (turn: Parameters<Framework['run']>[0]) => framework.run({ ...turn, signal: AbortSignal.abort() }),
      }
      const ended = await play(aborted, { amounts: [30] })
      expect({ ran: ended.ran, entries: ended.entries }).toEqual({ ran: [], entries: [] })
    })

    if (framework.handsSignal) {
      it('an abort reaches the tool, and the outcome says so', async () => {
        const ended = await play(framework, { amounts: [HANGS], onHang: (abort) => abort.abort() })
        expect(ended.ran).toEqual([{ amount: HANGS }])
        expect(ended.entries.at(-1)).toBe('outcome error')
      })
    }
  })
}
