import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as bytes from '../src/bytes.js'
import * as entry from '../src/entry.js'
import * as main from '../src/index.js'
import * as json from '../src/json.js'
import * as note from '../src/note.js'
import * as receipt from '../src/receipt.js'
import * as text from '../src/text.js'
import * as tree from '../src/tree.js'

const api = { ...main, ...bytes, ...entry, ...json, ...note, ...receipt, ...text, ...tree }

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

const IMPORT = /import \{([^}]*)\} from '@sudoagent\/crypto(?:\/\w+)?'/g

// No global variable refers to the constructor of async functions.
const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as FunctionConstructor

const examples = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code ?? '')

test('every example is tested', () => {
  expect(examples).toHaveLength(2)
})

test.each(examples)('the example does what its comments say (%#)', async (block) => {
  const names = [...block.matchAll(IMPORT)]
    .flatMap(([, list = '']) => list.split(','))
    .filter((name) => name.trim() !== '')
  // Each `expression // => text` becomes a pair of the actual and the documented value.
  const body = block
    .replace(IMPORT, '')
    .replace(/^(.+?) \/\/ => (.*)$/gm, (_, expression, text) => `pairs.push([${expression}, ${JSON.stringify(text)}])`)
  const pairs: [unknown, string][] = []
  await new AsyncFunction('pairs', `{ ${names} }`, body)(pairs, api)
  expect(pairs).toHaveLength(block.split(' // => ').length - 1)
  expect(pairs.length).toBeGreaterThan(1)
  for (const [actual, said] of pairs) expect(String(actual)).toBe(said)
})

test('every export is described', () => {
  for (const name of Object.keys(api)) expect(readme).toContain(`\`${name}`)
})
