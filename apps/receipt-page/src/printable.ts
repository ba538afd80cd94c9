// Text of a receipt as a person may see it: what moves, hides or reorders other text is shown as its code point.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\u2028\u2029\u115f\u1160\u3164\uffa0]/gu

/** @param lines - whether line feeds may stay, in a field that shows lines */
export function printable(text: string, lines = false): string {
  return text.replace(UNSEEN, (char) =>
    lines && char === '\n' ? char : `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`,
  )
}
