import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as api from '../src/index.js'
import * as sqlite from '../src/sqlite.js'

test('README.md describes every value', () => {
  const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
  for (const name of [...Object.keys(api), ...Object.keys(sqlite)]) expect(readme).toContain(`\`${name}`)
})
