import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { chmodSync, truncateSync, writeFileSync } from 'node:fs'
import { generatePrivateKey } from '@sudoagent/crypto'
import { createNoteKey, encodeVkey, parseVkey } from '@sudoagent/crypto/note'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasProgram, Sandbox, skipUnless } from '../../support/sandbox.js'

const box = new Sandbox()
const key = generatePrivateKey()
const { keyId, pem } = key.publicKey
const PASSPHRASE = 'bättery horse'
const env = { SUDOAGENT_KEY_PASSPHRASE: PASSPHRASE }
const spki = createPublicKey(pem).export({ format: 'der', type: 'spki' })
const fingerprint = `SHA256:${createHash('sha256').update(spki).digest('base64').slice(0, 43)}`
const TEXT = `key id       ${keyId}\nfingerprint  ${fingerprint}\n\n${pem}`
const log = encodeVkey(createNoteKey('example.com/ledger', key.publicKey))
const witness = encodeVkey(createNoteKey('w.example.com', key.publicKey, 'cosignature'))

beforeAll(() => {
  // Node derives the key with only 2,048 iterations, which keeps the test fast.
  const options = { format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: PASSPHRASE } as const
  const encrypted = createPrivateKey(key.pem).export(options)
  writeFileSync(box.path('encrypted.pem'), encrypted, { mode: 0o600 })
  writeFileSync(box.path('private.pem'), key.pem, { mode: 0o600 })
  writeFileSync(box.path('public.pem'), pem)
  writeFileSync(box.path('log.vkey'), `${log}\n`)
  writeFileSync(box.path('witness.vkey'), witness)
})
afterAll(() => box.remove())

/** Expects that the text contains no private part of a key. */
function expectNoSecret(text: string): void {
  const seed = createPrivateKey(key.pem).export({ format: 'jwk' }).d ?? 'no seed'
  for (const secret of ['PRIVATE KEY-', key.pem.split('\n')[1] ?? 'no line', seed, 'horse']) {
    expect(text).not.toContain(secret)
  }
}

describe('prints what is public', () => {
  it.each(['public.pem', 'private.pem', 'encrypted.pem'])('%s', (file) => {
    const { code, stdout, stderr } = box.run(['key', 'show', file], { env })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe(TEXT)
    expectNoSecret(stdout)
  })

  it('the vkeys of a log and a witness', () => {
    const args = ['--origin', 'example.com/ledger', '--witness', 'w.example.com']
    expect(box.run(['key', 'show', 'private.pem', ...args]).stdout).toBe(
      `key id        ${keyId}\nfingerprint   ${fingerprint}\nlog vkey      ${log}\nwitness vkey  ${witness}\n\n${pem}`,
    )
    expect(box.run(['key', 'show', 'public.pem', '--witness', 'w.example.com']).stdout).not.toContain('log vkey')
  })

  it('a vkey: that of the file first, then others', () => {
    expect(box.run(['key', 'show', 'log.vkey']).stdout).toContain(`log vkey     ${log}\n`)
    const { stdout } = box.run(['key', 'show', 'witness.vkey', '--witness', 'other.example.com'])
    expect([...stdout.matchAll(/^witness vkey {2}(\S+)$/gm)].map(([, vkey = '']) => parseVkey(vkey).name)).toEqual([
      'w.example.com',
      'other.example.com',
    ])
  })

  it('--json', () => {
    const { code, stdout } = box.run(['key', 'show', 'encrypted.pem', '--json', '--origin', 'példa.hu/napló'], { env })
    expect(code).toBe(0)
    expectNoSecret(stdout)
    const named = createNoteKey('példa.hu/napló', key.publicKey)
    const vkey = encodeVkey(named)
    expect(JSON.parse(stdout)).toEqual({
      key_id: keyId,
      fingerprint,
      public_key_pem: pem,
      vkeys: [{ type: 'ed25519', name: 'példa.hu/napló', key_hash: named.keyHash, vkey }],
    })
    writeFileSync(box.path('napló.vkey'), `\n ${vkey}\n`)
    expect(JSON.parse(box.run(['key', 'show', 'napló.vkey', '--json']).stdout).vkeys[0].vkey).toBe(vkey)
  })

  it('from a pipe', () => {
    const line = 'cat private.pem | $S key show /dev/stdin && $S key show <(cat encrypted.pem)'
    const { code, stdout, stderr } = box.shell(line, { env })
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: TEXT + TEXT, stderr: '' })
  })

  const noOpenssl = skipUnless(hasProgram('openssl'), 'openssl is missing')
  it.skipIf(noOpenssl)('of what OpenSSL made; the help says what the fingerprint is', () => {
    const { stdout } = box.shell(
      'openssl genpkey -algorithm ed25519 | openssl pkcs8 -topk8 -passout env:SUDOAGENT_KEY_PASSPHRASE >o.pem; chmod 600 o.pem; ' +
        'openssl pkey -in o.pem -passin env:SUDOAGENT_KEY_PASSPHRASE -pubout -outform DER | openssl dgst -sha256 -binary | base64; $S key show o.pem',
      { env },
    )
    const [hash = '', ...shown] = stdout.split('\n')
    expect(shown[1]).toBe(`fingerprint  SHA256:${hash.replace('=', '')}`)
    expect(shown[0]).toBe(`key id       ${Buffer.from(hash, 'base64').toString('hex').slice(0, 16)}`)
  })
})

describe('a private key that others can read', () => {
  it.each([
    [0o644, true],
    [0o640, true],
    [0o604, true],
    [0o600, false],
    [0o400, false],
  ])('mode %o: a note is %s', (mode, isSaid) => {
    for (const name of ['private.pem', 'encrypted.pem']) {
      chmodSync(box.path(name), mode)
      const { code, stderr } = box.run(['key', 'show', name], { env })
      chmodSync(box.path(name), 0o600)
      expect(code).toBe(0)
      if (!isSaid) expect(stderr).toBe('')
      else expect(stderr).toMatch(new RegExp(`^sudoagent: note: .*\`${name}\` \\(mode 0${mode.toString(8)}\\).*\\n$`))
    }
  })

  it('of a public key there is none', () => {
    chmodSync(box.path('public.pem'), 0o644)
    expect(box.run(['key', 'show', 'public.pem']).stderr).toBe('')
  })
})

describe('what is no key of ours: exit 3, one error and one hint', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const locked = rsa.privateKey.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: PASSPHRASE })
  it.each<[string, string | Buffer | null, RegExp]>([
    ['missing', null, /key `k` cannot be read/],
    ['empty', '', /`k`: /],
    ['a text', 'hello\n', /`k`: /],
    ['an RSA public key', rsa.publicKey.export({ format: 'pem', type: 'spki' }), /`k`: an RSA public key/],
    ['an RSA private key', rsa.privateKey.export({ format: 'pem', type: 'pkcs8' }), /`k`: an RSA private key/],
    ['an RSA private key of the old form', rsa.privateKey.export({ format: 'pem', type: 'pkcs1' }), /RSA private key/],
    ['an encrypted RSA key', locked, /`k`: an RSA private key/],
    ['an OpenSSH public key', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@host\n', /OpenSSH/],
    ['a vkey whose hash is not its own', log.replace(/\+.{8}\+/, '+00000000+'), /`k`: the vkey has a wrong key hash/],
    ['a private key of a note', 'PRIVATE+KEY+x+12345678+AQ==', /`k`: a private key was given where a vkey/],
    ['two keys', pem + pem, /`k`: /],
    ['huge', pem.repeat(2_000), /`k` is too large for a key file/],
  ])('%s', (_, content, says) => {
    if (content !== null) writeFileSync(box.path('k'), content, { mode: 0o600 })
    const { code, stdout, stderr } = box.run(['key', 'show', 'k'], { env })
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(stderr).toMatch(says)
    expect(stderr).toMatch(/^sudoagent: error: [^\n]+\n(?:sudoagent: hint: [^\n]+\n)?$/)
    expectNoSecret(stderr)
  })

  it('an encrypted key without its passphrase, with an empty one, or with another', () => {
    for (const [settings, says] of [
      [{}, /no terminal[^\n]*\nsudoagent: hint: set SUDOAGENT_KEY_PASSPHRASE\n$/],
      [{ SUDOAGENT_KEY_PASSPHRASE: '' }, /no terminal/],
      [{ SUDOAGENT_KEY_PASSPHRASE: 'nope' }, /`encrypted.pem`: the passphrase[^\n]*\n.*SUDOAGENT_KEY_PASSPHRASE\n$/],
    ] as const) {
      const { code, stdout, stderr } = box.run(['key', 'show', 'encrypted.pem'], { env: settings })
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
      expect(stderr).toMatch(says)
      expect(stderr).not.toContain('nope')
    }
  })

  it('an encrypted key that was cut', () => {
    writeFileSync(box.path('cut.pem'), key.pem.replaceAll('PRIVATE', 'ENCRYPTED PRIVATE'), { mode: 0o600 })
    expect(box.run(['key', 'show', 'cut.pem']).stderr).toMatch(/^sudoagent: error: `cut.pem`: /)
    truncateSync(box.path('cut.pem'), 60)
    expect(box.run(['key', 'show', 'cut.pem']).code).toBe(3)
  })
})

describe('wrong usage: exit 2, and a hint that names the command', () => {
  it.each<[readonly string[], RegExp]>([
    [['key', 'shwo'], /`shwo`\n.*`show`/],
    [['key', 'nothing'], /`nothing`\n.*`sudoagent key --help`/],
    [['key', 'show'], /`file`\n.*`sudoagent key show --help`/],
    [['key', 'show', 'public.pem', '--nope'], /`--nope`\n.*`sudoagent key show --help`/],
    [['key', 'show', 'public.pem', '--wit', 'x'], /`--wit`\n.*`--witness`/],
    [['key', 'show', 'public.pem', '--origin', 'a b'], /--origin `a b`: a key name/],
    [['key', 'show', 'public.pem', '--witness', ''], /--witness ``: a key name/],
  ])('%j', (args, says) => {
    const { code, stdout, stderr } = box.run(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(says)
    expect(stderr).toMatch(/^sudoagent: error: [^\n]+\nsudoagent: hint: [^\n]+\n$/)
  })

  it('no subcommand: the help, on stderr', () => {
    const { code, stdout, stderr } = box.run(['key'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^Usage: sudoagent key /)
  })
})
