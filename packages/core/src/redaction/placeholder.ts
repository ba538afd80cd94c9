/**
 * Escapes strings that look like a placeholder, so that `'<undefined>'` and `undefined` have different records.
 */
import { REDACTED } from '../secret/masked-text.js'

/** Matches the placeholder for a value that is not JSON, such as `<undefined>` or `<Uint8Array:16>`. */
const PLACEHOLDER = /^<[\p{ID_Start}$_][\p{ID_Continue}$]*(?::\d+)?>$/u
const CONTAINER_TAGS: readonly string[] = ['<Map>', '<Set>']
/** The prefix of an escaped string. */
const ESCAPE = '<text>'

/** Returns the recorded form of a string: the redacted string, escaped if necessary. */
export function escapeText(text: string, redacted: string): string {
  const isTag = text.startsWith(REDACTED) || text.startsWith(ESCAPE) || PLACEHOLDER.test(redacted)
  return isTag ? ESCAPE + redacted : redacted
}

/** Returns the recorded form of a key. A key can look only like the tag of a container. */
export function escapeKey(key: string, redacted: string): string {
  const isTag = key.startsWith(REDACTED) || CONTAINER_TAGS.includes(key) || key.startsWith(ESCAPE)
  return isTag ? ESCAPE + redacted : redacted
}
