/**
 * Matches a sequence against a pattern in which a star stands for any number of items.
 *
 * On a mismatch only the last star is tried again: it takes one item more. That is enough, because whatever an earlier
 * star could take, the last one can take too. So the time is at most pattern × items, whatever is in them; there is
 * nothing to blow up as in a backtracking regular expression.
 *
 * @param fits whether an item of the pattern that is no star fits an item
 */
export function matchesWildcard<P, T>(
  pattern: readonly P[],
  items: readonly T[],
  isStar: (part: P) => boolean,
  fits: (part: P, item: T) => boolean,
): boolean {
  let at = 0
  let star = -1
  let resumeAt = 0
  for (let i = 0; i < items.length; ) {
    const part = pattern[at]
    const item = items[i] as T
    if (at < pattern.length && isStar(part as P)) {
      star = at
      resumeAt = i
      at += 1
    } else if (at < pattern.length && fits(part as P, item)) {
      at += 1
      i += 1
    } else if (star >= 0) {
      at = star + 1
      resumeAt += 1
      i = resumeAt
    } else {
      return false
    }
  }
  return pattern.slice(at).every(isStar)
}

/** A text against a pattern where `*` is any run of characters, also none, and `?` is one character. */
export function matchesText(pattern: readonly string[], text: string): boolean {
  return matchesWildcard(
    pattern,
    [...text],
    (part) => part === '*',
    (part, character) => part === '?' || part === character,
  )
}
