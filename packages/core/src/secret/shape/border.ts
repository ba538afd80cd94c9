/**
 * Finds the positions at which a word may begin. A preceding letter or digit belongs to the same word, unless it ends
 * an escape: in `\nAKIA…`, in `%20ghp_…` and after a colour code, the `n`, the `0` and the `m` are not part of the
 * token.
 */

/** `\n`, `\u003d`, `\x3d`, `\033`, `%3D`, `=3D` (quoted-printable), `[31m` (the end of a colour code). */
const ESCAPE_END =
  /(?:(?:\\|%(?:25){0,4}5[Cc])[nrtbfvae0]|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\x[0-9a-fA-F]{2}|\\[0-7]{3}|%u[0-9a-fA-F]{4}|%(?:25){0,4}[0-9A-Fa-f]{2}|=[0-9A-F]{2}|\[[0-9;:]{0,16}[mK])$/
const ESCAPE_UNITS_MAX = 20

/** Whether a word may begin at a position of a text. */
export function endsInBorder(text: string, position: number): boolean {
  const before = text[position - 1]
  if (before === undefined || !/[A-Za-z0-9]/.test(before)) return true
  return ESCAPE_END.test(text.slice(Math.max(0, position - ESCAPE_UNITS_MAX), position))
}
