/** Command lines that are lists of strings: `['curl', '-u', 'bob:secret']`. They are read as a shell would write them. */
import type { Span } from './masked-text.js'

/** Longer lists are no command lines. */
const ARGUMENTS_MAX = 1_000

/**
 * Finds the secrets of a command line.
 *
 * @returns for each argument that holds one, from which character on it is secret; an argument is never secret in the middle only
 */
export function findSecretArguments(
  list: readonly unknown[],
  find: (text: string) => readonly Span[],
): ReadonlyMap<number, number> {
  const secrets = new Map<number, number>()
  if (list.length < 2 || list.length > ARGUMENTS_MAX || !list.every((argument) => typeof argument === 'string'))
    return secrets
  const starts: number[] = []
  let text = ''
  for (const argument of list as readonly string[]) {
    starts.push(text.length)
    text += `${argument} `
  }
  let at = 0
  for (const { start } of find(text)) {
    while (at + 1 < starts.length && (starts[at + 1] ?? 0) <= start) at++
    if (!secrets.has(at)) secrets.set(at, start - (starts[at] ?? 0))
  }
  return secrets
}
