// Tests how long a call waits for its approval.
import { expect, it, onTestFinished, vi } from 'vitest'
import { Rig } from '../support/rig.js'

it('a call is answered with "pending" after four seconds where no time is given', async () => {
  const rig = await Rig.open({ holdMs: undefined })
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  let answered = false
  const call = rig.callTool('write').finally(() => {
    answered = true
  })
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  // The test polls in its own loop, because `expect.poll` would advance the fake timers.
  while ((await rig.store.list({ state: 'pending' }, new Date())).length === 0) await turn()
  const advance = async (ms: number): Promise<boolean> => {
    for (let n = 0; n < 20; n += 1) await turn()
    await vi.advanceTimersByTimeAsync(ms)
    for (let n = 0; n < 20; n += 1) await turn()
    return answered
  }
  expect([await advance(3_999), await advance(1)]).toEqual([false, true])
  expect((await call)._meta['dev.sudoagent/pending']).toBeDefined()
})
