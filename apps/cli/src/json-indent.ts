/**
 * Breaks a JSON text into lines for a person, without reading the values: numbers of the Python profile do not fit a double, and a verifier
 * must not show another number than the one that was hashed.
 *
 * @param json - JSON without white space between its tokens, as every entry of a ledger is
 * @example indentJson('{"a":[1,{}]}') // '{\n  "a": [\n    1,\n    {}\n  ]\n}'
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
        depth -= 1
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

// Strings and empty brackets first, so that what stands in them is left alone.
const TOKEN = /"(?:[^"\\]|\\.)*"|\{\}|\[\]|[{}[\],:]/g
