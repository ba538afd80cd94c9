// How thorough a run of the tests is. A test that has more than one form asks here, so that one word decides for all of them:
//
//   short  the README's test command: minutes
//   long   `pnpm test:long`, a stage of CI: every file that asks here, at most twenty minutes
//   slow   SLOW=1: no limit
//
// For example `const KILLS = byTier({ short: 6, long: 40, slow: 250 })`.

export type Tier = 'short' | 'long' | 'slow'

export const TIER: Tier = process.env.SLOW === '1' ? 'slow' : process.env.TEST_TIER === 'long' ? 'long' : 'short'

/** Whether more than the short form is asked for. */
export const isLong = TIER !== 'short'

/** The form of this run. Without a slow form of its own, a test has its long one there. */
export function byTier<Form>({ short, long, slow = long }: { short: Form; long: Form; slow?: Form }): Form {
  return { short, long, slow }[TIER]
}

/** Of a table of cases, every nth for the short form, the first among them; all of them otherwise. */
export function sampled<Case>(cases: readonly Case[], every: number): Case[] {
  return cases.filter((_, n) => isLong || n % every === 0)
}
