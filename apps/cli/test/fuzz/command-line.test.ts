// Fuzzes the command line with any arguments in any order, on valid and hostile files. The program must exit with one
// of its four codes and print each error as one line with a hint. It must never print a stack trace, emit terminal
// control characters, or change a file.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { byTier, TIER } from '../../../../test/tier.js'
import { main } from '../../src/main.js'
import { createIo, type Outside } from '../../src/terminal/io.js'
import { requestIdOf } from '../support/draft.js'
import { KEY, makeEvidence, POLICY } from './evidence.js'
import { Dice, mutate } from './mutate.js'

const slow = TIER === 'slow'
const SEED = Number(process.env.FUZZ_SEED ?? (slow ? Date.now() % 2 ** 31 : 1))
const RUNS = byTier({ short: 100, long: 300, slow: 20_000 })

const evidence = await makeEvidence()
const folder = mkdtempSync(join(tmpdir(), 'sudoagent-fuzz-'))
const at = (name: string): string => join(folder, name)
const FILES: Readonly<Record<string, string | Uint8Array>> = {
  'l.jsonl': evidence.jsonl,
  'l.jsonl.head': evidence.head,
  'l.jsonl.tree': evidence.tree,
  'l.sqlite': evidence.sqlite,
  'head.txt': evidence.head,
  'cosigned.txt': evidence.cosigned,
  'receipt.json': evidence.receipts[0] ?? '',
  'proof.txt': evidence.proof,
  'state.json': evidence.state,
  'policy.txt': POLICY,
  'key.pem': KEY.publicKey.pem,
}
const place = (): void => {
  for (const [name, bytes] of Object.entries(FILES)) writeFileSync(at(name), bytes)
}
place()
const dice = new Dice(SEED)
for (const name of Object.keys(FILES))
  writeFileSync(at(`spoilt-${name}`), mutate(dice, [Buffer.from(FILES[name] ?? '')]))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

// The commands that only read. Commands that write keys or ledgers, listen, or use the network have their own tests.
const COMMANDS = [
  ['verify'],
  ['show'],
  ['filter'],
  ['search'],
  ['export'],
  ['receipt'],
  ['receipt', 'verify'],
  ['checkpoint'],
  ['checkpoint', 'verify'],
  ['consistency'],
  ['inspect'],
  ['key', 'show'],
  ['help'],
  [],
]
const names = [...Object.keys(FILES), ...Object.keys(FILES).map((name) => `spoilt-${name}`)]
/**
 * Options that write a file. Command lines with these options are skipped, because they would change the test folder.
 */
const WRITING = ['--output', '--state']
const HOSTILE = [
  '',
  '-',
  '\u001b[2J\u001b]0;x\u0007',
  '\u202etxt.exe',
  '__proto__',
  '-1',
  '1e9',
  '9'.repeat(400),
  'a\nb',
  '../..',
  '/dev/null',
  '/',
  '\ud800',
  "'; --",
]
const values = [
  ...HOSTILE,
  'text',
  'json',
  'csv',
  'ndjson',
  'signed',
  'anchored',
  '3',
  requestIdOf(1),
  '2026-11-22',
  'refund_user',
]
const file = fc.constantFrom(...names.map(at))
const value = fc.oneof(file, fc.constantFrom(...values), fc.string({ unit: 'binary', maxLength: 40 }))

/** Generates command lines: a command with options from its help, sometimes with misplaced words. */
async function commandLines(): Promise<fc.Arbitrary<readonly string[]>> {
  const perCommand = await Promise.all(
    COMMANDS.map(async (command) => {
      const { stdout } = await run([...command, '--help'])
      const flags = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)( [<[])?/gm)].filter(
        ([, flag = '']) => !WRITING.includes(flag),
      )
      const options = flags.map(([, flag = '', takes]) =>
        takes === undefined ? fc.constant([flag]) : value.map((given) => [flag, given]),
      )
      const noise = fc.oneof(
        value.map((given) => [given]),
        fc.constantFrom(['--nope'], ['--'], ['-x'], ['-V'], ['--help=1']),
      )
      const parts = fc.array(
        fc.oneof({ weight: 12, arbitrary: fc.oneof(...options) }, { weight: 1, arbitrary: noise }),
        { maxLength: 4 },
      )
      const call = command[0] === 'show' ? fc.constantFrom('3', requestIdOf(3), 'nothing') : fc.constant(null)
      return fc
        .tuple(file, call, parts)
        .map(([path, id, rest]) => [...command, path, ...(id === null ? [] : [id]), ...rest.flat()])
    }),
  )
  return fc.oneof(...perCommand)
}

/** Runs one command line in this process. */
async function run(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' }
  const stream = (name: 'stdout' | 'stderr') => {
    const to = new PassThrough()
    to.on('data', (chunk) => (written[name] += chunk))
    return to as unknown as NodeJS.WriteStream
  }
  const outside: Outside = {
    argv: ['node', 'sudoagent', ...args],
    env: {},
    stdin: Readable.from([]) as NodeJS.ReadStream,
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    emit: () => true,
  }
  const code = await main(outside.argv, createIo(outside))
  return { code, ...written }
}

/** Characters that control a terminal or reorder its text. */
const DRAWS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/

describe('any command line', () => {
  it(`ends with a code and one line (FUZZ_SEED=${SEED})`, { timeout: 3_600_000 }, async () => {
    const codes = new Map<number, number>()
    await fc.assert(
      fc.asyncProperty(await commandLines(), async (args) => {
        const { code, stdout, stderr } = await run(args)
        codes.set(code, (codes.get(code) ?? 0) + 1)
        expect([0, 1, 2, 3]).toContain(code)
        // Machine-readable formats contain untrusted text unchanged. Text for people must escape it.
        if (!args.some((arg) => ['json', 'csv', 'ndjson', '--json'].includes(arg)) && !/^[{[]/.test(stdout))
          expect(stdout).not.toMatch(DRAWS)
        expect(stderr).not.toMatch(DRAWS)
        expect(stderr).not.toMatch(/internal:|\bat .*:\d+:\d+|\[object Object\]|undefined/)
        if (code === 2 && !args.includes('--help')) expect(stderr.split('\n').length).toBeLessThan(60)
      }),
      { seed: SEED, numRuns: RUNS },
    )
    console.info(`exit codes of ${RUNS} command lines: ${JSON.stringify([...codes].sort())}`)
    expect([...codes.keys()].sort()).toEqual([0, 1, 2, 3])
    // The commands neither changed nor created files.
    for (const [name, bytes] of Object.entries(FILES))
      expect([name, readFileSync(at(name)).equals(Buffer.from(bytes))]).toEqual([name, true])
    expect(readdirSync(folder).sort()).toEqual([...names].sort())
  })
})
