// `args_only`: a call must not have arguments that the rule does not name.
import type { JsonValue } from '@sudoagent/crypto/json'

/** The arguments that a rule names, as a tree. A node without children is a whole value. */
interface Named {
  readonly children: Map<string, Named>
  /** A path ends here and includes all values below it. */
  whole: boolean
}

/** @param paths - the segments of the arguments that the rule tests */
export function compileOnlyNamed(
  paths: readonly (readonly string[])[],
): (kwargs: Readonly<Record<string, JsonValue>>) => boolean {
  const root: Named = { children: new Map(), whole: false }
  for (const path of paths) {
    let at = root
    for (const segment of path) {
      const next = at.children.get(segment) ?? { children: new Map(), whole: false }
      at.children.set(segment, next)
      at = next
    }
    at.whole = true
  }
  return (kwargs) => hasOnly(kwargs, root)
}

/** Recursive; the depth is limited by the depth of the rule's paths. */
function hasOnly(value: JsonValue, { children, whole }: Named): boolean {
  if (whole) return true
  // A value that is not an object is left to the tests of the path.
  if (typeof value !== 'object' || value === null) return true
  const star = Array.isArray(value) ? children.get('*') : undefined
  return Object.entries(value).every(([name, child]) => {
    const named = children.get(name) ?? star
    return named !== undefined && hasOnly(child as JsonValue, named)
  })
}
