// Tests ledgers written by `sudoagent` 2.0.0 from PyPI, copied into every store and back. These ledgers have no head,
// so a server accepts them only after a writer has added a head.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createSigner, generatePrivateKey } from '@sudoagent/crypto'
import { JsonlLedger } from '@sudoagent/ledger/jsonl'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decisionDraft, testKey, testSigner } from '../../../../packages/ledger/test/fixtures/draft.js'
import { notice } from '../../../../packages/ledger/test/fixtures/process/child.js'
import { mixedLines, pypiLines } from '../../../../packages/ledger/test/fixtures/pypi-lines.js'
import { ledgerUrl, newDatabase } from '../../../../packages/postgres/test/server/shared.js'
import { isLong } from '../../../../test/tier.js'
import { requestIdOf } from '../support/draft.js'
import { Sandbox } from '../support/sandbox.js'

const box = new Sandbox()
let database: string
beforeAll(async () => {
  database = await newDatabase()
  writeFileSync(box.path('test-1.pem'), testKey(1).publicKey.pem)
  writeFileSync(box.path('stranger.pem'), generatePrivateKey().publicKey.pem)
})
afterAll(() => box.remove())

const fileOf = (name: string, lines: readonly string[]): string => {
  writeFileSync(box.path(name), lines.map((line) => `${line}\n`).join(''))
  return name
}
const text = (name: string): string => readFileSync(box.path(name), 'utf8')
const copied = (from: string, to: string): void => {
  expect(box.run(['copy', from, to])).toMatchObject({ code: 0, stdout: expect.stringContaining('copied: ') })
}
const namesIn = (url: string): readonly string[] =>
  JSON.parse(box.run(['ledgers', url, '--json']).stdout).map(({ name }: { readonly name: string }) => name)
const refused = (from: string, to: string): void => {
  const { code, stdout, stderr } = box.run(['copy', from, to])
  expect([code, stdout]).toEqual([3, ''])
  expect(stderr.split('\n')).toEqual([
    expect.stringMatching(/^sudoagent: error: the ledger has no head, and `postgres:.*` requires one$/),
    'sudoagent: hint: nothing was written; append an entry with this version to give the ledger a head',
    '',
  ])
  // The failed copy did not create an empty ledger.
  const looks = ['verify', 'inspect'].map((command) => box.run([command, to]))
  for (const look of looks) expect([look.code, look.stderr]).toEqual([3, expect.stringContaining('does not exist')])
  expect(namesIn(database)).not.toContain(new URL(to).searchParams.get('ledger'))
}

type Case = readonly [name: string, make: () => Promise<readonly string[]>, demands: readonly string[]]
const CASES: readonly Case[] = [
  ['signed', async () => pypiLines(true), ['--public-key', 'test-1.pem', '--require', 'signed']],
  ['unsigned', async () => pypiLines(), []],
  ['among others', mixedLines, []],
]

describe.each(isLong ? CASES : CASES.slice(0, 1))('a ledger of the package on PyPI, %s', (name, make, demands) => {
  const kind = name.replace(' ', '-')
  const place = (): string => ledgerUrl(database, kind)

  it('goes from file to file and comes back byte for byte; a server refuses it', async () => {
    const source = fileOf(`${kind}.jsonl`, await make())
    copied(source, `${kind}.sqlite`)
    expect(box.run(['verify', `${kind}.sqlite`, ...demands]).code).toBe(0)
    copied(`${kind}.sqlite`, `${kind}-back.jsonl`)
    expect(text(`${kind}-back.jsonl`)).toBe(text(source))
    for (const from of [source, `${kind}.sqlite`]) refused(from, place())
  })

  it('is copied to a server when it has a head, verifies there, and comes back byte for byte', async () => {
    const ledger = JsonlLedger.open(box.path(`${kind}.jsonl`), demands.length > 0 ? { signer: testSigner(1) } : {})
    await ledger.append(decisionDraft(99))
    await ledger.close()
    copied(`${kind}.jsonl`, place())
    expect(box.run(['verify', place(), ...demands])).toMatchObject({ code: 0, stderr: '' })
    copied(place(), `${kind}-again.sqlite`)
    copied(`${kind}-again.sqlite`, `${kind}-again.jsonl`)
    for (const part of ['', '.head']) expect(text(`${kind}-again.jsonl${part}`)).toBe(text(`${kind}.jsonl${part}`))
  })

  it.each([
    ['filter', '--effect', 'deny'],
    ['filter', '--request-id', requestIdOf(1)],
    ['search', '--query', 'limit'],
    ['export', '--format', 'ndjson'],
    ['export', '--format', 'csv'],
    ['show'],
  ])('%s says there what it says of the file', (command, ...options) => {
    const ask = command === 'show' ? [requestIdOf(1)] : options
    const [there, here] = [place(), `${kind}.jsonl`].map((ledger) => box.run([command, ledger, ...ask]))
    expect(there?.stdout).toBe(here?.stdout)
    expect(there?.code).toBe(here?.code)
    expect(there?.stdout === '').toBe(there?.code !== 0)
  })

  it('has the same receipts there', () => {
    const [there, here] = [place(), `${kind}.jsonl`].map((ledger, n) => {
      expect(box.run(['receipt', ledger, '--request-id', requestIdOf(1), '--output', `${kind}-${n}.json`]).code).toBe(0)
      return text(`${kind}-${n}.json`)
    })
    expect(there).toBe(here)
  })

  it('is not copied over by one that was changed, nor is a changed one copied', async () => {
    const changed = (await make()).map((line, n) =>
      n === 2 ? line.replace('"created_at":"2', '"created_at":"3') : line,
    )
    fileOf(`${kind}-changed.jsonl`, changed)
    writeFileSync(box.path(`${kind}-changed.jsonl.head`), text(`${kind}.jsonl.head`))
    const over = box.run(['copy', `${kind}-changed.jsonl`, place()])
    expect([over.code, over.stderr]).toEqual([1, expect.stringContaining('is not a prefix of this ledger')])
    const fresh = box.run(['copy', `${kind}-changed.jsonl`, `${kind}-changed.sqlite`])
    expect([fresh.code, fresh.stderr]).toEqual([3, expect.stringContaining('entry 3')])
    expect(box.run(['verify', place(), ...demands]).code).toBe(0)
  })
})

it('a copy is not verified by a key that signed nothing', () => {
  const { code, stdout } = box.run(['verify', ledgerUrl(database, 'signed'), '--public-key', 'stranger.pem'])
  expect([code, stdout]).toEqual([1, expect.stringContaining('unverified')])
})

const FOLDER = join(import.meta.dirname, '../../../../../shared/vectors/python-pypi-2.0.0')
const isHere = existsSync(FOLDER)
const ledgers = isHere ? readdirSync(FOLDER).filter((name) => /\.(jsonl|sqlite)$/.test(name)) : []
if (!isHere) notice('copies of ledgers from the PyPI package (../shared/vectors is missing)')

it.skipIf(!isHere).each(isLong ? ledgers : ledgers.slice(0, 1))(
  '%s, as the package wrote it, goes into files, and to a server with a head',
  async (name) => {
    const source = join(FOLDER, name)
    const place = ledgerUrl(database, name.replace('.', '-'))
    const demands = name.startsWith('signed') ? ['--public-key', join(FOLDER, 'signed.pub.pem')] : []
    refused(source, place)
    copied(source, `${name}.jsonl`)
    if (name.endsWith('.jsonl')) expect(text(`${name}.jsonl`)).toBe(readFileSync(source, 'utf8'))
    expect(box.run(['verify', `${name}.jsonl`, ...demands]).code).toBe(0)
    const before = text(`${name}.jsonl`)
    const ledger = JsonlLedger.open(box.path(`${name}.jsonl`), { signer: createSigner(testKey(1)) })
    await ledger.append(decisionDraft(99))
    await ledger.close()
    copied(`${name}.jsonl`, place)
    const keys = demands.length > 0 ? [...demands, '--public-key', 'test-1.pem'] : []
    expect(box.run(['verify', place, ...keys]).code).toBe(0)
    copied(place, `${name}-back.jsonl`)
    expect(text(`${name}-back.jsonl`).startsWith(before)).toBe(true)
  },
)
