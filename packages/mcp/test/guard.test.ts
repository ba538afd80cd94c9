import { AllowAllPolicy, type Engine, SudoEngine } from '@sudoagent/core'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, it } from 'vitest'
import { Guard, type GuardOptions } from '../src/guard.js'
import { MemoryToolPins } from '../src/tool/tool-pins.js'

const options: GuardOptions = {
  server: 'files',
  engine: (approver) =>
    new SudoEngine({ policy: new AllowAllPolicy(), ledger: new MemoryLedger(), agentId: 'bot', approver }),
  pins: new MemoryToolPins(),
}

describe('the options of a guard', () => {
  it.each([
    ['unknown, with a suggestion', { elicitaton: true }, /elicitaton.*elicitation/],
    [
      'an engine that is not created by the guard',
      { engine: options.engine({ approve: () => ({}) as never }) },
      /engine/,
    ],
    ['no engine', { engine: undefined }, /engine/],
    ['no pins', { pins: undefined }, /pins/],
  ])('are refused: %s', (_, change, says) => {
    expect(() => new Guard({ ...options, ...change } as GuardOptions)).toThrow(says)
  })

  it('take any engine, such as one in another process', () => {
    const engine: Engine = {
      authorize: () => Promise.reject(new Error('far away')),
      record: async () => true,
      recordResult: async (_, result) => result,
    }
    expect(() => new Guard({ ...options, engine: () => engine })).not.toThrow()
  })
})
