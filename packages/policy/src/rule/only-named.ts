// `args_only`: a call has the arguments that the rule names, and no others.
import type { JsonValue } from '@sudoagent/crypto'

/** What a rule names, as a tree. A name without children stands for a whole value. */
interface Named {
  readonly children: Map<string, Named>
  /** A path ends here: whatever is below belongs to it. */
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

/** The depth is bounded by that of the rule's paths. */
function hasOnly(value: JsonValue, { children, whole }: Named): boolean {
  if (whole) return true
  // The tests of the path say what becomes of a value that is no object.
  if (typeof value !== 'object' || value === null) return true
  const star = Array.isArray(value) ? children.get('*') : undefined
  return Object.entries(value).every(([name, child]) => {
    const named = children.get(name) ?? star
    return named !== undefined && hasOnly(child as JsonValue, named)
  })
}
