import { verify } from '@sudoagent/ledger'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, it } from 'vitest'
import { SudoEngine } from '../../src/engine.js'
import { AllowAllPolicy } from '../../src/index.js'

const engine = (): SudoEngine =>
  new SudoEngine({ policy: new AllowAllPolicy(), ledger: new MemoryLedger(), agentId: 'bot', generateId: () => 'own' })

describe('the request id of an authorized call', () => {
  it('is the given one', async () => {
    expect(await engine().authorize({ action: 'pay', requestId: 'r-1' })).toMatchObject({ requestId: 'r-1' })
    expect(await engine().authorize({ action: 'pay' })).toMatchObject({ requestId: 'own' })
  })

  it.each([
    ['empty', ''],
    ['too long', 'x'.repeat(129)],
    ['not a text', 7 as never],
    ['null', null as never],
    ['a secret', 'sk_live_4eC39HqLyjWDarjtT1zdp7dc'],
  ])('is refused when it is %s, and nothing is recorded', async (_, requestId) => {
    const ledger = new MemoryLedger()
    const sudo = new SudoEngine({ policy: new AllowAllPolicy(), ledger, agentId: 'bot' })
    await expect(sudo.authorize({ action: 'pay', requestId })).rejects.toThrow(TypeError)
    expect((await verify(ledger.reader())).entries).toBe(0)
  })
})
