// Tests that the work for a hostile text is linear in its length, whatever part of the text repeats. The test counts
// executed statements in our packages. Unlike times, these counts are the same on every machine.
import { Session } from 'node:inspector/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { byTier, TIER } from '../../../../test/tier.js'
import type { Target } from './targets.js'

/**
 * Length of the shorter text, in bytes. A text that is four times as long may take at most six times the work, plus a
 * constant.
 */
const SHORT = 12_000
const FACTOR = 4
const GROWTH_MAX = 6
const ONCE = 20_000

// Coverage must start before our packages load. V8 counts only calls, not loops, in code that was compiled without
// counters.
const session = new Session()
session.connect()
await session.post('Profiler.enable')
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
afterAll(() => session.disconnect())
const { makeEvidence } = await import('./evidence.js')
const { text, textTargets } = await import('./targets.js')
const evidence = await makeEvidence()

/** Counts the executed blocks of our packages for one input. */
async function workOf(target: Target, input: string): Promise<number> {
  await session.post('Profiler.takePreciseCoverage')
  try {
    await target.run(Buffer.from(input))
  } catch {
    // The parser rejects nearly all inputs, and the test measures the work before the rejection.
  }
  const { result } = await session.post('Profiler.takePreciseCoverage')
  const ours = result.filter(({ url }) => /\/packages\/\w+\/dist\//.test(url))
  return ours
    .flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges))
    .reduce((sum, { count }) => sum + count, 0)
}

/** Inserts repetitions of a piece until the text has this length. */
function pumped(whole: string, at: number, piece: string, length: number): string {
  const times = Math.ceil(length / piece.length)
  return whole.slice(0, at) + piece.repeat(times) + whole.slice(at)
}

/** Lists the pieces to repeat: each line, and fragments with brackets, strings and signatures. */
function pumpsOf(whole: string): readonly (readonly [at: number, piece: string])[] {
  const pieces = [
    '[',
    '{"a":',
    '"a",',
    '0',
    '\n',
    'x',
    '\\u0000',
    '=',
    ' ',
    '— x AAAA\n',
    '-----BEGIN X-----\n',
    'group a all b\n',
  ]
  const lines = whole.split('\n').slice(0, 4)
  const starts = [0, whole.indexOf('\n') + 1, whole.indexOf(':') + 1, whole.length >> 1, whole.length]
  const long = lines.filter((line) => line.length > 1 && line.length < 400).map((line) => `${line}\n`)
  return starts.flatMap((at) => [...pieces, ...long].map((piece) => [at, piece] as const))
}

describe.each(textTargets(evidence).map((target) => [target.name, target] as const))('%s', (name, target) => {
  // The file sets the cost of key derivation, so the cost does not depend on the length of the file. The maximum cost
  // is tested in packages/crypto/test/key/encrypted-key-scheme.test.ts.
  it.skipIf(name === 'encrypted private key')(
    'costs no more than in proportion to its length',
    { timeout: 600_000 },
    async () => {
      const whole = text(target.corpus[0] ?? Buffer.alloc(0))
      let counted = 0
      const pumps = pumpsOf(whole).filter((_, n) => TIER === 'slow' || n % byTier({ short: 10, long: 5 }) === 0)
      for (const [at, piece] of pumps) {
        const short = await workOf(target, pumped(whole, at, piece, SHORT))
        const long = await workOf(target, pumped(whole, at, piece, SHORT * FACTOR))
        counted += short
        expect(long, `${JSON.stringify(piece)} at ${at}: ${short} for ${SHORT} bytes`).toBeLessThan(
          short * GROWTH_MAX + ONCE,
        )
      }
      expect(counted).toBeGreaterThan(0)
    },
  )
})
