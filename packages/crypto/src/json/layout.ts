/**
 * Converts JSON between two layouts: the single line that is hashed, and an indented form for people. Only the
 * white space between tokens changes. Values are not parsed, so a number of any length keeps every digit, and the
 * two functions are inverses:
 *
 *     {"a":[1.50,{}]}    {
 *                          "a": [
 *                            1.50,
 *                            {}
 *                          ]
 *                        }
 */
const STRING = '"[^"\\\\]*(?:\\\\.[^"\\\\]*)*"'

/** Strings and empty brackets are matched first so that they are left unchanged. */
const TOKEN = new RegExp(`${STRING}|\\{\\}|\\[\\]|[{}[\\],:]`, 'g')
const STRING_OR_SPACE = new RegExp(`${STRING}|[ \\t\\n\\r]+`, 'g')

/**
 * Indents JSON with two spaces per level.
 *
 * @param json - JSON without white space between tokens, like the result of `compactJson` and every ledger line
 */
export function indentJson(json: string): string {
  let depth = 0
  const newLine = (): string => `\n${'  '.repeat(depth)}`
  return json.replace(TOKEN, (token) => {
    switch (token) {
      case '{':
      case '[':
        depth += 1
        return token + newLine()
      case '}':
      case ']':
        depth = Math.max(0, depth - 1)
        return newLine() + token
      case ',':
        return token + newLine()
      case ':':
        return ': '
      default:
        return token
    }
  })
}

/** Removes the white space between JSON tokens. Strings are left unchanged. */
export function compactJson(json: string): string {
  return json.replace(STRING_OR_SPACE, (token) => (token.startsWith('"') ? token : ''))
}
