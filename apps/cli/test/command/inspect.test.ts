import { writeFileSync } from 'node:fs'
import { generatePrivateKey } from '@sudoagent/crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { requestIdOf } from '../support/draft.js'
import { SAMPLE, writeLedger } from '../support/ledger.js'
import { Sandbox } from '../support/sandbox.js'

const box = new Sandbox()
const key = generatePrivateKey()

beforeAll(async () => {
  await writeLedger(box.path('l.sqlite'), SAMPLE, key)
  await writeLedger(box.path('l.jsonl'), SAMPLE)
  writeFileSync(box.path('text.txt'), 'no ledger')
})
afterAll(() => box.remove())

it('says what a signed ledger says of itself, and that nothing was verified', () => {
  const { code, stdout, stderr } = box.run(['inspect', 'l.sqlite'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  for (const says of [
    'entries     11 (6 decisions, 4 outcomes, 1 open)',
    `key         ${key.publicKey.keyId}, since entry 1`,
    `head        of 11 entries, root `,
    'cosigned    none',
    `open        ${requestIdOf(5)}, decided at entry 9`,
    'file        l.sqlite, ',
    'Nothing of this was verified.',
  ])
    expect(stdout).toContain(says)
})

it('says the same as JSON, of an unsigned ledger in text too', () => {
  const of = JSON.parse(box.run(['inspect', 'l.jsonl', '--json']).stdout)
  expect(of).toMatchObject({
    kind: 'jsonl',
    entries: 11,
    open: 1,
    keys: [],
    genesis: { entries_signed: false },
    head: { size: 11, signatures: [] },
    cosigned: null,
    closed_at: null,
    shards: [{ path: 'l.jsonl', entries: 11 }],
  })
  expect(of.files.map(({ path }: { path: string }) => path)).toEqual([
    'l.jsonl',
    'l.jsonl.lock',
    'l.jsonl.head',
    'l.jsonl.tree',
  ])
})

it.each<[string, number]>([
  ['none.sqlite', 3],
  ['text.txt', 3],
  ['.', 3],
])('%s: exit %i', (name, code) => {
  expect(box.run(['inspect', name])).toMatchObject({
    code,
    stdout: '',
    stderr: expect.stringMatching(/^sudoagent: error: /),
  })
})
