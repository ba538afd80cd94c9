/**
 * Implements Kleene's three-valued logic. A test is `unclear` if the value has the wrong type or is redacted, or if the
 * readings of a path give different results. An `allow` rule never treats `unclear` as `true`, and a `deny` or
 * `require_approval` rule never treats it as `false`.
 */
export type Truth = 'true' | 'false' | 'unclear'

export interface Verdict {
  readonly truth: Truth
  /** The reason why `truth` is not `true`; null if `truth` is `true`. */
  readonly because: string | null
}

export const HOLDS: Verdict = Object.freeze({ truth: 'true', because: null })

export const fails = (because: string): Verdict => ({ truth: 'false', because })

export const unclear = (because: string): Verdict => ({ truth: 'unclear', because })

/**
 * Conjunction: a single `false` decides, even if other tests are unclear. After a `false`, the remaining tests do not
 * run.
 */
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
 * Combines the verdicts about several values, such as list elements or readings of a path: `true` if all verdicts are
 * true, `false` if all are false, `unclear` if the verdicts differ or one of them is unclear.
 *
 * @param mixed - the reason to return if the verdicts differ
 */
export function agree(verdicts: readonly Verdict[], mixed: string): Verdict {
  const [first] = verdicts
  if (first === undefined) return fails('is an empty list')
  const doubt = verdicts.find(({ truth }) => truth === 'unclear')
  if (doubt !== undefined) return doubt
  return verdicts.every(({ truth }) => truth === first.truth) ? first : unclear(mixed)
}
