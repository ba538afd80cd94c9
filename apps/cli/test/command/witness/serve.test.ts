// `witness serve` and `checkpoint cosign` against one another: real processes on the loopback.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, writeFileSync } from 'node:fs'
import { createNoteKey, encodeVkey, generatePrivateKey } from '@sudoagent/crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SAMPLE, writeLedger } from '../../support/ledger.js'
import { Sandbox } from '../../support/sandbox.js'

const key = generatePrivateKey()
let box: Sandbox
let running: ChildProcess[] = []

beforeEach(async () => {
  box = new Sandbox()
  running = []
  writeFileSync(box.path('key.pub.pem'), key.publicKey.pem)
  await writeLedger(box.path('l.sqlite'), SAMPLE.slice(0, 4), key)
  const [origin = ''] = box.run(['checkpoint', 'l.sqlite']).stdout.split('\n')
  writeFileSync(box.path('logs.txt'), `log ${encodeVkey(createNoteKey(origin, key.publicKey))}\nquorum none\n`)
})
afterEach(async () => {
  for (const child of running) if (child.exitCode === null) child.kill('SIGKILL')
  box.remove()
})

interface Running {
  readonly vkey: string
  readonly url: string
  readonly child: ChildProcess
}

/** Starts witness number `n` and waits until it listens. */
async function witness(n: number): Promise<Running> {
  const name = `w${n}.example.com`
  writeFileSync(box.path(`w${n}.pem`), generatePrivateKey().pem, { mode: 0o600 })
  const args = ['--key', `w${n}.pem`, '--name', name, '--policy', 'logs.txt', '--store', `w${n}.sqlite`]
  const child = box.start(['witness', 'serve', ...args])
  running.push(child)
  let said = ''
  for await (const chunk of child.stdout) {
    said += chunk
    const [, vkey, url] = /^vkey +(\S+)\nurl +(\S+)\n/.exec(said) ?? []
    if (vkey !== undefined && url !== undefined) return { vkey, url, child }
  }
  throw new Error(`the witness ended: ${said}`)
}

const cosign = (ledger: string, ...asked: readonly Running[]) =>
  box.run(['checkpoint', 'cosign', ledger, ...asked.flatMap(({ vkey, url }) => ['--witness', vkey, '--url', url])])

describe('witnesses', () => {
  it('two of three: cosigned, verified, and in the receipts', { timeout: 60_000 }, async () => {
    const [first, second] = [await witness(1), await witness(2)]
    const unreached = encodeVkey(createNoteKey('w3.example.com', generatePrivateKey().publicKey, 'cosignature'))
    writeFileSync(
      box.path('policy.txt'),
      `witness a ${first.vkey}\nwitness b ${second.vkey}\nwitness c ${unreached}\ngroup g 2 a b c\nquorum g\n`,
    )
    const verify = () =>
      box.run([
        'verify',
        'l.sqlite',
        '--public-key',
        'key.pub.pem',
        '--witness-policy',
        'policy.txt',
        '--require',
        'witnessed',
      ])
    expect(cosign('l.sqlite', first)).toMatchObject({ code: 0, stderr: '' })
    expect(verify()).toMatchObject({ code: 1, stderr: expect.stringContaining('WITNESS_QUORUM_MISSING') })
    const both = cosign('l.sqlite', first, second)
    expect(both).toMatchObject({ code: 0, stdout: expect.stringMatching(/— w1\.example\.com .*\n— w2\.example\.com /) })
    expect(verify()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^witnessed: /) })
    await writeLedger(box.path('l.sqlite'), SAMPLE.slice(4), key)
    expect(cosign('l.sqlite', first, second).code).toBe(0)
    expect(verify().stdout).toContain('witnesses   a, b saw 11 entries')
    first.child.kill('SIGTERM')
    expect(await once(first.child, 'exit')).toEqual([0, null])
  })

  it('cosign no fork, and say so; what cannot be reached is another matter', { timeout: 60_000 }, async () => {
    const one = await witness(1)
    copyFileSync(box.path('l.sqlite'), box.path('older.sqlite'))
    await writeLedger(box.path('l.sqlite'), SAMPLE.slice(4), key)
    expect(cosign('l.sqlite', one).code).toBe(0)
    expect(cosign('older.sqlite', one)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('WITNESS_AHEAD'),
    })
    await writeLedger(box.path('older.sqlite'), [...SAMPLE.slice(6), ...SAMPLE.slice(4)], key)
    expect(cosign('older.sqlite', one)).toMatchObject({ code: 1, stderr: expect.stringContaining('WITNESS_CONFLICT') })
    one.child.kill('SIGINT')
    expect(await once(one.child, 'exit')).toEqual([0, null])
    expect(cosign('l.sqlite', one)).toMatchObject({ code: 3, stderr: expect.stringContaining('WITNESS_UNREACHABLE') })
  })
})

describe('wrong usage', () => {
  it.each<[string, readonly string[], number]>([
    ['no witness', ['checkpoint', 'cosign', 'l.sqlite'], 2],
    ['a witness without URL', ['checkpoint', 'cosign', 'l.sqlite', '--witness', 'x'], 2],
    ['no vkey', ['checkpoint', 'cosign', 'l.sqlite', '--witness', 'x', '--url', 'http://127.0.0.1:1'], 2],
    ['no key file', ['witness', 'serve', '--key', 'none', '--name', 'n', '--policy', 'logs.txt', '--store', 's'], 3],
    [
      'a public key',
      ['witness', 'serve', '--key', 'key.pub.pem', '--name', 'n', '--policy', 'logs.txt', '--store', 's'],
      3,
    ],
    ['no policy', ['witness', 'serve', '--key', 'w.pem', '--name', 'n', '--policy', 'key.pub.pem', '--store', 's'], 3],
    [
      'a name that is none',
      ['witness', 'serve', '--key', 'w.pem', '--name', 'a b', '--policy', 'logs.txt', '--store', 's'],
      2,
    ],
    [
      'a port that is none',
      ['witness', 'serve', '--key', 'w.pem', '--name', 'n', '--policy', 'logs.txt', '--store', 's', '--port', 'x'],
      2,
    ],
  ])('%s', (_, args, code) => {
    writeFileSync(box.path('w.pem'), key.pem, { mode: 0o600 })
    expect(box.run(args)).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(/^sudoagent: [^\n]+\n/) })
  })
})
