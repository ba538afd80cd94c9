// Implements `args_only`: a call must not have arguments that the rule does not name.
import type { JsonValue } from '@sudoagent/crypto/json'

/** A node in the tree of arguments that a rule names. A node without children stands for a whole value. */
interface Named {
  readonly children: Map<string, Named>
  /** Whether a path ends at this node. The path then includes all values below the node. */
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

/** The depth of the rule's paths limits the recursion. */
function hasOnly(value: JsonValue, { children, whole }: Named): boolean {
  if (whole) return true
  // If the value is not an object, there are no members to check: the tests for its path decide.
  if (typeof value !== 'object' || value === null) return true
  const star = Array.isArray(value) ? children.get('*') : undefined
  return Object.entries(value).every(([name, child]) => {
    const named = children.get(name) ?? star
    return named !== undefined && hasOnly(child as JsonValue, named)
  })
}
