import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

test('nothing but types is imported from node, so that browsers can load every file', () => {
  const folder = new URL('../src/', import.meta.url)
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  expect(files.length).toBeGreaterThan(50)
  for (const file of files) {
    const imports = readFileSync(new URL(file, folder), 'utf8').match(/^.* from 'node:.*$/gm) ?? []
    for (const line of imports) expect(line).toMatch(/^import type /)
  }
})
