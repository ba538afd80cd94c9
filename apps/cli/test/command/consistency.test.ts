import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { generatePrivateKey } from '@sudoagent/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SAMPLE, writeLedger } from '../support/ledger.js'
import { Sandbox } from '../support/sandbox.js'

const box = new Sandbox()
const key = generatePrivateKey()
const ONE_ERROR = /^sudoagent: error: [^\n]+\nsudoagent: hint: [^\n]+\n$/

beforeAll(async () => {
  writeFileSync(box.path('key.pub.pem'), key.publicKey.pem)
  writeFileSync(box.path('other.pub.pem'), generatePrivateKey().publicKey.pem)
  for (const ledger of ['l.sqlite', 'l.jsonl']) {
    await writeLedger(box.path(ledger), SAMPLE.slice(0, 4), key)
    writeFileSync(box.path(`${ledger}.kept`), box.run(['checkpoint', ledger]).stdout)
    copyFileSync(box.path(ledger), box.path(`older-${ledger}`))
    await writeLedger(box.path(ledger), SAMPLE.slice(4), key)
  }
  copyFileSync(box.path('l.jsonl.kept'), box.path('older-l.jsonl.head'))
  await writeLedger(box.path('plain.sqlite'), SAMPLE)
})
afterAll(() => box.remove())

describe.each(['l.sqlite', 'l.jsonl'])('consistency of %s', (ledger) => {
  it('with a checkpoint that was kept: exit 0, in words, and the proof in a file', () => {
    const args = ['consistency', ledger, '--from', `${ledger}.kept`, '--public-key', 'key.pub.pem']
    const { code, stdout, stderr } = box.run([...args, '--output', `${ledger}.proof`])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^consistent: .* both signed by a key that you gave\n/)
    expect(stdout).toContain('from    5 entries')
    expect(stdout).toContain('to      11 entries')
    expect(readFileSync(box.path(`${ledger}.proof`), 'utf8')).toMatch(
      /^old 5\n(?:[A-Za-z0-9+/]{43}=\n)+\nsudoagent\.dev/,
    )
  })

  it('with a later checkpoint: the ledger was cut, or is an older copy: exit 1', () => {
    writeFileSync(box.path('later'), box.run(['checkpoint', ledger]).stdout)
    const { code, stdout, stderr } = box.run(['consistency', `older-${ledger}`, '--from', 'later'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(ONE_ERROR)
    expect(stderr).toContain('(TRUNCATED)')
  })
})

it.each<[string, readonly string[], number]>([
  ['of another log', ['l.jsonl', '--from', 'l.sqlite.kept'], 1],
  ['under another key', ['l.sqlite', '--from', 'l.sqlite.kept', '--public-key', 'other.pub.pem'], 1],
  ['of a ledger that nobody signs', ['plain.sqlite', '--from', 'l.sqlite.kept'], 1],
  ['with no checkpoint', ['l.sqlite', '--from', 'key.pub.pem'], 1],
  ['with a file that is not there', ['l.sqlite', '--from', 'none'], 3],
  ['of a ledger that is not there', ['none.sqlite', '--from', 'l.sqlite.kept'], 3],
  ['without --from', ['l.sqlite'], 2],
])('consistency %s', (_, args, code) => {
  const ran = box.run(['consistency', ...args])
  expect(ran).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(/^sudoagent: error: [^\n]+\n/) })
})
