// Encodes any well-formed text for a column of type `text`, which cannot contain U+0000: that character and the
// backslash are escaped, so that the encoding is reversible.

export function encodeText(text: string): string {
  return text.replace(/[\\\0]/g, (character) => (character === '\0' ? '\\0' : '\\\\'))
}

/** The inverse; other text is decoded as closely as possible. */
export function decodeText(text: string): string {
  return text.replace(/\\([\\0])/g, (_, character: string) => (character === '0' ? '\0' : '\\'))
}
