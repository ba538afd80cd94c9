// Tests `checkpoint cosign` against real witnesses on the loopback interface, and against servers that imitate a
// witness.
import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { generatePrivateKey } from '@sudoagent/crypto'
import { createNoteKey, encodeVkey } from '@sudoagent/crypto/note'
import { describe, expect, it, onTestFinished } from 'vitest'
import { requestIdOf } from '../../support/draft.js'
import { SAMPLE, writeLedger } from '../../support/ledger.js'
import { type Sandbox, sandbox } from '../../support/sandbox.js'
import { cosign, type RunningWitness, startWitness, writeLogs } from '../../support/witness.js'

const key = generatePrivateKey()
const NOBODY = {
  vkey: encodeVkey(createNoteKey('w3.example.com', generatePrivateKey().publicKey, 'cosignature')),
  // No server listens on this port, and `fetch` refuses to connect to it.
  url: 'http://127.0.0.1:9',
}
const ONE_ERROR = /^sudoagent: error: [^\n]+\nsudoagent: hint: [^\n]+\n$/

async function boxWith(ledger: string): Promise<Sandbox> {
  const box = sandbox()
  writeFileSync(box.path('key.pub.pem'), key.publicKey.pem)
  await writeLedger(box.path(ledger), SAMPLE.slice(0, 4), key)
  writeLogs(box, ledger, key)
  return box
}

/** Writes a policy that requires two of these three witnesses. */
function writePolicy(box: Sandbox, witnesses: readonly Pick<RunningWitness, 'vkey' | 'url'>[]): void {
  const lines = witnesses.map(({ vkey, url }, n) => `witness w${n + 1} ${vkey} ${url}\n`)
  writeFileSync(box.path('policy.txt'), `${lines.join('')}group g 2 w1 w2 w3\nquorum g\n`)
}

const verify = (box: Sandbox, ledger: string) =>
  box.run(['verify', ledger, '--public-key', 'key.pub.pem', '--witness-policy', 'policy.txt', '--require', 'witnessed'])

describe.each(['l.sqlite', 'l.jsonl'])('witnesses of %s', (ledger) => {
  it('sign one after another; what they signed is kept, verified, and in receipts', async () => {
    const box = await boxWith(ledger)
    const [first, second] = [await startWitness(box, 'w1'), await startWitness(box, 'w2')]
    writePolicy(box, [first, second, NOBODY])
    const one = cosign(box, ledger, [first])
    expect(one).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/\n— w1\.example\.com \S+\n$/) })
    expect(verify(box, ledger)).toMatchObject({ code: 1, stderr: expect.stringContaining('WITNESS_QUORUM_MISSING') })
    // A later command asks only the second witness.
    const both = cosign(box, ledger, [second])
    expect(both).toMatchObject({ code: 0, stdout: expect.stringMatching(/— w1\.example\.com .*\n— w2\.example\.com /) })
    expect(verify(box, ledger)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^witnessed: /) })
    // A new cosignature replaces the previous one from the same witness.
    expect(cosign(box, ledger, [first]).stdout.match(/— w1/g)).toHaveLength(1)
    // The ledger grows, and the command asks every witness in the policy. Two of the three witnesses cosign, which
    // meets the quorum. The exit code reports that the third witness is unreachable.
    await writeLedger(box.path(ledger), SAMPLE.slice(4), key)
    const asked = box.run(['checkpoint', 'cosign', ledger, '--witness-policy', 'policy.txt', '--output', 'cosigned'])
    expect(asked).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringMatching(/w3\.example\.com.*_UNREACHABLE/),
    })
    expect(readFileSync(box.path('cosigned'), 'utf8')).toMatch(/\n11\n[\s\S]*— w1[\s\S]*— w2/)
    expect(verify(box, ledger).stdout).toContain('witnesses   w1, w2 saw 11 entries')
    const check = ['checkpoint', 'verify', 'cosigned', '--public-key', 'key.pub.pem', '--witness-policy', 'policy.txt']
    expect(box.run(check)).toMatchObject({ code: 0, stdout: expect.stringContaining('witness    w2.example.com at ') })
    box.run(['receipt', ledger, '--request-id', requestIdOf(1), '--output', 'r.json'])
    const trust = ['--public-key', 'key.pub.pem', '--witness-policy', 'policy.txt']
    expect(box.run(['receipt', 'verify', 'r.json', ...trust])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^witnessed: /),
    })
  })

  it('sign no older copy and no fork: exit 1, said plainly, also when another cannot be reached', async () => {
    const box = await boxWith(ledger)
    const one = await startWitness(box, 'w1')
    for (const end of ['', '.head', '.tree'])
      if (existsSync(box.path(`${ledger}${end}`)))
        copyFileSync(box.path(`${ledger}${end}`), box.path(`old-${ledger}${end}`))
    await writeLedger(box.path(ledger), SAMPLE.slice(4), key)
    expect(cosign(box, ledger, [one]).code).toBe(0)
    const behind = cosign(box, `old-${ledger}`, [NOBODY, one])
    expect(behind).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/WITNESS_AHEAD\)\n.*forked/) })
    await writeLedger(box.path(`old-${ledger}`), [...SAMPLE.slice(6), ...SAMPLE.slice(4)], key)
    const forked = cosign(box, `old-${ledger}`, [one])
    expect(forked).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/WITNESS_CONFLICT\)\n.*forked/) })
    expect(box.run(['inspect', `old-${ledger}`]).stdout).toContain('cosigned    none')
  })
})

describe('what is no witness', () => {
  /** Starts a server that runs this code for each request, and returns its URL. */
  async function serverThat(does: string): Promise<string> {
    const program = `const s=require('http').createServer((q,r)=>{${does}}).listen(0,'127.0.0.1',()=>console.log(s.address().port))`
    const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    const [port] = await child.stdout.setEncoding('utf8').take(1).toArray()
    return `http://127.0.0.1:${String(port).trim()}`
  }

  it.each<[string, string, number, RegExp]>([
    ['signs with another key', `r.end('— w3.example.com AAAA${'A'.repeat(92)}\\n')`, 1, /WITNESS_ANSWER_INVALID/],
    ['says no', `r.statusCode=404;r.end('\\u001b[2Jno\\n')`, 1, /answered 404: `\\u\{1b\}\[2Jno`.*WITNESS_REFUSED/],
    ['leads elsewhere', `r.writeHead(302,{Location:'http://127.0.0.1:1/'});r.end()`, 1, /redirect/],
    ['never answers', '', 3, /WITNESS_UNREACHABLE/],
    ['hangs up', 'q.socket.destroy()', 3, /WITNESS_UNREACHABLE/],
  ])('and %s', async (_, does, code, says) => {
    const box = await boxWith('l.sqlite')
    const ran = cosign(box, 'l.sqlite', [{ ...NOBODY, url: await serverThat(does) }], ['--timeout-ms', '1000'])
    expect(ran).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(says) })
    expect(ran.stderr).toMatch(ONE_ERROR)
    expect(box.run(['inspect', 'l.sqlite']).stdout).toContain('cosigned    none')
  })
})

describe('cannot be asked for', () => {
  it.each<[string, readonly string[], number]>([
    ['without a witness', ['l.sqlite'], 2],
    ['of a witness without URL', ['l.sqlite', '--witness', NOBODY.vkey], 2],
    ['of a URL without witness', ['l.sqlite', '--url', NOBODY.url], 2],
    ['of what is no vkey', ['l.sqlite', '--witness', 'x', '--url', NOBODY.url], 2],
    [
      'of the log itself',
      ['l.sqlite', '--witness', encodeVkey(createNoteKey('l', key.publicKey)), '--url', NOBODY.url],
      2,
    ],
    ['with a policy whose witnesses have no URL', ['l.sqlite', '--witness-policy', 'logs.txt'], 2],
    ['with no policy', ['l.sqlite', '--witness-policy', 'none'], 3],
    ['without time', ['l.sqlite', '--witness', NOBODY.vkey, '--url', NOBODY.url, '--timeout-ms', '0'], 2],
    ['of an address that is none', ['l.sqlite', '--witness', NOBODY.vkey, '--url', 'w3.example.com'], 3],
    ['for a ledger that nobody signs', ['plain.jsonl', '--witness', NOBODY.vkey, '--url', NOBODY.url], 1],
    ['for a ledger that is not there', ['none.sqlite', '--witness', NOBODY.vkey, '--url', NOBODY.url], 3],
  ])('%s', async (_, args, code) => {
    const box = await boxWith('l.sqlite')
    await writeLedger(box.path('plain.jsonl'), SAMPLE)
    expect(box.run(['checkpoint', 'cosign', ...args])).toMatchObject({
      code,
      stdout: '',
      stderr: expect.stringMatching(ONE_ERROR),
    })
  })
})
