// Checks that the tables in docs/architecture.md list exactly the folders and files of each package.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { tableRows } from './docs/markdown.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const sections = readFileSync(join(root, 'docs/architecture.md'), 'utf8')
  .split(/^##+ /m)
  .flatMap((section) => {
    const [, home] = /^((?:packages|apps)\/[\w-]+)/.exec(section) ?? []
    return home === undefined ? [] : [[home, section] as const]
  })
const homes = ['packages', 'apps'].flatMap((folder) =>
  readdirSync(join(root, folder))
    .map((name) => `${folder}/${name}`)
    // The receipt page is a single page with its own build.
    .filter((home) => home !== 'apps/receipt-page'),
)

it('has a table for each package', () => {
  expect(sections.map(([home]) => home).sort()).toEqual(homes.sort())
})

it.each(sections)('names every room of %s, once', (home, section) => {
  const named = tableRows(section, 'module').flatMap(([cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  )
  const rooms = readdirSync(join(root, home, 'src'), { withFileTypes: true }).map((entry) =>
    entry.isDirectory() ? `${entry.name}/` : entry.name.replace(/\.ts$/, ''),
  )
  expect(named.sort()).toEqual(rooms.sort())
})
