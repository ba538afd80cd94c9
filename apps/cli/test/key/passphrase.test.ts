// Tests passphrases typed at a terminal: the terminal does not echo them, and its settings are restored.

import { createPrivateKey } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { generatePrivateKey, parsePrivateKey } from '@sudoagent/crypto'
import { describe, expect, it } from 'vitest'
import { hasTerminal, type Sandbox, sandbox, skipUnless } from '../support/sandbox.js'
import { typeInto } from '../support/typist.js'

const noTerminal = skipUnless(hasTerminal(), 'no pseudo-terminal: `script` of util-linux is missing')
const PASSPHRASE = 'bättery horse'
const key = generatePrivateKey()
const AFTER = '; echo "exit $?"; stty -a'
const SHOW = `$S key show k.pem${AFTER}`
const KEYGEN = `$S keygen --private-key k.pem --public-key p.pem --encrypt${AFTER}`
const QUESTION = 'passphrase of `k.pem`: '

function withKey(): Sandbox {
  const box = sandbox()
  // Node derives the key with only 2,048 iterations, which keeps the test fast.
  const options = { format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: PASSPHRASE } as const
  writeFileSync(box.path('k.pem'), createPrivateKey(key.pem).export(options), { mode: 0o600 })
  return box
}

function expectRestored(shown: string): void {
  const settings = shown.slice(shown.lastIndexOf('speed '))
  expect(settings).toMatch(/[ ;]icanon/)
  expect(settings).toMatch(/[ ;\n]echo /)
  expect(settings).toMatch(/[ ;\n]isig/)
}

describe.skipIf(noTerminal)('the passphrase of a key', () => {
  it('is asked for, and not shown', async () => {
    const shown = await typeInto(withKey(), SHOW, [{ sees: QUESTION, types: `${PASSPHRASE}\r` }])
    expect(shown).toMatch(new RegExp(`^${QUESTION}\nkey id {7}${key.publicKey.keyId}\n`))
    expect(shown).toContain('exit 0\n')
    expect(shown).not.toContain('horse')
    expectRestored(shown)
  })

  it.each([
    ['Backspace, over a character of two bytes', `bä\u007f\u007f${PASSPHRASE}e\u007f\r`],
    ['Ctrl-H', `x\b${PASSPHRASE}\r`],
    ['Backspace at the start', `\u007f\u007f${PASSPHRASE}\r`],
    ['Ctrl-U', `something else\u0015${PASSPHRASE}\r`],
    [
      'arrows, function keys and control characters, which do nothing',
      `\u001b[A\u001bOP\u001b[15~\u0001${PASSPHRASE}\r`,
    ],
    ['Ctrl-D in place of Enter', `${PASSPHRASE}\u0004`],
    ['a line feed', `${PASSPHRASE}\n`],
  ])('%s', async (_, types) => {
    const shown = await typeInto(withKey(), SHOW, [{ sees: QUESTION, types }])
    expect(shown).toContain(`key id       ${key.publicKey.keyId}`)
  })

  it('may be wrong, or nothing, or no UTF-8: exit 3', async () => {
    for (const [types, says] of [
      ['nope\r', '`k.pem`: the passphrase does not decrypt the private key'],
      ['\r', 'the passphrase is empty'],
      [Buffer.from([0xe4, 0x0d]), 'the input is not UTF-8'],
      ['x'.repeat(3_000), 'the passphrase is longer than 2048 characters'],
    ] as const) {
      const shown = await typeInto(withKey(), SHOW, [{ sees: QUESTION, types }])
      expect(shown).toContain(`sudoagent: error: ${says}\n`)
      expect(shown).toContain('exit 3\n')
      expect(shown).not.toContain('nope')
      expectRestored(shown)
    }
  })

  it('Ctrl-C: exit 130, nothing is said, and the terminal is as before', async () => {
    const shown = await typeInto(withKey(), SHOW, [{ sees: QUESTION, types: 'half\u0003' }])
    expect(shown).toMatch(new RegExp(`^${QUESTION}\nexit 130\n`))
    expectRestored(shown)
  })

  it.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGINT', 130],
  ] as const)('%s: exit %i, and the terminal is as before', async (signal, code) => {
    const box = withKey()
    const shown = await typeInto(box, `bash -c 'echo $$ >pid; exec '"$S key show k.pem"${AFTER}`, [
      { sees: QUESTION, types: () => process.kill(Number(readFileSync(box.path('pid'), 'utf8')), signal) },
    ])
    expect(shown).toContain(`exit ${code}\n`)
    expectRestored(shown)
  })

  it('is not asked for when the question would not be seen', async () => {
    const box = withKey()
    const shown = await typeInto(box, `$S key show k.pem 2>said.txt${AFTER}`, [])
    expect(shown).toContain('exit 3\n')
    expect(readFileSync(box.path('said.txt'), 'utf8')).toMatch(/no terminal.*\n.*SUDOAGENT_KEY_PASSPHRASE/)
  })

  it('is not asked for when it stands in the environment', async () => {
    const shown = await typeInto(withKey(), `SUDOAGENT_KEY_PASSPHRASE='${PASSPHRASE}' ${SHOW}`, [])
    expect(shown).toContain('exit 0\n')
    expect(shown).not.toContain(QUESTION)
  })
})

describe.skipIf(noTerminal)('the passphrase for a new key', () => {
  it('is asked for twice', async () => {
    const box = sandbox()
    const shown = await typeInto(box, KEYGEN, [
      { sees: 'passphrase for the new key: ', types: `${PASSPHRASE}\r` },
      { sees: 'repeat the passphrase: ', types: `${PASSPHRASE}\r` },
    ])
    expect(shown).toContain('exit 0\n')
    expect(shown).not.toContain('horse')
    expectRestored(shown)
    const pem = readFileSync(box.path('k.pem'), 'utf8')
    expect(shown).toContain(parsePrivateKey(pem, PASSPHRASE).publicKey.keyId)
  })

  it('may be pasted, both at once', async () => {
    const box = sandbox()
    const shown = await typeInto(box, KEYGEN, [{ sees: 'passphrase for the new key: ', types: 'abc\r\nabc\r\n' }])
    expect(shown).toContain('exit 0\n')
    expect(parsePrivateKey(readFileSync(box.path('k.pem'), 'utf8'), 'abc')).toBeDefined()
  })

  it.each([
    ['differ', ['a\r', 'b\r'], 'the two passphrases differ'],
    ['are empty', ['\r', '\r'], 'the passphrase is empty'],
  ])('exit 3 and no file when the two %s', async (_, [first = '', second = ''], says) => {
    const box = sandbox()
    const shown = await typeInto(box, KEYGEN, [
      { sees: 'passphrase for the new key: ', types: first },
      { sees: 'repeat the passphrase: ', types: second },
    ])
    expect(shown).toContain(`sudoagent: error: ${says}\n`)
    expect(shown).toContain('exit 3\n')
    expect(box.files()).toEqual([])
  })

  it('is not asked for when a file is in the way', async () => {
    const box = sandbox()
    writeFileSync(box.path('p.pem'), 'old')
    const shown = await typeInto(box, KEYGEN, [])
    expect(shown).toMatch(/^sudoagent: error: `p.pem` already exists\n/)
    expect(existsSync(box.path('k.pem'))).toBe(false)
  })
})
