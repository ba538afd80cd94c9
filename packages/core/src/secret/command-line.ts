/**
 * Finds secrets in command lines that are lists of strings, such as `['curl', '-u', 'bob:secret']`. The list is read as
 * one shell command.
 */
import type { Span } from './masked-text.js'

/** The maximum number of arguments. A longer list is not treated as a command line. */
const ARGUMENTS_MAX = 1_000

/**
 * Finds the secrets in a command line.
 *
 * @returns the index of the first secret character for each argument with a secret. The secret extends to the end of
 * the argument
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
