import { chmodSync, existsSync, linkSync, lstatSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { parsePrivateKey, parsePublicKey } from '@sudoagent/crypto'
import { describe, expect, it } from 'vitest'
import { sandbox } from '../support/sandbox.js'

const PAIR = ['keygen', '--private-key', 'k.pem', '--public-key', 'p.pem']

describe('keygen', () => {
  it('writes a pair that belongs together, with the right modes, and never prints the private key', () => {
    const box = sandbox()
    const { code, stdout, stderr } = box.run(PAIR)
    const [privatePem, publicPem] = ['k.pem', 'p.pem'].map((name) => readFileSync(box.path(name), 'utf8'))
    const key = parsePrivateKey(privatePem ?? '')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(parsePublicKey(publicPem ?? '').keyId).toBe(key.publicKey.keyId)
    expect(stdout).toBe(`key id       ${key.publicKey.keyId}\nprivate key  k.pem\npublic key   p.pem\n`)
    expect(statSync(box.path('k.pem')).mode & 0o777).toBe(0o600)
    expect(statSync(box.path('p.pem')).mode & 0o777).toBe(0o644 & ~process.umask())
    expect(box.files()).toEqual(['k.pem', 'p.pem'])
  })

  it('makes folders that are missing, for their owner alone, and leaves none behind when it fails', () => {
    const box = sandbox()
    const at = (...paths: readonly string[]) =>
      box.run(['keygen', '--private-key', paths[0] ?? '', '--public-key', paths[1] ?? ''])
    expect(at('keys/deep/k.pem', 'shared/p.pem').code).toBe(0)
    for (const folder of ['keys', 'keys/deep', 'shared'])
      expect(statSync(box.path(folder)).mode & 0o777).toBe(0o700 & ~process.umask())
    // The mode of an existing folder does not change.
    box.makeFolder('open')
    chmodSync(box.path('open'), 0o755)
    expect(at('open/k.pem', 'open/p.pem').code).toBe(0)
    expect(statSync(box.path('open')).mode & 0o777).toBe(0o755)
    writeFileSync(box.path('file'), '')
    for (const paths of [
      ['new/deep/k.pem', 'file/p.pem'],
      ['new/deep/k.pem', 'open/p.pem'],
      ['file/k.pem', 'new/p.pem'],
      ['new/../new/k.pem', 'file/p.pem'],
    ]) {
      expect(at(...paths).code).toBe(3)
      expect(box.files()).toEqual(['file', 'keys', 'open', 'shared'])
    }
  })

  it('makes another key each time', () => {
    const box = sandbox()
    expect(box.run(PAIR).stdout).not.toBe(box.run([...PAIR, '--overwrite']).stdout)
    expect(statSync(box.path('k.pem')).mode & 0o777).toBe(0o600)
    expect(box.files()).toEqual(['k.pem', 'p.pem'])
  })
})

describe('--encrypt', () => {
  const env = { SUDOAGENT_KEY_PASSPHRASE: 'bättery horse' }

  it('writes a private key that needs the passphrase of the environment', () => {
    const box = sandbox()
    const { code, stdout, stderr } = box.run([...PAIR, '--encrypt'], { env })
    const [privatePem = '', publicPem = ''] = ['k.pem', 'p.pem'].map((name) => readFileSync(box.path(name), 'utf8'))
    const key = parsePrivateKey(privatePem, env.SUDOAGENT_KEY_PASSPHRASE)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe(`key id       ${key.publicKey.keyId}\nprivate key  k.pem\npublic key   p.pem\n`)
    expect(parsePublicKey(publicPem).keyId).toBe(key.publicKey.keyId)
    expect(privatePem).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/)
    expect(statSync(box.path('k.pem')).mode & 0o777).toBe(0o600)
    expect(() => parsePrivateKey(privatePem, 'battery horse')).toThrow()
  })

  it('replaces an encrypted pair with --overwrite', () => {
    const box = sandbox()
    box.run([...PAIR, '--encrypt'], { env })
    expect(box.run([...PAIR, '--overwrite']).code).toBe(0)
    expect(readFileSync(box.path('k.pem'), 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)
    expect(box.files()).toEqual(['k.pem', 'p.pem'])
  })

  it.each([
    ['no terminal and no passphrase', {}, /no terminal[^\n]*\nsudoagent: hint: set SUDOAGENT_KEY_PASSPHRASE\n$/],
    ['an empty one', { SUDOAGENT_KEY_PASSPHRASE: '' }, /no terminal/],
    ['one that OpenSSL could not read', { SUDOAGENT_KEY_PASSPHRASE: 'x'.repeat(1024) }, /longer than 1023 bytes/],
  ])('%s: exit 3, and no file', (_, settings, says) => {
    const box = sandbox()
    const { code, stdout, stderr } = box.run([...PAIR, '--encrypt'], { env: settings })
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(stderr).toMatch(says)
    expect(stderr).not.toContain('xxx')
    expect(box.files()).toEqual([])
  })

  it('without it, the passphrase of the environment is not used', () => {
    const box = sandbox()
    box.run(PAIR, { env })
    expect(parsePrivateKey(readFileSync(box.path('k.pem'), 'utf8'))).toBeDefined()
  })
})

describe('both or neither', () => {
  it.each([
    ['the private key is there', 'k.pem', []],
    ['the public key is there', 'p.pem', []],
    ['the public key is there, and is no key', 'p.pem', ['--overwrite']],
    ['the private key is there, and is no key', 'k.pem', ['--overwrite']],
  ])('%s: exit 3, nothing is changed', (_, name, args) => {
    const box = sandbox()
    writeFileSync(box.path(name), 'old')
    const { code, stdout, stderr } = box.run([...PAIR, ...args])
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(stderr).toMatch(
      new RegExp(`^sudoagent: error: \`${name}\` [^\\n]+\\nsudoagent: hint: [^\\n]*--overwrite[^\\n]*\\n$`),
    )
    expect(box.files()).toEqual([name])
    expect(readFileSync(box.path(name), 'utf8')).toBe('old')
  })

  it('an old private key is put back when the new public key cannot be written', () => {
    const box = sandbox()
    box.run(PAIR)
    const old = readFileSync(box.path('k.pem'), 'utf8')
    const { code } = box.run(['keygen', '--private-key', 'k.pem', '--public-key', 'p.pem/p.pem', '--overwrite'])
    expect(code).toBe(3)
    expect(readFileSync(box.path('k.pem'), 'utf8')).toBe(old)
    expect(box.files()).toEqual(['k.pem', 'p.pem'])
  })
})

describe('links', () => {
  it('are never written through, not even to nothing', () => {
    const box = sandbox()
    symlinkSync('elsewhere.pem', box.path('k.pem'))
    expect(box.run(PAIR).code).toBe(3)
    expect(existsSync(box.path('elsewhere.pem'))).toBe(false)
  })

  it('--overwrite replaces the link, not what it leads to', () => {
    const box = sandbox()
    writeFileSync(box.path('target'), 'precious')
    symlinkSync('target', box.path('k.pem'))
    expect(box.run([...PAIR, '--overwrite']).code).toBe(0)
    expect(lstatSync(box.path('k.pem')).isFile()).toBe(true)
    expect(readFileSync(box.path('target'), 'utf8')).toBe('precious')
  })
})

describe('wrong usage: exit 2, and no file', () => {
  it.each([
    ['one path twice', ['--private-key', 'k.pem', '--public-key', 'k.pem']],
    ['one path twice, spelt differently', ['--private-key', 'k.pem', '--public-key', './x/../k.pem']],
    ['standard output', ['--private-key', '-', '--public-key', 'p.pem']],
    ['no name', ['--private-key', 'k.pem', '--public-key', '']],
    ['one of the two', ['--private-key', 'k.pem']],
  ])('%s', (_, args) => {
    const box = sandbox()
    const { code, stdout, stderr } = box.run(['keygen', ...args])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^sudoagent: error: [^\n]+\nsudoagent: hint: [^\n]+\n$/)
    expect(box.files()).toEqual([])
  })

  it('two names of one file', () => {
    const box = sandbox()
    box.run(PAIR)
    linkSync(box.path('k.pem'), box.path('hard.pem'))
    expect(box.run(['keygen', '--private-key', 'k.pem', '--public-key', 'hard.pem', '--overwrite']).code).toBe(2)
  })
})
