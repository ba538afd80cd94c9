import { readFileSync } from 'node:fs'

/** A file of this repository's `vectors/`. */
export function readVectors<T>(path: string): T[] {
  const vectors = JSON.parse(readFileSync(new URL(`../../../vectors/${path}`, import.meta.url), 'utf8')) as T[]
  // A corpus that moved must not turn its tests into nothing.
  if (!Array.isArray(vectors) || vectors.length === 0) throw new Error(`no vectors in \`${path}\``)
  return vectors
}
