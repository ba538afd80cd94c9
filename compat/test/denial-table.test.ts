// `UPDATE_DOCS=1` writes the tables instead: `npx -y pnpm@10.34.9 docs:adapters`.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { denialTables } from './denial-table.js'

const page = fileURLToPath(new URL('../../docs/adapters.md', import.meta.url))
const BEGIN = '<!-- made by `pnpm docs:adapters` from what the tests saw: do not edit by hand -->'
const END = '<!-- end of what is made -->'

it('docs/adapters.md shows what the models were shown', async () => {
  const text = readFileSync(page, 'utf8')
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)]
  expect(begin).toBeGreaterThan(0)
  expect(end).toBeGreaterThan(begin)
  const made = `${text.slice(0, begin + BEGIN.length)}\n\n${await denialTables()}\n\n${text.slice(end)}`
  if (process.env.UPDATE_DOCS === '1') writeFileSync(page, made)
  else expect(text, 'run `npx -y pnpm@10.34.9 docs:adapters`').toBe(made)
})
