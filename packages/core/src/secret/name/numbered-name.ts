/**
 * Numbers keys that are equal after redaction, `#2`, `#3`, …, in the sort order of the original keys, so that the order
 * of the object's members has no influence.
 *
 * @param originals - the original keys, all different
 * @param written - the same keys after redaction
 * @returns the recorded keys, all different
 */
export function numberNames(originals: readonly string[], written: readonly string[]): readonly string[] {
  const names = [...written]
  const redacted = originals.flatMap((key, index) => (written[index] === key ? [] : [{ key, index }]))
  redacted.sort((a, b) => (a.key < b.key ? -1 : 1))
  const taken = new Set(originals.filter((key, index) => written[index] === key))
  const numbers = new Map<string, number>()
  for (const { index } of redacted) {
    const name = written[index] ?? ''
    let number = numbers.get(name) ?? 1
    while (taken.has(numberedName(name, number))) number++
    numbers.set(name, number + 1)
    names[index] = numberedName(name, number)
    taken.add(numberedName(name, number))
  }
  return names
}

function numberedName(name: string, number: number): string {
  return number === 1 ? name : `${name}#${number}`
}
