/**
 * Three-valued logic (Kleene's). `unclear` is what a test says that cannot be decided: a value of another type, a
 * redacted one, a path with two readings. It is never taken for `true` by a rule that allows, nor for `false` by a rule
 * that denies or asks.
 */
export type Truth = 'true' | 'false' | 'unclear'

export interface Verdict {
  readonly truth: Truth
  /** Why it is not `true`, in words; null when it is. */
  readonly because: string | null
}

export const HOLDS: Verdict = Object.freeze({ truth: 'true', because: null })

export const fails = (because: string): Verdict => ({ truth: 'false', because })

export const unclear = (because: string): Verdict => ({ truth: 'unclear', because })

/** All must hold: one `false` settles it, whatever is unclear beside it. Later tests are not run then. */
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
 * One question asked of several values (the elements of a list, the readings of a path): `true` when it holds for all,
 * `false` when it holds for none, `unclear` when they differ or one of them is unclear.
 *
 * @param mixed says that they differ
 */
export function agree(verdicts: readonly Verdict[], mixed: string): Verdict {
  const [first] = verdicts
  if (first === undefined) return fails('there is nothing in it')
  const doubt = verdicts.find(({ truth }) => truth === 'unclear')
  if (doubt !== undefined) return doubt
  return verdicts.every(({ truth }) => truth === first.truth) ? first : unclear(mixed)
}
