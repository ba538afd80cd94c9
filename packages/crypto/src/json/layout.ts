/**
 * Two layouts of one JSON text: on one line, as it is hashed, and indented, for people. Only white space between tokens
 * differs. Nothing is read as a value on the way, so a number of any length keeps every digit, and what one function did
 * the other takes back:
 *
 *     {"a":[1.50,{}]}    {
 *                          "a": [
 *                            1.50,
 *                            {}
 *                          ]
 *                        }
 */
const STRING = '"[^"\\\\]*(?:\\\\.[^"\\\\]*)*"'

/** Strings and empty brackets come first, so that what stands in them is left alone. */
const TOKEN = new RegExp(`${STRING}|\\{\\}|\\[\\]|[{}[\\],:]`, 'g')
const STRING_OR_SPACE = new RegExp(`${STRING}|[ \\t\\n\\r]+`, 'g')

/**
 * Breaks a JSON text into lines, with two spaces for each level.
 *
 * @param json without white space between its tokens, as `compactJson` makes it and every line of a ledger is.
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

/** Takes out the white space between the tokens of a JSON text. What stands in strings stays. */
export function compactJson(json: string): string {
  return json.replace(STRING_OR_SPACE, (token) => (token.startsWith('"') ? token : ''))
}
