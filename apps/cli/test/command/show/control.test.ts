// Tests `sudoagent show` on control entries other than questions.
import { readFileSync, writeFileSync } from 'node:fs'
import { createSigner, generatePrivateKey } from '@sudoagent/crypto'
import { indentJson } from '@sudoagent/crypto/json'
import { JsonlLedger } from '@sudoagent/ledger/jsonl'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeQuestions } from '../../support/question.js'
import { Sandbox } from '../../support/sandbox.js'

const box = new Sandbox()
const key = generatePrivateKey()
const added = generatePrivateKey()

beforeAll(async () => {
  await writeQuestions(box.path('l.jsonl'), key)
  const ledger = JsonlLedger.open(box.path('keys.jsonl'), { signer: createSigner(key), origin: 'example.com/agents' })
  await ledger.begin()
  await ledger.addKey(createSigner(added))
  await ledger.retireKey(added.publicKey.keyId)
  await ledger.seal()
  await ledger.close()
})
afterAll(() => box.remove())

const text = (ledger: string, position: number): string => {
  const { code, stdout, stderr } = box.run(['show', ledger, String(position), '--format', 'text'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

it('shows what a stop covers, and whether it is open', () => {
  expect(text('l.jsonl', 6)).toMatch(
    /^entry {10}6, recorded 2026-\S+\nkind {11}stop\ncovers {9}agent billing-\* bob\nreason {9}wrong prices\nby {13}bob\nstop id {8}\S+\nstate {10}ended by entry 7\n\nhashes\n {2}entry 6 {6}[0-9a-f]{64}\n {2}signatures {3}entry 6: key [0-9a-f]{16}\n$/,
  )
  const open = text('l.jsonl', 8)
  expect(open).toContain('state          open\n')
  expect(open).not.toContain('reason')
})

it('shows which stop a resume ends', () => {
  const shown = text('l.jsonl', 7)
  expect(shown).toContain('kind           resume\nreason         wrong prices\nby             bob\n')
  expect(shown).toContain('ends           the stop of entry 6\n')
})

it('shows the genesis, the keys and the end of a ledger', () => {
  const id = key.publicKey.keyId
  expect(text('keys.jsonl', 1)).toMatch(/kind {11}genesis, .*\norigin {9}example.com\/agents\nledger id {6}\S+\nsigned/)
  expect(text('keys.jsonl', 1)).toContain(`key            ${id}\nsoftware       @sudoagent/ledger `)
  expect(text('l.jsonl', 1)).toMatch(/\norigin {9}sudoagent\.dev\/ledger\/[0-9a-f]{32}\n/)
  expect(text('keys.jsonl', 2)).toContain(`key            ${added.publicKey.keyId}\nadded by       key ${id}\n`)
  expect(text('keys.jsonl', 3)).toContain(`kind           key_retired, the last entry that this key may sign\n`)
  expect(text('keys.jsonl', 4)).toContain('size           4 entries\n')
})

it('is one JSON object outside a terminal: the entry as stored, and the other end of a stop', () => {
  const lines = readFileSync(box.path('l.jsonl'), 'utf8').split('\n')
  const jsonOf = (position: string): string => box.run(['show', 'l.jsonl', position]).stdout
  expect(jsonOf('6')).toBe(`${indentJson(`{"position":6,"ended_at":7,"entry":${lines[5]}}`)}\n`)
  expect(jsonOf('7')).toBe(`${indentJson(`{"position":7,"stopped_at":6,"entry":${lines[6]}}`)}\n`)
  expect(JSON.parse(jsonOf('8'))).toMatchObject({ ended_at: null })
  expect(jsonOf('1')).toBe(`${indentJson(`{"position":1,"entry":${lines[0]}}`)}\n`)
})

describe('an entry that this version cannot explain', () => {
  /** Replaces the block of entry 6. Nothing is verified, so the hashes need not match. */
  const withBlock = (block: string): string => {
    const lines = readFileSync(box.path('l.jsonl'), 'utf8').split('\n')
    const changed = (lines[5] ?? '').replace(/"checkpoint":\{.*?\},"created_at"/, `"checkpoint":${block},"created_at"`)
    writeFileSync(box.path('changed.jsonl'), lines.with(5, changed).join('\n'))
    return text('changed.jsonl', 6)
  }

  it.each<[string, string, RegExp]>([
    [
      'of a later kind',
      '{"amount":1e+30,"kind":"grant"}',
      /kind {11}grant, a kind that .*\n\ncontent\n {2}\{\n {4}"amount": 1e\+30/,
    ],
    ['of a kind with hostile text', '{"kind":"gra\u202ent"}', /kind {11}gra\\u\{202e\}nt, a kind/],
    ['without a kind', '{"kind":7}', /kind {11}none\n\ncontent\n/],
    ['with a list in its place', '[1]', /kind {11}none\n\ncontent\n/],
    [
      'that is a stop of nothing',
      '{"kind":"stop"}',
      /kind {11}stop\n {15}the content does not have the form.*\n\ncontent\n/,
    ],
    ['that is a question without a call', '{"kind":"asked"}', /kind {11}asked\n {15}the content does not/],
    [
      'that is a resume of no stop, with a member of a later version',
      '{"by":"x","kind":"resume","more":[1],"reason":"","stop_id":"00000000-0000-4000-8000-000000000000"}',
      /ends {11}no stop before it has this id\n\nfurther members\n {2}\{\n {4}"more": \[/,
    ],
  ])('%s', (_, block, says) => expect(withBlock(block)).toMatch(says))
})

it.each([80, 40])('on a terminal of %i columns, no row is wider, and no value starts a row', (columns) => {
  for (const [ledger, position] of [
    ['l.jsonl', '1'],
    ['l.jsonl', '6'],
    ['l.jsonl', '8'],
    ['keys.jsonl', '2'],
    ['keys.jsonl', '3'],
  ] as const) {
    const screen = box.terminal(['show', ledger, position], columns).stdout.replaceAll(/\u001b\[\d*m/g, '')
    const rows = screen.split(/\r?\n/)
    for (const row of rows.slice(0, rows.indexOf('hashes'))) {
      expect(row.length).toBeLessThanOrEqual(columns)
      expect(row).toMatch(
        /^(?:$|entry|kind|covers|reason|by|stop id|state|origin|ledger id|signed|key|software|added by| )/,
      )
    }
  }
})
