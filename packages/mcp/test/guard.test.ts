import { AllowAllPolicy, SudoEngine } from '@sudoagent/core'
import type { WaitingEngine } from '@sudoagent/core/boundary'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, it } from 'vitest'
import { Guard, type GuardOptions } from '../src/guard.js'
import { MemoryToolPins } from '../src/tool/tool-pins.js'

const options: GuardOptions = {
  server: 'files',
  engine: new SudoEngine({ policy: new AllowAllPolicy(), ledger: new MemoryLedger(), agentId: 'bot' }),
  pins: new MemoryToolPins(),
}

describe('the options of a guard', () => {
  it.each([
    ['unknown, with a suggestion', { elicitaton: true }, /elicitaton.*elicitation/],
    ['an engine that is none', { engine: { authorize: () => Promise.reject(new Error('no')) } }, /engine/],
    ['a wait tool that is no boolean', { waitTool: 'no' }, /waitTool/],
    ['no engine', { engine: undefined }, /engine/],
    ['no pins', { pins: undefined }, /pins/],
  ])('are refused: %s', (_, change, says) => {
    expect(() => new Guard({ ...options, ...change } as GuardOptions)).toThrow(says)
  })

  it('take any engine, such as one in another process', () => {
    const farAway = () => Promise.reject(new Error('far away'))
    const engine: WaitingEngine = {
      authorize: farAway,
      resume: farAway,
      questions: farAway,
      record: async () => true,
      recordResult: async (_, result) => result,
    }
    expect(() => new Guard({ ...options, engine })).not.toThrow()
  })
})
