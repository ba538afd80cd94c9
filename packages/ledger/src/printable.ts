// Makes untrusted text safe to show on a terminal or in a log line: everything that could move the cursor, change colours, hide or reorder
// what a person sees is shown as its code point instead. Unicode categories: Cc (controls), Cf (format: bidi overrides and isolates,
// zero-width characters, tags), Zl and Zp (line and paragraph separators), Cs (lone surrogates), Co and Cn are left to the font.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/**
 * Shows control, escape, bidi, zero-width characters and lone surrogates as `\u{…}`; the rest is unchanged.
 *
 * @param text - any text, hostile or not
 * @param lengthMax - UTF-16 units of `text` that are shown; a longer text is cut and ends in `…`. What is shown as a code point takes more room
 * @example printable('a\u001b[31mb') // 'a\\u{1b}[31mb'
 */
export function printable(text: string, lengthMax = 4096): string {
  // Not through the middle of a character: half of a pair would be shown as if it had stood there.
  const cut = text.length > lengthMax ? `${text.slice(0, lengthMax - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : text
  return cut.replace(UNSAFE, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`)
}
