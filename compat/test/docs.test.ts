// Executes the pages about the adapters, because only `compat/` has the frameworks. `test/docs.test.ts` executes the
// other pages with the same code.
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { pagesBelow } from '../../test/docs/markdown.js'
import { makeReaderFolder, type ReaderFolder } from '../../test/docs/reader-folder.js'
import { NEED_FRAMEWORKS, programsOf, runPage } from '../../test/docs/run-page.js'
import { typeErrors } from '../../test/docs/type-check.js'

const root = join(import.meta.dirname, '../..')
const pages = pagesBelow(root).filter(({ path }) => NEED_FRAMEWORKS.includes(path))

let reader: ReaderFolder
beforeAll(async () => {
  reader = await makeReaderFolder(root, join(import.meta.dirname, '../node_modules'))
})
afterAll(() => reader.remove())

it('code compiles, strictly, against the real frameworks', () => {
  expect(pages.map(({ path }) => path).sort()).toEqual([...NEED_FRAMEWORKS].sort())
  const sources = programsOf(pages)
  expect(sources.length).toBeGreaterThanOrEqual(9)
  expect(typeErrors(root, reader.page('types'), sources)).toEqual([])
})

it.each(pages)('$path runs, and prints what the page says', (page) => runPage(page, reader))
