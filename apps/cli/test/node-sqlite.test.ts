// Tests reading with `node:sqlite` if the native module cannot be loaded. Every reading command must print the same as
// with better-sqlite3, for valid and forged ledgers. Uses each available Node version that has `node:sqlite`: the
// version that runs the tests, or versions from npm. The short form uses only versions in npm's cache.
import { spawnSync } from 'node:child_process'
import { copyFileSync, rmSync, writeFileSync } from 'node:fs'
import { generatePrivateKey } from '@sudoagent/crypto'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { byTier, isLong, sampled } from '../../../test/tier.js'
import { requestIdOf } from './support/draft.js'
import { manyCalls, SAMPLE, writeLedger } from './support/ledger.js'
import { type Ran, type Sandbox, sandbox } from './support/sandbox.js'

/** Node binaries that have `node:sqlite`, by version. */
const NODES: readonly [string, string][] = ['this', ...byTier({ short: ['24'], long: ['22.13', '22', '24'] })].flatMap(
  (version) => {
    const found = version === 'this' ? process.execPath : nodeOf(version)
    return found !== null && hasSqlite(found) ? [[version, found] as const] : []
  },
)

if (NODES.length === 0) console.warn('skipped: no Node with `node:sqlite` is installed or available from npm')

function nodeOf(version: string): string | null {
  const where = isLong ? [] : ['--offline']
  const args = ['-y', ...where, `node@${version}`, '-p', 'process.execPath']
  const { status, stdout } = spawnSync('npx', args, { encoding: 'utf8', timeout: 120_000 })
  return status === 0 ? stdout.trim() : null
}

function hasSqlite(node: string): boolean {
  const script =
    "const s = process.getBuiltinModule('node:sqlite'); process.exit('iterate' in s.StatementSync.prototype ? 0 : 1)"
  return spawnSync(node, ['--no-warnings', '-e', script]).status === 0
}

/** Makes better-sqlite3 fail as if it had been installed without being built. */
const UNBUILT = `const Module = require('node:module')
  const load = Module._load
  Module._load = function (name, ...rest) {
    if (name === 'bindings' || /better_sqlite3\\.node$/.test(name)) throw new Error('Could not locate the bindings file. Tried:')
    return load.call(this, name, ...rest)
  }`

/** Runs a command with a Node that cannot load better-sqlite3. */
function runUnbuilt(box: Sandbox, node: string, args: readonly string[]): Ran {
  writeFileSync(box.path('.unbuilt.cjs'), UNBUILT)
  return box.run(args, { node: [node, '--require', box.path('.unbuilt.cjs')] })
}

const COMMANDS: readonly (readonly string[])[] = [
  ['verify', 'l.sqlite'],
  ['verify', 'l.sqlite', '--json', '--public-key', 'key.pub'],
  ['verify', 'l.sqlite', '--state', 'state.json'],
  ['show', 'l.sqlite', '5'],
  ['show', 'l.sqlite', requestIdOf(3), '--format', 'json'],
  ['show', 'l.sqlite', requestIdOf(999)],
  ['filter', 'l.sqlite', '--effect', 'deny'],
  ['filter', 'l.sqlite', '--json'],
  ['search', 'l.sqlite', '--query', '4711'],
  ['export', 'l.sqlite', '--format', 'json'],
  ['export', 'l.sqlite', '--format', 'csv'],
  ['inspect', 'l.sqlite'],
  ['checkpoint', 'l.sqlite'],
  ['consistency', 'l.sqlite', '--from', 'old.txt'],
  ['receipt', 'l.sqlite', '--request-id', requestIdOf(3)],
  ['receipt', 'l.sqlite', '--request-id', requestIdOf(3), '--format', 'tlog-proof'],
  ['verify', 'nothing.sqlite'],
]

const FORGED: readonly (readonly [string, string])[] = [
  ['a hash with something after a NUL', "UPDATE ledger SET entry_hash = entry_hash || char(0) || 'x' WHERE id = 4"],
  ['a hash that is a blob', 'UPDATE ledger SET entry_hash = CAST(entry_hash AS BLOB) WHERE id = 4'],
  ['a previous hash that is a number', 'UPDATE ledger SET prev_entry_hash = 9223372036854775807 WHERE id = 4'],
  ['a row id beyond 2^53', 'UPDATE ledger SET id = 9007199254740993 WHERE id = 11'],
  ['a negative row id', 'UPDATE ledger SET id = -5 WHERE id = 1'],
  ['text that is not UTF-8', "UPDATE ledger SET entry_json = CAST(x'7bff80' AS TEXT) WHERE id = 4"],
  ['a hash that is not UTF-8', "UPDATE ledger SET entry_hash = CAST(x'ff80' AS TEXT) WHERE id = 4"],
  ['a line that is a blob', 'UPDATE ledger SET entry_json = CAST(entry_json AS BLOB) WHERE id = 4'],
  ['a line with a NUL', 'UPDATE ledger SET entry_json = entry_json || char(0) WHERE id = 4'],
  ['a long line', 'UPDATE ledger SET entry_json = hex(zeroblob(2000000)) WHERE id = 4'],
  ['deleted rows', 'DELETE FROM ledger WHERE id > 8'],
  ['a trigger', 'CREATE TRIGGER t AFTER INSERT ON ledger BEGIN SELECT 1; END'],
  [
    'a name with a NUL',
    `CREATE TABLE "x" (y); PRAGMA writable_schema = ON; UPDATE sqlite_schema SET name = 'ledger' || char(0) WHERE name = 'x'`,
  ],
  ['a head with a NUL', "UPDATE sudoagent_head SET checkpoint = checkpoint || char(0) || 'x'"],
  ['tiles that are text', "UPDATE sudoagent_calls SET calls = 'x'"],
  ['no table', 'DROP TABLE ledger'],
]

describe.runIf(NODES.length > 0).each(NODES)('with Node %s', (_, node) => {
  it.each(
    sampled(
      [
        ['a short ledger', SAMPLE],
        ['a ledger with tiles', [...SAMPLE, ...manyCalls(byTier({ short: 150, long: 1_500 })).slice(14)]],
      ],
      2,
    ),
  )('every reading command says the same of %s', async (_name, drafts) => {
    const box = sandbox()
    const key = generatePrivateKey()
    writeFileSync(box.path('key.pub'), key.publicKey.pem)
    await writeLedger(box.path('l.sqlite'), drafts, key)
    writeFileSync(box.path('old.txt'), box.run(['checkpoint', 'l.sqlite']).stdout)
    for (const args of sampled(COMMANDS, 3)) {
      const expected = box.run(args)
      rmSync(box.path('state.json'), { force: true })
      expect(expected.stderr, args.join(' ')).not.toMatch(/unknown|required/)
      expect(runUnbuilt(box, node, args), args.join(' ')).toEqual(expected)
      rmSync(box.path('state.json'), { force: true })
    }
  })

  it.each(sampled(FORGED, 5))('verify and export say the same of %s', async (_name, sql) => {
    const box = sandbox()
    await writeLedger(box.path('l.sqlite'), [...SAMPLE, ...manyCalls(150).slice(14)])
    const db = new Database(box.path('l.sqlite'))
    db.unsafeMode().exec(sql)
    db.close()
    for (const args of [
      ['verify', 'l.sqlite'],
      ['export', 'l.sqlite', '--format', 'ndjson'],
    ])
      expect(runUnbuilt(box, node, args), args.join(' ')).toEqual(box.run(args))
  })

  it('reads next to a writer, from a copy without its folder being writable, and leaves nothing behind', async () => {
    const box = sandbox()
    await writeLedger(box.path('l.sqlite'), SAMPLE)
    const writer = new Database(box.path('l.sqlite'))
    writer.exec('BEGIN IMMEDIATE')
    expect(runUnbuilt(box, node, ['verify', 'l.sqlite'])).toEqual(box.run(['verify', 'l.sqlite']))
    copyFileSync(box.path('l.sqlite'), box.path('m.sqlite'))
    copyFileSync(box.path('l.sqlite-wal'), box.path('m.sqlite-wal'))
    writer.exec('ROLLBACK')
    writer.close()
    const before = box.files()
    expect(runUnbuilt(box, node, ['verify', 'm.sqlite'])).toEqual(box.run(['verify', 'm.sqlite']))
    expect(box.files()).toEqual(before)
  })

  it('writers still ask for the native module', async () => {
    const box = sandbox()
    await writeLedger(box.path('l.sqlite'), SAMPLE)
    const { code, stderr } = runUnbuilt(box, node, ['copy', 'l.sqlite', 'copy.sqlite'])
    expect(code).not.toBe(0)
    expect(stderr).toMatch(
      /^sudoagent: error: the native module .*\nsudoagent: hint: .*run `npm rebuild better-sqlite3`.*\n$/,
    )
  })
})
