import { readFileSync, writeFileSync } from 'node:fs'
import { generatePrivateKey } from '@sudoagent/crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { requestIdOf } from '../support/draft.js'
import { SAMPLE, writeLedger } from '../support/ledger.js'
import { writeQuestions } from '../support/question.js'
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
    'None of this was verified.',
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

it('counts open stops and questions, and lists the open ones', async () => {
  await writeQuestions(box.path('asked.sqlite'))
  const { stdout } = box.run(['inspect', 'asked.sqlite'])
  expect(stdout).toContain('stops       1 open\nquestions   1 open, 1 expired without a decision\n')
  expect(stdout).toContain(
    `asked       ${requestIdOf(4)}, by support-bot at entry 10, until 2026-11-29T20:10:00.000000Z\n`,
  )
  expect(JSON.parse(box.run(['inspect', 'asked.sqlite', '--json']).stdout)).toMatchObject({
    stops: [{ position: 8 }],
    questions: { open: 1, expired: 1 },
    open_questions: [{ position: 10, request_id: requestIdOf(4) }],
  })
  expect(box.run(['inspect', 'l.sqlite']).stdout).not.toMatch(/^(?:stops|questions|asked)/m)
})

it.each([
  [
    'a receipt',
    (box: Sandbox) => box.run(['receipt', 'l.sqlite', '--request-id', requestIdOf(1)]).stdout,
    /it is a receipt/,
  ],
  ['a report in JSON', (box: Sandbox) => box.run(['verify', 'l.sqlite', '--json']).stdout, /it is JSON/],
  ['one line that is no entry', () => '{"a":1}\n', /it is JSON/],
])('%s has no entry that can be read: exit 3', (_, text, says) => {
  writeFileSync(box.path('other.json'), text(box))
  const { code, stdout, stderr } = box.run(['inspect', 'other.json'])
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
  expect(stderr).toMatch(/^sudoagent: error: `other.json` has no readable entries\nsudoagent: hint: [^\n]+\n$/)
  expect(stderr).toMatch(says)
})

it('a ledger with an entry that cannot be read is shown, and exits with 3', () => {
  const lines = readFileSync(box.path('l.jsonl'), 'utf8').split('\n')
  writeFileSync(box.path('hurt.jsonl'), lines.with(3, '{').join('\n'))
  const { code, stdout, stderr } = box.run(['inspect', 'hurt.jsonl'])
  expect([code, stdout]).toEqual([3, expect.stringContaining('unreadable  1 entries')])
  expect(stderr).toMatch(/^sudoagent: error: 1 entry cannot be read, /)
  expect(box.run(['inspect', 'hurt.jsonl', '--json']).code).toBe(3)
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
