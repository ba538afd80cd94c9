// Any well-formed text in a column of type `text`, which cannot hold U+0000: it and the backslash are escaped, so that different texts stay
// different.

export function encodeText(text: string): string {
  return text.replace(/[\\\0]/g, (character) => (character === '\0' ? '\\0' : '\\\\'))
}

/** The inverse; a text that was not made by it is given back as near as can be. */
export function decodeText(text: string): string {
  return text.replace(/\\([\\0])/g, (_, character: string) => (character === '0' ? '\0' : '\\'))
}
