/**
 * Kleene's three-valued logic. A test is `unclear` when it cannot be decided: a value of another type, a redacted
 * value, a path with two readings. An `allow` rule never treats `unclear` as `true`, and a `deny` or
 * `require_approval` rule never treats it as `false`.
 */
export type Truth = 'true' | 'false' | 'unclear'

export interface Verdict {
  readonly truth: Truth
  /** The reason why the truth is not `true`; null when it is. */
  readonly because: string | null
}

export const HOLDS: Verdict = Object.freeze({ truth: 'true', because: null })

export const fails = (because: string): Verdict => ({ truth: 'false', because })

export const unclear = (because: string): Verdict => ({ truth: 'unclear', because })

/** Conjunction: one `false` decides, even if other tests are unclear; the remaining tests are then not run. */
export function every(tests: Iterable<() => Verdict>): Verdict {
  let doubt: Verdict | null = null
  for (const test of tests) {
    const verdict = test()
    if (verdict.truth === 'false') return verdict
    if (verdict.truth === 'unclear') doubt ??= verdict
  }
  return doubt ?? HOLDS
}

/**
 * Combines the verdicts about several values (the elements of a list, the readings of a path): `true` when all are
 * true, `false` when all are false, `unclear` when they differ or one of them is unclear.
 *
 * @param mixed - the reason to give when they differ
 */
export function agree(verdicts: readonly Verdict[], mixed: string): Verdict {
  const [first] = verdicts
  if (first === undefined) return fails('is an empty list')
  const doubt = verdicts.find(({ truth }) => truth === 'unclear')
  if (doubt !== undefined) return doubt
  return verdicts.every(({ truth }) => truth === first.truth) ? first : unclear(mixed)
}
