import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { generatePrivateKey } from '@sudoagent/crypto'
import { createNoteKey, encodeVkey } from '@sudoagent/crypto/note'
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
  // The holder of the key writes a different history after the same genesis entry.
  await writeLedger(box.path('forked.jsonl'), SAMPLE.slice(0, 1), key)
  copyFileSync(box.path('forked.jsonl'), box.path('past.jsonl'))
  for (const end of ['head', 'tree']) copyFileSync(box.path(`forked.jsonl.${end}`), box.path(`past.jsonl.${end}`))
  await writeLedger(box.path('past.jsonl'), SAMPLE.slice(1, 3), key)
  writeFileSync(box.path('past.kept'), box.run(['checkpoint', 'past.jsonl']).stdout)
  await writeLedger(box.path('forked.jsonl'), SAMPLE.slice(2), key)
  // An attacker without the key changes an entry, and the stored Merkle tree to match.
  copyFileSync(box.path('l.jsonl.head'), box.path('changed.jsonl.head'))
  const lines = readFileSync(box.path('l.jsonl'), 'utf8').split('\n')
  ;[lines[4], lines[5]] = [lines[5] ?? '', lines[4] ?? '']
  writeFileSync(box.path('changed.jsonl'), lines.join('\n'))
  const [origin = ''] = box.run(['checkpoint', 'l.sqlite']).stdout.split('\n')
  writeFileSync(box.path('log.vkey'), `${encodeVkey(createNoteKey(origin, key.publicKey))}\n`)
  await writeLedger(box.path('plain.sqlite'), SAMPLE)
})
afterAll(() => box.remove())

describe.each(['l.sqlite', 'l.jsonl'])('consistency of %s', (ledger) => {
  it('with a checkpoint that was kept: exit 0, in words, and the proof in a file', () => {
    const args = ['consistency', ledger, '--from', `${ledger}.kept`, '--public-key', 'key.pub.pem']
    const { code, stdout, stderr } = box.run([...args, '--output', `${ledger}.proof`])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^consistent: .* both checkpoints are signed by a given key\n/)
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
  ['of a fork', ['forked.jsonl', '--from', 'past.kept'], 1],
  ['of a ledger that does not lead to its own head', ['changed.jsonl', '--from', 'l.jsonl.kept'], 1],
  ['with no checkpoint', ['l.sqlite', '--from', 'key.pub.pem'], 1],
  ['with a file that is not there', ['l.sqlite', '--from', 'none'], 3],
  ['of a ledger that is not there', ['none.sqlite', '--from', 'l.sqlite.kept'], 3],
  ['with a proof over the ledger', ['l.sqlite', '--from', 'l.sqlite.kept', '--output', 'l.sqlite'], 2],
  ['without --from', ['l.sqlite'], 2],
])('consistency %s', (_, args, code) => {
  const ran = box.run(['consistency', ...args])
  expect(ran).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(/^sudoagent: error: [^\n]+\n/) })
})

it('says which of them it is when a fork is proven', () => {
  const { stderr } = box.run(['consistency', 'forked.jsonl', '--from', 'past.kept', '--public-key', 'key.pub.pem'])
  expect(stderr).toMatch(/\(INCONSISTENT\)\nsudoagent: hint: the ledger was rewritten/)
})

it('takes the checkpoint from a pipe and the key as a vkey, and hands out the proof alone with `--output -`', () => {
  const line = 'cat l.sqlite.kept | $S consistency l.sqlite --from - --public-key log.vkey --output -'
  expect(box.shell(line)).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^old 5\n/) })
})

it('says what was given for a checkpoint', () => {
  const { stderr } = box.run(['consistency', 'l.sqlite', '--from', 'key.pub.pem'])
  expect(stderr).toContain('hint: it is a key or a certificate in PEM')
})
