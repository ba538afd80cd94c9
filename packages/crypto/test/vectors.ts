import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A file of this repository's `vectors/`. */
export function readVectors<T>(path: string): T[] {
  const vectors = JSON.parse(readFileSync(new URL(`../../../vectors/${path}`, import.meta.url), 'utf8')) as T[]
  // A corpus that moved must not turn its tests into nothing.
  if (!Array.isArray(vectors) || vectors.length === 0) throw new Error(`no vectors in \`${path}\``)
  return vectors
}

/**
 * Where a folder of vectors from elsewhere stands, beside the repository (`../shared/vectors`), or null, with a notice,
 * when it does not.
 */
export function sharedVectors(folder: string): string | null {
  const path = fileURLToPath(new URL(`../../../../shared/vectors/${folder}/`, import.meta.url))
  if (existsSync(path)) return path
  console.info(`skipped: no vectors at ../shared/vectors/${folder}`)
  return null
}
