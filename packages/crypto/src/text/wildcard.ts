/**
 * Matches a sequence against a pattern in which a star matches any number of items.
 *
 * On a mismatch, the match of the last star is extended by one item. Earlier stars never need to be extended, because
 * the last star can match any item that an earlier star could match. The running time is therefore at most pattern
 * length × number of items, without exponential backtracking.
 *
 * @param fits - whether a pattern part other than a star matches an item
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

/**
 * Matches a string against a pattern: `*` matches any number of characters, including zero, and `?` matches one
 * character.
 */
export function matchesText(pattern: readonly string[], text: string): boolean {
  return matchesWildcard(
    pattern,
    [...text],
    (part) => part === '*',
    (part, character) => part === '?' || part === character,
  )
}
