// Runs the code of the README, and compares its output with the comments in the code.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeVkey } from '@sudoagent/crypto/note'
import { expect, test } from 'vitest'
import { TestLog } from './fixtures/log.js'
import { temporaryFolder } from './fixtures/temporary.js'

const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
const examples = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code ?? '')

/** Runs code in a folder from which it can import the packages, and prints each `expression // => text`. */
function run(code: string): string[] {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'node_modules/@sudoagent'), { recursive: true })
  for (const name of ['crypto', 'witness']) {
    symlinkSync(join(import.meta.dirname, '../..', name), join(folder, 'node_modules/@sudoagent', name))
  }
  writeFileSync(join(folder, 'code.mjs'), code.replace(/^(.+?) \/\/ => .*$/gm, 'console.log($1)'))
  const { status, stdout, stderr } = spawnSync(process.execPath, ['code.mjs'], { cwd: folder, encoding: 'utf8' })
  expect([status, stderr]).toEqual([0, ''])
  return stdout.split('\n')
}

test('every example is tested', () => {
  expect(examples).toHaveLength(2)
})

test('a witness runs', () => {
  const [code = ''] = examples
  expect(code).toContain(`'${encodeVkey(new TestLog().key)}'`)
  const [url, vkey] = run(code)
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  expect(vkey).toMatch(/^witness\.example\/w1\+[0-9a-f]{8}\+B[A-Za-z0-9+/]{43}$/)
})

test('a checkpoint is cosigned', () => {
  expect(run(examples[1] ?? '')).toEqual(['7', ''])
})
