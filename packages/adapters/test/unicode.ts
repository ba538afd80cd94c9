// Tests that in every adapter, a tool receives exactly the text that the engine decided on. Otherwise, the tool must
// not run.
import { AllowAllPolicy, SudoEngine } from '@sudoagent/core'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, it } from 'vitest'
import { entriesOf } from './entries.js'

type Input = Record<string, unknown>
/** Calls a guarded tool as the framework would. The guard passes its input to `tool`. */
export type Call = (engine: SudoEngine, input: Input, tool: (input: unknown) => string) => Promise<unknown>

const GIVEN: readonly (readonly [given: Input, normal: Input])[] = [
  [{ account: '\u212a-1' }, { account: 'K-1' }],
  [{ deep: [{ 'cafe\u0301': ['\u2126'] }] }, { deep: [{ 'caf\u00e9': ['\u03a9'] }] }],
]

export function testUnicode(name: string, call: Call): void {
  describe(name, () => {
    async function run(unicode: 'refuse' | 'normalize', input: Input) {
      const ledger = new MemoryLedger()
      const engine = new SudoEngine({ policy: new AllowAllPolicy(), agentId: 'bot', ledger, unicode })
      const ran: unknown[] = []
      await call(engine, input, (given) => `${ran.push(given)}`).catch(() => {})
      return { ran, decisions: (await entriesOf(ledger)).filter(({ event }) => event === 'decision') }
    }

    it.each(GIVEN)('refuses %j, on record', async (given, normal) => {
      const refused = await run('refuse', given)
      expect(refused.ran).toEqual([])
      expect(refused.decisions).toMatchObject([{ decision: { effect: 'deny', reason_code: 'PARAMETERS_INVALID' } }])
      expect((await run('refuse', normal)).ran).toEqual([normal])
    })

    it.each(GIVEN)('with `normalize` hands on the copy that is recorded: %j', async (given, normal) => {
      const { ran, decisions } = await run('normalize', given)
      expect(ran).toEqual([normal])
      expect(decisions).toMatchObject([{ parameters: { kwargs: normal } }])
    })
  })
}
