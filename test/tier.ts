// Defines the tiers of test runs, from the fastest to the most thorough. A test that has several forms selects one with
// `byTier`:
//
//   short  the README's test command, takes minutes
//   long   `pnpm test:long`, a stage of CI: every file that imports this module, takes at most twenty minutes
//   slow   SLOW=1, no time limit
//
// Example: `const KILLS = byTier({ short: 6, long: 40, slow: 250 })`.

export type Tier = 'short' | 'long' | 'slow'

export const TIER: Tier = process.env.SLOW === '1' ? 'slow' : process.env.TEST_TIER === 'long' ? 'long' : 'short'

/** Whether this is a run of the long or slow tier. */
export const isLong = TIER !== 'short'

/** Returns the form for this run. If there is no slow form, the slow tier uses the long form. */
export function byTier<Form>({ short, long, slow = long }: { short: Form; long: Form; slow?: Form }): Form {
  return { short, long, slow }[TIER]
}

/** In the short tier, returns every nth case of a table, starting with the first. Otherwise, returns all cases. */
export function sampled<Case>(cases: readonly Case[], every: number): Case[] {
  return cases.filter((_, n) => isLong || n % every === 0)
}
