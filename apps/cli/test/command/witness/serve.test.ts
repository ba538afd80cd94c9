// Tests a `witness serve` process: its output, the requests that it answers, and how it exits.
import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { generatePrivateKey } from '@sudoagent/crypto'
import { createNoteKey, encodeVkey } from '@sudoagent/crypto/note'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SAMPLE, writeLedger } from '../../support/ledger.js'
import { Sandbox } from '../../support/sandbox.js'
import { cosign, startWitness, writeLogs } from '../../support/witness.js'

const box = new Sandbox()
const key = generatePrivateKey()
const serve = (...options: readonly string[]) => ['witness', 'serve', ...options]
const REST = ['--policy', 'logs.txt', '--store', 's.sqlite']

beforeAll(async () => {
  writeFileSync(box.path('w.pem'), generatePrivateKey().pem, { mode: 0o600 })
  writeFileSync(box.path('log.pem'), key.pem, { mode: 0o600 })
  writeFileSync(box.path('key.pub.pem'), key.publicKey.pem)
  writeFileSync(box.path('no-logs.txt'), 'quorum none\n')
  writeFileSync(box.path('text.txt'), 'no store')
  await writeLedger(box.path('l.sqlite'), SAMPLE, key)
  writeLogs(box, 'l.sqlite', key)
})
afterAll(() => box.remove())

describe('a witness', () => {
  it('says its vkey and its URL, a line a request, and that its store is new: once', async () => {
    const first = await startWitness(box, 'w1')
    expect(first.vkey).toMatch(/^w1\.example\.com\+[0-9a-f]{8}\+/)
    expect(first.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(cosign(box, 'l.sqlite', [first]).code).toBe(0)
    const wrong = await fetch(`${first.url}/add-checkpoint`, { method: 'POST', body: 'old 0\n\n\u001b[2J\n1\n' })
    expect(wrong.status).toBe(400)
    first.child.kill('SIGTERM')
    expect(await once(first.child, 'exit')).toEqual([0, null])
    const lines = first.said().trimEnd().split('\n')
    expect(lines).toEqual([
      expect.stringMatching(/^sudoagent: note: `w1\.sqlite` is new/),
      expect.stringMatching(/^sudoagent: note: \S+Z 200 `sudoagent\.dev\/ledger\/\w+` from 0 to 11 cosigned$/),
      expect.stringMatching(/^sudoagent: note: \S+Z 400 no checkpoint refused: /),
    ])
    // The witness state is in `w1.sqlite`, and SQLite has checkpointed and removed the `-wal` file.
    expect(box.files().filter((name) => name.startsWith('w1.sqlite'))).toEqual(['w1.sqlite'])
    const again = await startWitness(box, 'w1')
    expect(again.said()).toBe('')
    again.child.kill('SIGINT')
    expect(await once(again.child, 'exit')).toEqual([0, null])
  })

  it('without a name has one of its key; elsewhere than on the loopback it says so', async () => {
    const { vkey, said } = await startWitness(box, 'w2', ['--host', '0.0.0.0'])
    expect(vkey).toMatch(/^sudoagent\.dev\/witness\/[0-9a-f]{16}\+[0-9a-f]{8}\+/)
    expect(said()).toContain('sudoagent: note: listening on `0.0.0.0`, which other machines can reach\n')
  })

  it('may have an encrypted key', async () => {
    const locked = generatePrivateKey()
    // Node derives the key with only 2,048 iterations, which keeps the test fast.
    const options = { format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'battery' } as const
    writeFileSync(box.path('w3.pem'), createPrivateKey(locked.pem).export(options), { mode: 0o600 })
    const { vkey } = await startWitness(box, 'w3', ['--name', 'w3'], { SUDOAGENT_KEY_PASSPHRASE: 'battery' })
    expect(vkey).toBe(encodeVkey(createNoteKey('w3', locked.publicKey, 'cosignature')))
    expect(box.run(serve('--key', 'w3.pem', ...REST))).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('hint: set SUDOAGENT_KEY_PASSPHRASE'),
    })
  })
})

describe('cannot be started: nothing on stdout, no store', () => {
  it.each<[string, readonly string[], number]>([
    ['no option', [], 2],
    ['no key file', ['--key', 'none', ...REST], 3],
    ['a public key', ['--key', 'key.pub.pem', ...REST], 3],
    ['the key of the log', ['--key', 'log.pem', ...REST], 2],
    ['no policy', ['--key', 'w.pem', '--policy', 'key.pub.pem', '--store', 's.sqlite'], 3],
    ['a policy without a log', ['--key', 'w.pem', '--policy', 'no-logs.txt', '--store', 's.sqlite'], 2],
    ['a name that is none', ['--key', 'w.pem', ...REST, '--name', 'a b'], 2],
    ['a port that is none', ['--key', 'w.pem', ...REST, '--port', '65536'], 2],
    ['a store without a name', ['--key', 'w.pem', '--policy', 'logs.txt', '--store', ''], 2],
    ['a store that is a ledger', ['--key', 'w.pem', '--policy', 'logs.txt', '--store', 'l.sqlite'], 3],
    ['a store that is a text', ['--key', 'w.pem', '--policy', 'logs.txt', '--store', 'text.txt'], 3],
  ])('%s', (_, options, code) => {
    const ran = box.run(serve(...options))
    expect(ran).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(/^sudoagent: error: [^\n]+\n/) })
    expect(ran.stderr).not.toContain('internal')
    expect(box.files()).not.toContain('s.sqlite')
  })

  it('a port that is taken: exit 3', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    const ran = box.run(serve('--key', 'w.pem', '--policy', 'logs.txt', '--store', 't.sqlite', '--port', `${port}`))
    other.close()
    expect(ran).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining('error: cannot listen on') })
  })
})
