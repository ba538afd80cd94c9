// Statements are asked for again and again, and `pg` compares the text with the one that it prepared under the same name: it is made once.

/** The texts of a statement, by the schema in whose tables it works. */
export function madeOnce(make: (schema: string) => string): (schema: string) => string {
  const made = new Map<string, string>()
  return (schema) => {
    const known = made.get(schema)
    if (known !== undefined) return known
    const text = make(schema)
    made.set(schema, text)
    return text
  }
}
