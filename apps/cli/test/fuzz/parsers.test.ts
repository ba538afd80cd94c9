// Every parser of other people's bytes, fuzzed. Whatever comes in: an error with a code or a finding, never another exception, and no memory that stays.
// `FUZZ_SEED=n` begins elsewhere, the slow form tries a thousand times as many; a failure says the seed and leaves the input beside the test's output.
import { mkdirSync, writeFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { byTier, sampled, TIER } from '../../../../test/tier.js'
import { type Evidence, makeEvidence, vectorsIn } from './evidence.js'
import { isCoded, ledgerTargets } from './ledger-targets.js'
import { Dice, mutate } from './mutate.js'
import { type Target, textTargets } from './targets.js'

const slow = TIER === 'slow'
const SEED = Number(process.env.FUZZ_SEED ?? (slow ? Date.now() % 2 ** 31 : 1))
/** Inputs of the cheapest parser; of the others as many fewer as they cost more. */
const INPUTS = byTier({ short: 40, long: 400, slow: 400_000 })
/** Memory that may stay after any number of inputs, in bytes: what modules load when they are first used, and what V8 keeps for itself. */
const GROWTH_MAX = 16 * 1024 * 1024
const FINDINGS = new URL('../../../../test-output/fuzz/', import.meta.url)

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const evidence: Evidence = await makeEvidence()
const { targets: files, remove } = ledgerTargets(evidence)
const targets = [...textTargets(evidence), ...files]
beforeAll(() => console.info(`fuzzing with FUZZ_SEED=${SEED}`))
afterAll(remove)

/** Gives the bytes to the parser. @returns the error, unless it is one with a code */
async function fault(target: Target, bytes: Uint8Array): Promise<unknown> {
  try {
    await target.run(bytes)
    return null
  } catch (error) {
    return isCoded(error) ? null : error
  }
}

function keep(target: Target, bytes: Uint8Array, error: unknown): never {
  mkdirSync(FINDINGS, { recursive: true })
  const file = new URL(`${target.name.replaceAll(' ', '-')}-${SEED}`, FINDINGS)
  writeFileSync(file, bytes)
  throw new Error(`${target.name}, FUZZ_SEED=${SEED}: kept as ${file.pathname}`, { cause: error })
}

describe.each(targets.map((target) => [target.name, target] as const))('%s', (_, target) => {
  it('takes what is valid', async () => {
    expect(target.corpus.length).toBeGreaterThan(0)
    await target.run(target.corpus[0] ?? Buffer.alloc(0))
  })

  it('answers what was found before, and what is valid for other parsers, with a code or a finding', async () => {
    const hostile = vectorsIn('hostile')
    expect(hostile.length).toBeGreaterThan(5)
    const others = [...hostile, ...targets.map(({ corpus }) => corpus[0] ?? Buffer.alloc(0)), Buffer.alloc(0)]
    // Of ledgers, each input is a file, opened and verified.
    for (const bytes of sampled(others, target.cost > 1 ? 4 : 1)) {
      const error = await fault(target, bytes)
      if (error !== null) keep(target, bytes, error)
    }
  })

  it('answers whatever it is given with a code or a finding, and keeps nothing of it', {
    timeout: 3_600_000,
  }, async () => {
    const dice = new Dice(SEED)
    const inputs = Math.ceil(INPUTS / target.cost)
    let before = 0
    for (let n = 0; n < inputs; n += 1) {
      // By then everything was loaded that is loaded when it is first used.
      if (n === inputs >> 2) {
        collect()
        before = process.memoryUsage().heapUsed
      }
      const bytes = mutate(dice, target.corpus)
      const error = await fault(target, bytes)
      if (error !== null) keep(target, bytes, error)
    }
    collect()
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(GROWTH_MAX)
  })
})
