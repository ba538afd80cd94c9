/**
 * Converts between two layouts of a JSON text: one line, as it is hashed, and indented, for people. Only the white
 * space between tokens changes. Values are not parsed, so a number of any length keeps every digit, and each
 * function reverses the other:
 *
 *     {"a":[1.50,{}]}    {
 *                          "a": [
 *                            1.50,
 *                            {}
 *                          ]
 *                        }
 */
const STRING = '"[^"\\\\]*(?:\\\\.[^"\\\\]*)*"'

/** Strings and empty brackets are matched first, so that their contents are not changed. */
const TOKEN = new RegExp(`${STRING}|\\{\\}|\\[\\]|[{}[\\],:]`, 'g')
const STRING_OR_SPACE = new RegExp(`${STRING}|[ \\t\\n\\r]+`, 'g')

/**
 * Breaks a JSON text into lines, with two spaces for each level.
 *
 * @param json - without white space between its tokens, like the result of `compactJson` and every line of a ledger
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

/** Removes the white space between the tokens of a JSON text. Strings are not changed. */
export function compactJson(json: string): string {
  return json.replace(STRING_OR_SPACE, (token) => (token.startsWith('"') ? token : ''))
}
