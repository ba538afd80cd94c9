/**
 * Secrets in command lines that are lists of strings, such as `['curl', '-u', 'bob:secret']`. They are read as one
 * shell command.
 */
import type { Span } from './masked-text.js'

/** A longer list is not a command line. */
const ARGUMENTS_MAX = 1_000

/**
 * Finds the secrets of a command line.
 *
 * @returns for each argument with a secret, the index of its first secret character; the secret extends to the end
 *   of the argument
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
