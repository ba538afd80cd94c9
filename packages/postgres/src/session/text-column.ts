// Encodes any well-formed string for a column of type `text`. Such a column cannot contain U+0000, so U+0000 is
// escaped; the backslash is escaped too, which makes the encoding reversible.

export function encodeText(text: string): string {
  return text.replace(/[\\\0]/g, (character) => (character === '\0' ? '\\0' : '\\\\'))
}

/** Reverses the encoding; text that was not encoded is decoded as closely as possible. */
export function decodeText(text: string): string {
  return text.replace(/\\([\\0])/g, (_, character: string) => (character === '0' ? '\0' : '\\'))
}
