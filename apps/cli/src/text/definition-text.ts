// Formats changed tool definitions for people. The definitions are untrusted and are shown in full, because a person
// cannot judge a truncated definition.
import type { ToolPin } from '@sudoagent/mcp'
import { lines } from './approval-text.js'

/** A changed definition and the accepted one; `accepted` is undefined for a new tool. */
export interface DefinitionChange {
  readonly changed: ToolPin
  readonly accepted: ToolPin | undefined
}

/** Formats both definitions in full, then the lines that differ. */
export function renderDefinitionChange({ changed, accepted }: DefinitionChange, columns: number | undefined): string {
  const rows = [
    ...lines('', titleOf(changed), columns),
    ...lines('  accepted  ', accepted === undefined ? 'none' : `${accepted.digest} ${accepted.definition}`, columns),
    ...lines('  changed   ', `${changed.digest} ${changed.definition}`, columns),
    ...(accepted === undefined ? [] : difference(accepted, changed, columns)),
  ]
  return `${rows.join('\n')}\n`
}

const titleOf = ({ server, tool }: ToolPin): string =>
  tool === '' ? `${server}: instructions and name of the server` : `${server}/${tool}`

/** Returns the lines from the first to the last difference. This is not a minimal diff, but it takes only one pass. */
function difference(before: ToolPin, after: ToolPin, columns: number | undefined): readonly string[] {
  const [old, now] = [indented(before), indented(after)]
  let start = 0
  while (start < Math.min(old.length, now.length) && old[start] === now[start]) start += 1
  let end = 0
  while (end < Math.min(old.length, now.length) - start && old.at(-1 - end) === now.at(-1 - end)) end += 1
  const part = (label: string, all: readonly string[]): readonly string[] =>
    all.slice(start, all.length - end).flatMap((line) => lines(label, line, columns))
  return [...part('  - ', old), ...part('  + ', now)]
}

function indented({ definition }: ToolPin): readonly string[] {
  try {
    return JSON.stringify(JSON.parse(definition), null, 2).split('\n')
  } catch {
    // A different program may have changed the file, so the definition may not be JSON.
    return [definition]
  }
}
