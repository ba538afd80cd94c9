// Kills processes at a random time while they ask questions. Most request ids are given to several processes, and run
// at most once. The slow form (SLOW=1) kills 200 processes.
import { dirname } from 'node:path'
import { expect, it } from 'vitest'
import { byTier } from '../../../../test/tier.js'
import { killAtRandom } from '../fixtures/question-soak.js'
import { shelf } from '../fixtures/questions.js'

const KILLS = byTier({ short: 3, long: 12, slow: 200 })

it.each(['sqlite', 'jsonl'] as const)(`%s: ${KILLS} kills at a random time`, { timeout: 3_600_000 }, async (kind) => {
  const place = shelf(kind)
  const ran = await killAtRandom({ ...place, task: { folder: dirname(place.path), kind } }, KILLS)
  console.info(`${kind}: ${ran} calls ran, ${KILLS} kills`)
  expect(ran).toBeGreaterThan(KILLS)
})
