// Tests `key rotate`, `key retire` and `key close`, which change the keys of a ledger and record each change in the
// ledger.
import { readFileSync, writeFileSync } from 'node:fs'
import { generatePrivateKey } from '@sudoagent/crypto'
import { describe, expect, it } from 'vitest'
import { SAMPLE, writeLedger } from '../../support/ledger.js'
import { type Sandbox, sandbox } from '../../support/sandbox.js'

const [old, next, stranger] = [generatePrivateKey(), generatePrivateKey(), generatePrivateKey()]
const ONE_ERROR = /^sudoagent: error: [^\n]+\nsudoagent: hint: [^\n]+\n$/

async function boxWith(ledger: string): Promise<Sandbox> {
  const box = sandbox()
  for (const [name, key] of Object.entries({ old, next, stranger })) {
    writeFileSync(box.path(`${name}.pem`), key.pem, { mode: 0o600 })
    writeFileSync(box.path(`${name}.pub.pem`), key.publicKey.pem)
  }
  await writeLedger(box.path(ledger), SAMPLE.slice(0, 2), old)
  return box
}

describe.each(['l.sqlite', 'l.jsonl'])('the keys of %s', (ledger) => {
  it('are changed by a key of the ledger, and whoever holds the first one can follow', async () => {
    const box = await boxWith(ledger)
    const rotate = box.run(['key', 'rotate', ledger, '--private-key', 'old.pem', '--new-private-key', 'next.pem'])
    expect(rotate).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`key ${next.publicKey.keyId} was added by key`),
    })
    const retire = ['key', 'retire', ledger, '--key-id', old.publicKey.keyId, '--private-key']
    expect(box.run([...retire, 'next.pem'])).toMatchObject({ code: 0, stderr: '' })
    await writeLedger(box.path(ledger), SAMPLE.slice(2), next)
    expect(box.run(['verify', ledger, '--public-key', 'old.pub.pem'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^signed: [\s\S]*\nretired +key /),
    })
    // The retired key can no longer sign, and it cannot be retired again.
    expect(box.run([...retire, 'old.pem'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(ONE_ERROR),
    })
    expect(box.run([...retire, 'next.pem'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(ONE_ERROR),
    })
  })

  it('are not changed by a stranger, and the last one stays', async () => {
    const box = await boxWith(ledger)
    const run = (...args: readonly string[]) => box.run(['key', ...args])
    expect(run('rotate', ledger, '--private-key', 'stranger.pem', '--new-private-key', 'next.pem')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(ONE_ERROR),
    })
    expect(run('retire', ledger, '--key-id', old.publicKey.keyId, '--private-key', 'old.pem').code).toBe(1)
    expect(run('retire', ledger, '--key-id', 'nonsense', '--private-key', 'old.pem').code).toBe(2)
    expect(run('rotate', ledger, '--private-key', 'old.pub.pem', '--new-private-key', 'next.pem').code).toBe(3)
    expect(run('rotate', 'none.sqlite', '--private-key', 'old.pem', '--new-private-key', 'next.pem').code).toBe(3)
    expect(box.files()).not.toContain('none.sqlite')
    expect(box.run(['verify', ledger, '--public-key', 'old.pub.pem']).code).toBe(0)
  })

  it('end with the ledger, when that is meant', async () => {
    const box = await boxWith(ledger)
    const close = ['key', 'close', ledger, '--private-key', 'old.pem']
    expect(box.run(close)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(ONE_ERROR) })
    expect(box.run([...close, '--yes'])).toMatchObject({
      code: 0,
      stdout: 'closed: entry 4 is the last entry of the ledger\n',
    })
    expect(box.run([...close, '--yes'])).toMatchObject({ code: 1, stderr: expect.stringMatching(ONE_ERROR) })
    expect(box.run(['verify', ledger, '--public-key', 'old.pub.pem'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('; closed'),
    })
  })
})

it.each(['empty.sqlite', 'empty.jsonl'])(
  'an empty file, %s, is no ledger whose keys could change, and stays empty',
  async (name) => {
    const box = await boxWith('l.jsonl')
    writeFileSync(box.path(name), '')
    for (const args of [
      ['close', name, '--private-key', 'old.pem', '--yes'],
      ['retire', name, '--key-id', old.publicKey.keyId, '--private-key', 'old.pem'],
      ['rotate', name, '--private-key', 'old.pem', '--new-private-key', 'next.pem'],
    ]) {
      const { code, stderr } = box.run(['key', ...args])
      expect(code).toBeGreaterThan(0)
      expect(stderr).toContain('the ledger has no entries yet')
    }
    expect(readFileSync(box.path(name), 'utf8')).toBe('')
  },
)
