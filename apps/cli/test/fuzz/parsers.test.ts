// Fuzzes every parser of untrusted bytes. Every invalid input must give a finding or an error with a code. Any other
// exception fails the test, and so does a memory leak. `FUZZ_SEED=n` sets the seed. The slow form runs 1,000 times as
// many inputs as the long form. A failing test prints the seed and stores the input with the test output.
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
/** Number of inputs for the cheapest parser. More expensive parsers get proportionally fewer. */
const INPUTS = byTier({ short: 40, long: 400, slow: 400_000 })
/**
 * Maximum growth of the heap, in bytes, for any number of inputs. The limit leaves room for lazily loaded modules and
 * for V8 itself.
 */
const GROWTH_MAX = 16 * 1024 * 1024
const FINDINGS = new URL('../../../../test-output/fuzz/', import.meta.url)

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const evidence: Evidence = await makeEvidence()
const { targets: files, remove } = ledgerTargets(evidence)
const targets = [...textTargets(evidence), ...files]
beforeAll(() => console.info(`fuzzing with FUZZ_SEED=${SEED}`))
afterAll(remove)

/** Passes the bytes to the parser. @returns null, or the error if it has no code */
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
  throw new Error(`${target.name}, FUZZ_SEED=${SEED}: input stored as ${file.pathname}`, { cause: error })
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
    // For ledger targets, each input becomes a file that is opened and verified.
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
      // By now, all lazily loaded modules are loaded.
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
