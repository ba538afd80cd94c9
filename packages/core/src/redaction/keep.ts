/**
 * Matches the places in the arguments that the caller declared free of secrets. Values at these places are not
 * redacted.
 */

export interface KeepRules {
  /** Whether this value, or a value that contains it, is exempt from redaction. */
  covers(path: readonly string[]): boolean
}

const KEEP_NOTHING: KeepRules = { covers: () => false }

/**
 * Reads the option `keep`.
 *
 * A path joins names and indexes with dots; `*` matches any single name or index: `auth.method`, `items.*.token`,
 * `0.session` for the first positional argument. A name without dots matches at every depth.
 *
 * @throws TypeError for an invalid path
 * @example createKeepRules(['session_id', 'items.*.token']).covers(['items', '3', 'token'])   // true
 */
export function createKeepRules(paths: readonly string[] = []): KeepRules {
  if (!Array.isArray(paths)) throw new TypeError('`keep` of the redaction options must be a list of paths')
  if (paths.length === 0) return KEEP_NOTHING
  const names = new Set<string>()
  const patterns: (readonly string[])[] = []
  for (const path of paths) {
    const segments = typeof path === 'string' ? path.split('.') : ['']
    if (segments.includes('') || (segments.length === 1 && segments[0] === '*')) {
      throw new TypeError(
        `\`keep\` must contain paths such as \`auth.method\`; \`${String(path)}\` is not a valid path`,
      )
    }
    if (segments.length === 1) names.add(segments[0] ?? '')
    else patterns.push(segments)
  }
  return {
    covers: (path) =>
      names.has(path.at(-1) ?? '') ||
      patterns.some(
        (pattern) => pattern.length === path.length && pattern.every((part, at) => part === '*' || part === path[at]),
      ),
  }
}
