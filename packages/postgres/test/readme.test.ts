// Runs the code of the README, and compares its output with the comments in the code.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { verify } from '@sudoagent/ledger'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../../ledger/test/fixtures/temporary.js'
import { openPostgresLedger } from '../src/ledger/reader.js'
import { newDatabase } from './server/shared.js'

const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
const examples = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code ?? '')

it('a call is guarded with everything on one server', async () => {
  expect(examples).toHaveLength(1)
  const database = await newDatabase()
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'node_modules/@sudoagent'), { recursive: true })
  for (const name of ['core', 'ledger', 'postgres'])
    symlinkSync(join(import.meta.dirname, '../..', name), join(folder, 'node_modules/@sudoagent', name))
  const code = (examples[0] ?? '')
    .replace('postgres://agent1@db.example.com/evidence', database)
    .replace(/^(.+?) \/\/ => .*$/gm, 'console.log($1)')
  writeFileSync(join(folder, 'code.mjs'), code)
  const { status, stdout, stderr } = spawnSync(process.execPath, ['code.mjs'], { cwd: folder, encoding: 'utf8' })
  expect([status, stderr, stdout]).toEqual([0, '', 'refunded 30\n'])
  const reader = await openPostgresLedger(`${database}?ledger=payments.prod`)
  expect(await verify(reader)).toMatchObject({ ok: true, entries: 3 })
  await reader.close()
})
