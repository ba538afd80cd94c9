// Lists the files whose prose is checked and sampled, in sorted order.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

const SKIPPED = new Set(['node_modules', 'dist', 'vectors', 'demo-output', 'test-output'])

/** Paths from the root of the repository, with slashes: Markdown, TypeScript and JavaScript modules. */
export function proseFiles(folder = '') {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory()) return SKIPPED.has(entry.name) || entry.name.startsWith('.') ? [] : proseFiles(path)
      return /\.(?:md|ts|mts|mjs)$/.test(entry.name) ? [path] : []
    })
    .sort()
}
