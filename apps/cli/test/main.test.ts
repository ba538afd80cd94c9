// Tests the common behaviour of all commands: help, usage, invalid input, and lazy loading of modules.

import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { chmodSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { generatePrivateKey } from '@sudoagent/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sampled } from '../../../test/tier.js'
import { requestIdOf } from './support/draft.js'
import { SAMPLE, writeLedger } from './support/ledger.js'
import { Sandbox, skipUnless } from './support/sandbox.js'

const box = new Sandbox()
const COMMANDS = ['verify', 'show', 'filter', 'search', 'export', 'receipt', 'keygen', 'key']
const ONE_ERROR = /^sudoagent: error: [^\n]+\nsudoagent: hint: [^\n]+\n$/

beforeAll(() => writeLedger(box.path('l.sqlite'), SAMPLE))
afterAll(() => box.remove())

describe('help and version: exit 0, on stdout', () => {
  it.each([
    [['--help'], COMMANDS],
    [['help'], ['Exit codes:']],
    [['help', 'verify'], ['Usage: sudoagent verify']],
  ])('%j', (args, says) => {
    const { code, stdout, stderr } = box.run(args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    for (const word of says) expect(stdout).toContain(word)
  })

  it.each([...COMMANDS, 'key show'])('%s --help has an example', (command) => {
    const { code, stdout, stderr } = box.run([...command.split(' '), '--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(new RegExp(`Examples:\\n  \\$ sudoagent ${command} `))
    expect(stdout.split('\n').every((line) => !/\s$/.test(line))).toBe(true)
  })

  it('--version is that of the package', () => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    expect(box.run(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  it('loads neither ledger, crypto, chalk, ora nor SQLite for them', () => {
    const hook = box.path('loaded.cjs')
    // Reports the files from both loaders, `require` and `import`, because chalk and ora are ES modules.
    const resolve = `import{writeSync}from'node:fs';export async function resolve(s,c,n){const r=await n(s,c);writeSync(2,r.url+'\\n');return r}`
    writeFileSync(
      hook,
      `require('node:module').register('data:text/javascript,' + ${JSON.stringify(encodeURIComponent(resolve))})
       process.on('exit', () => process.stderr.write(Object.keys(require.cache).join('\\n')))`,
    )
    const sourcesOf = (path: string): string => (path.includes('apps/cli/dist/') ? readFileSync(path, 'utf8') : '')
    /** Returns the paths of all loaded files, and the modules that the bundler put into them. */
    const loaded = (args: readonly string[]): string => {
      const { stderr } = box.run(args, { env: { NODE_OPTIONS: `--require ${hook}` } })
      return `${stderr}\n${stderr.split('\n').map(sourcesOf).join('\n')}`
    }
    for (const args of [['--version'], ['--help'], ['verify', '--help'], ['key', 'show', '--help']]) {
      expect(loaded(args)).toContain('apps/cli/dist/bin.cjs')
      expect(loaded(args)).not.toMatch(/^\/\/ .*packages\/(ledger|crypto)\/|chalk|\/ora|better-sqlite3/m)
    }
    // A command that uses SQLite shows that the hooks work.
    const verified = loaded(['verify', 'l.sqlite', '--quiet'])
    expect(verified).toMatch(/better-sqlite3/)
    expect(verified).toMatch(/^\/\/ .*packages\/crypto\/dist\/(?:\w+\/)?hash.js/m)
    expect(verified).toMatch(/^\/\/ .*packages\/ledger\/dist\/(?:\w+\/)?walk.js/m)
  })
})

describe('wrong usage: exit 2, one error and one hint on stderr', () => {
  it.each([
    [['verfy'], /`verfy`.*\n.*`verify`/],
    [['verify', '--jsn', 'l.sqlite'], /`--jsn`.*\n.*`--json`/],
    [['filter', 'l.sqlite', '--agent', 'x'], /`--agent`.*\n.*`--agent-id`/],
    [['--nope'], /`--nope`.*\n.*`sudoagent --help`/],
    [['verify'], /`ledger`.*\n.*`sudoagent verify --help`/],
    [['show', 'l.sqlite'], /`position\|request-id`/],
    [['verify', 'l.sqlite', 'l.sqlite'], /too many arguments/],
    [['verify', 'l.sqlite', '--public-key'], /--public-key/],
    [['export', 'l.sqlite', '--format', 'table'], /`table`.*\n.*json, ndjson, csv/],
  ])('%j', (args, says) => {
    const { code, stdout, stderr } = box.run(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(ONE_ERROR)
    expect(stderr).toMatch(says)
  })

  it.each([
    [
      [
        'mcp',
        'guard',
        '--policy',
        'p.yaml',
        '--ledger',
        'n.sqlite',
        '--approvals',
        'URL',
        '--server',
        's',
        '--',
        'true',
      ],
      /--approvals /,
    ],
    [
      ['mcp', 'guard', '--policy', 'p.yaml', '--ledger', 'n.sqlite', '--tools', 'URL', '--server', 's', '--', 'true'],
      /--tools /,
    ],
    [['mcp', 'accept', 'URL'], /<tools>/],
  ])('a URL where a file is needed: %j', (args, says) => {
    for (const url of ['postgres://agent@db.example.com/evidence?ledger=l', 'postgresql:///evidence']) {
      const { code, stdout, stderr } = box.run(args.map((arg) => (arg === 'URL' ? url : arg)))
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toMatch(ONE_ERROR)
      expect(stderr).toMatch(says)
      expect(stderr).toContain('must be a file, not the URL of a PostgreSQL database')
    }
  })

  it('no command at all: the help, on stderr', () => {
    const { code, stdout, stderr } = box.run([])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^Usage: sudoagent /)
  })
})

/** Every command that reads a ledger, with an output file if the command can write one. */
const READERS: readonly (readonly [command: string, args: (ledger: string) => readonly string[]])[] = [
  ['verify', (ledger) => ['verify', ledger]],
  ['export', (ledger) => ['export', ledger, '--output', 'out']],
  ['filter', (ledger) => ['filter', ledger, '--output', 'out']],
  ['search', (ledger) => ['search', ledger, '--query', 'x', '--output', 'out']],
  ['show', (ledger) => ['show', ledger, '1']],
  ['receipt', (ledger) => ['receipt', ledger, '--request-id', requestIdOf(1), '--output', 'out']],
]

function expectFailure(args: readonly string[], says: RegExp): void {
  const files = box.files()
  const { code, stdout, stderr } = box.run(args)
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
  expect(stderr).toMatch(ONE_ERROR)
  expect(stderr).toMatch(says)
  expect(box.files()).toEqual(files)
}

// The short form runs one command that reports, one that lists and one that shows.
describe.each(sampled(READERS, 2))(
  '%s of what is no ledger: exit 3, one error and one hint, no file',
  (command, args) => {
    beforeAll(() => {
      writeFileSync(box.path('truncated.sqlite'), readFileSync(box.path('l.sqlite')))
      truncateSync(box.path('truncated.sqlite'), 5000)
      writeFileSync(box.path('random.bin'), Buffer.from(Array.from({ length: 4096 }, (_, at) => (at * 197) % 256)))
      writeFileSync(box.path('other.sqlite'), readFileSync(box.path('l.sqlite')).subarray(0, 100))
    })

    it.each([
      ['missing', 'missing.sqlite', /`missing.sqlite`/],
      ['in a folder that is missing', 'missing/l.sqlite', /`missing\/l.sqlite`/],
      ['a directory', '.', /`.` is a directory/],
      ['the header of a SQLite file', 'other.sqlite', /`other.sqlite`/],
      ['random bytes', 'random.bin', /`random.bin`/],
      ['a device', '/dev/zero', /`\/dev\/zero`/],
      ['no name', '', /``/],
      ['a name that would move the cursor', 'x\u001b[2J', /`x\\u\{1b\}\[2J`/],
    ])('%s', (__, ledger, says) => expectFailure(args(ledger), says))

    it('a truncated SQLite file', () => {
      if (command !== 'verify') return expectFailure(args('truncated.sqlite'), /the ledger cannot be/)
      // `verify` reports a damaged ledger as a finding, not as an error.
      const { code, stdout } = box.run(args('truncated.sqlite'))
      expect([code, stdout]).toEqual([1, expect.stringContaining('broken: 1 finding')])
    })
  },
)

describe('a public key that is none: exit 3', () => {
  const pem = (type: 'spki' | 'pkcs8') => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    return type === 'spki' ? publicKey.export({ type, format: 'pem' }) : privateKey.export({ type, format: 'pem' })
  }
  const ours = generatePrivateKey()
  it.each(
    sampled<[string, string | Buffer | null, RegExp]>(
      [
        ['missing', null, /`key.pem`/],
        ['a private key', ours.pem, /`key.pem`.*private key/],
        ['RSA', pem('spki'), /`key.pem`.*RSA/],
        ['empty', '', /`key.pem`/],
        ['huge', ours.publicKey.pem.repeat(1000), /`key.pem` is too large/],
        ['two keys', ours.publicKey.pem.repeat(2), /`key.pem`/],
        ['binary', randomBytes(200), /`key.pem`/],
      ],
      3,
    ),
  )('%s', (_, content, says) => {
    if (content !== null) writeFileSync(box.path('key.pem'), content)
    expectFailure(['verify', 'l.sqlite', '--public-key', 'key.pem'], says)
    expect(box.run(['verify', 'l.sqlite', '--public-key', 'key.pem']).stderr).not.toContain(
      ours.pem.split('\n')[1] ?? '',
    )
  })

  it('a directory, or a device without end', () => {
    expectFailure(['verify', 'l.sqlite', '--public-key', '.'], /`.`.*directory/)
    expectFailure(['verify', 'l.sqlite', '--public-key', '/dev/zero'], /`\/dev\/zero` is too large/)
  })
})

describe('no permission: exit 3', () => {
  // Root can read every file, so if the test runs as root, the command runs as a different user.
  const uid = process.getuid?.() === 0 ? 65_534 : undefined
  chmodSync(box.folder, 0o755)
  const canRun = box.run(['--version'], uid === undefined ? {} : { uid }).code === 0
  const skip = skipUnless(canRun, 'the program cannot run as an unprivileged user')
  const as = uid === undefined ? {} : { uid }

  it.skipIf(skip)('to read the ledger', () => {
    writeFileSync(box.path('secret.jsonl'), '{}', { mode: uid === undefined ? 0o000 : 0o600 })
    for (const [, args] of READERS) {
      const { code, stdout, stderr } = box.run(args('secret.jsonl'), as)
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
      expect(stderr).toMatch(ONE_ERROR)
      expect(stderr).toContain('permission denied')
    }
  })

  it.skipIf(skip)('to write into the folder; reading a ledger in it works', async () => {
    const folder = box.makeFolder('readonly')
    await writeLedger(`${folder}/l.sqlite`, SAMPLE)
    chmodSync(`${folder}/l.sqlite`, 0o444)
    chmodSync(folder, 0o555)
    expect(box.run(['verify', 'readonly/l.sqlite'], as).code).toBe(0)
    for (const args of [
      ['export', 'readonly/l.sqlite', '--output', 'readonly/out'],
      ['keygen', '--private-key', 'readonly/k', '--public-key', 'readonly/p'],
    ]) {
      const { code, stdout, stderr } = box.run(args, as)
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
      expect(stderr).toMatch(ONE_ERROR)
    }
    expect(box.files('readonly')).toEqual(['l.sqlite'])
    chmodSync(folder, 0o755)
  })
})

it('an internal error is one line, and its stack is for whoever asks', () => {
  // Simulates a broken installation, which can cause errors that no input can cause.
  const breaking = box.path('breaking.cjs')
  writeFileSync(
    breaking,
    `const Module = require('node:module')
     const load = Module._load
     Module._load = (name, ...rest) => {
       if (name === 'better-sqlite3') throw new Error('broken\\non purpose')
       return load(name, ...rest)
     }`,
  )
  const env = { NODE_OPTIONS: `--require ${breaking}` }
  const { code, stdout, stderr } = box.run(['filter', 'l.sqlite'], { env })
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
  expect(stderr).toMatch(/^sudoagent: error: internal: broken\nsudoagent: hint: [^\n]*SUDOAGENT_DEBUG=1[^\n]*\n$/)
  expect(box.run(['filter', 'l.sqlite'], { env: { ...env, SUDOAGENT_DEBUG: '1' } }).stderr).toMatch(/\n {4}at /)
})
