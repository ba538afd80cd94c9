/**
 * Decodes the escapes in a string, as a program that processes escapes would: `\u003d` and `%3D` become `=`, `\n` and
 * `%5Cn` end a line, a colour code disappears, and a full-width letter becomes an ASCII letter. Decoded characters are
 * padded with spaces, so that the view has the same length as the text, and a match has the same position in both.
 *
 * The text itself is searched in addition to the view, because in `C:\token` the backslash is not an escape.
 */

const ESCAPES =
  /(?:(?<!\\)\\+|%(?:25){0,4}5[Cc])(?:u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|[0-7]{3}|[nrtbfvae0])|%u[0-9a-fA-F]{4}|%(?:25){0,4}[0-9A-Fa-f]{2}|&(?:#\d{1,5}|#x[0-9a-fA-F]{1,4}|quot|apos|amp|lt|gt|equals|colon);|\u001b|[\uff01-\uff5e]/g
const COLOUR_CODE = /\u0020?\[[0-9;:]{0,16}[mK]/y

const NAMED: Readonly<Record<string, string>> = {
  ...{ n: '\n', r: '\n', t: ' ', b: ' ', f: ' ', v: ' ', a: ' ', 0: ' ', e: '\u001b' },
  ...{ quot: '"', apos: "'", amp: '&', lt: '<', gt: '>', equals: '=', colon: ':' },
}

/**
 * The escapes that are decoded. Control characters and spaces become a space or a line feed. Other escapes stay
 * unchanged.
 */
const KEPT = /[\n&;:='"|<>,{}[\]]/

/** @returns null if the text does not contain escapes */
export function viewOf(text: string): string | null {
  let view = ''
  let done = 0
  for (const { 0: escaped, index } of text.matchAll(ESCAPES)) {
    if (index < done) continue
    const meant = meaningOf(escaped)
    // An escape that may be part of a token, such as `%2B`, stays unchanged.
    if (meant === null) continue
    const end = index + escaped.length
    view += text.slice(done, index)
    done = end
    if (meant === '\u001b') {
      COLOUR_CODE.lastIndex = end
      const code = COLOUR_CODE.exec(text)?.[0] ?? ''
      done = end + code.length
      view += ' '.repeat(done - index)
    } else view += meant + ' '.repeat(escaped.length - 1)
  }
  return done === 0 ? null : view + text.slice(done)
}

function meaningOf(escaped: string): string | null {
  if (escaped === '\u001b') return escaped
  if (/^[\uff01-\uff5e]$/.test(escaped)) return String.fromCharCode(escaped.charCodeAt(0) - 0xfee0)
  const name = escaped.replace(/^\\+|^%(?:25){0,4}5[Cc](?=.)|^&|;$/g, '')
  const named = NAMED[name]
  if (named !== undefined) return named
  const digits = /^(?:u|U|x|#x|%u|%(?:25){0,4})([0-9a-fA-F]+)$/.exec(name)?.[1]
  const decimal = /^#(\d+)$/.exec(name)?.[1]
  const octal = /^[0-7]{3}$/.exec(name)?.[0]
  const code =
    digits !== undefined
      ? Number.parseInt(digits, 16)
      : decimal !== undefined
        ? Number(decimal)
        : Number.parseInt(octal ?? '', 8)
  if (code === 0x1b) return '\u001b'
  if (code === 10 || code === 13) return '\n'
  if (code <= 32) return ' '
  const char = code < 127 ? String.fromCharCode(code) : ''
  return KEPT.test(char) ? char : null
}
