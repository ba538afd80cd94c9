// Describes which part of the arguments an entry conceals. `[redacted]` alone does not say whether it replaces a
// password or a program.
import { scanJson } from '@sudoagent/crypto/json'

/** Maximum number of concealed places that are read; a hostile entry may list more. */
const PLACES_MAX = 1_000
const PATHS_NAMED_MAX = 3

/**
 * @param line - an entry as canonical JSON
 * @returns null if nothing is concealed, or if the entry does not say what is concealed. The description contains
 *   untrusted text, which the caller must escape
 * @example notShownIn(line)   // '42 characters are NOT SHOWN (command)'
 */
export function notShownIn(line: string): string | null {
  const span = scanJson(line).members.get('metadata')
  if (span === undefined) return null
  const places = placesOf(line.slice(...span))
  const length = places.reduce((sum, place) => sum + place.length, 0)
  if (length === 0) return null
  const paths = [...new Set(places.map(({ path }) => path))]
  const more = paths.length > PATHS_NAMED_MAX ? `, and ${paths.length - PATHS_NAMED_MAX} more` : ''
  const characters = length === 1 ? '1 character is' : `${length} characters are`
  return `${characters} NOT SHOWN (${paths.slice(0, PATHS_NAMED_MAX).join(', ')}${more})`
}

interface Place {
  readonly path: string
  readonly length: number
}

/** In older ledgers, `concealed` may be caller metadata in a different form. */
function placesOf(metadata: string): readonly Place[] {
  let list: unknown
  try {
    list = JSON.parse(metadata)?.concealed
  } catch {
    return []
  }
  if (!Array.isArray(list) || list.length > PLACES_MAX) return []
  return list.every(isPlace) ? list : []
}

function isPlace(value: unknown): value is Place {
  const { path, length } = (value ?? {}) as { path?: unknown; length?: unknown }
  return typeof path === 'string' && Number.isSafeInteger(length) && Number(length) >= 0
}
