// Tests that every command that reads a ledger file also reads a ledger in a PostgreSQL database.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createSigner, generatePrivateKey } from '@sudoagent/crypto'
import { PostgresLedger } from '@sudoagent/postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { asSuperuser } from '../../../../../packages/postgres/test/server/cluster.js'
import {
  ledgerUrl,
  newDatabase,
  newLogin,
  urlAs,
  willMakeRoles,
} from '../../../../../packages/postgres/test/server/shared.js'
import { isLong } from '../../../../../test/tier.js'
import { requestIdOf } from '../../support/draft.js'
import { SAMPLE, writeLedger } from '../../support/ledger.js'
import { Sandbox } from '../../support/sandbox.js'

const box = new Sandbox()
const key = generatePrivateKey()
let database: string
let url: string

async function write(name: string, count = SAMPLE.length, from = 0): Promise<string> {
  const made = ledgerUrl(database, name)
  const clock = (): Date => new Date('2026-11-22T20:00:00Z')
  const ledger = await PostgresLedger.open(made, { signer: createSigner(key), clock })
  for (const draft of SAMPLE.slice(from, count)) await ledger.append(draft)
  await ledger.close()
  return made
}

beforeAll(async () => {
  database = await newDatabase()
  url = await write('payments')
  writeFileSync(box.path('key.pem'), key.publicKey.pem)
  writeFileSync(box.path('private.pem'), key.pem, { mode: 0o600 })
})
afterAll(() => box.remove())

describe('a URL in the place of a ledger', () => {
  it('verifies', () => {
    const { code, stdout } = box.run(['verify', url, '--public-key', 'key.pem', '--require', 'signed'])
    expect(code).toBe(0)
    expect(stdout).toContain('(postgres)')
    expect(stdout).toContain('11 (6 decisions, 4 outcomes, 1 open)')
  })

  it('verifies from a state, and is filtered, by index too, searched, shown, exported, inspected', () => {
    expect(box.run(['verify', url, '--state', 'state.json']).code).toBe(0)
    expect(box.run(['verify', url, '--state', 'state.json']).code).toBe(0)
    expect(box.run(['filter', url, '--effect', 'deny']).stdout.split('\n')).toHaveLength(2)
    expect(box.run(['filter', url, '--request-id', requestIdOf(3)]).stdout.split('\n')).toHaveLength(3)
    expect(
      box.run(['filter', url, '--request-id', requestIdOf(3), '--event', 'outcome']).stdout.split('\n'),
    ).toHaveLength(2)
    expect(box.run(['filter', url, '--request-id', 'nobody']).code).toBe(1)
    expect(box.run(['search', url, '--query', 'ticket 4711']).code).toBe(0)
    expect(box.run(['show', url, requestIdOf(3)]).code).toBe(0)
    expect(box.run(['inspect', url, '--json']).stdout).toContain('"kind": "postgres"')
    expect(box.run(['export', url, '--format', 'ndjson', '--output', 'export.jsonl']).code).toBe(0)
    expect(readFileSync(box.path('export.jsonl'), 'utf8').trimEnd().split('\n')).toHaveLength(11)
  })

  it('gives receipts and checkpoints, and shows that it begins with one', () => {
    expect(box.run(['checkpoint', url, '--output', 'head.note']).code).toBe(0)
    expect(box.run(['receipt', url, '--request-id', requestIdOf(1), '--output', 'receipt.json']).code).toBe(0)
    expect(box.run(['receipt', 'verify', 'receipt.json', '--public-key', 'key.pem']).code).toBe(0)
    expect(box.run(['consistency', url, '--from', 'head.note', '--public-key', 'key.pem']).code).toBe(0)
    expect(
      box.run(['verify', url, '--public-key', 'key.pem', '--checkpoint', 'head.note', '--require', 'anchored']).code,
    ).toBe(0)
  })

  it('gets and loses keys', async () => {
    const other = generatePrivateKey()
    writeFileSync(box.path('other.pem'), other.pem, { mode: 0o600 })
    const made = await write('keys', 2)
    expect(
      box.run(['key', 'rotate', made, '--private-key', 'private.pem', '--new-private-key', 'other.pem']).code,
    ).toBe(0)
    expect(box.run(['key', 'close', made, '--private-key', 'other.pem', '--yes']).code).toBe(0)
    expect(box.run(['verify', made, '--public-key', 'key.pem', '--quiet']).code).toBe(0)
  })

  it('is stopped and resumed, for a writer that is open', async () => {
    const made = await write('fleet', 2)
    const note = ['--reason', 'incident', '--by', 'alice', '--private-key', 'private.pem']
    const agent = await PostgresLedger.open(made, { signer: createSigner(key) })
    const stop = box.run(['stop', made, '--all', '--json', ...note])
    expect(stop.code).toBe(0)
    const [, , draft] = SAMPLE
    if (draft === undefined) throw new TypeError('no sample')
    const another = { ...draft, decision: { ...draft.decision, effect: 'allow' as const }, request_id: 'another' }
    await expect(agent.append(another)).rejects.toMatchObject({ code: 'STOPPED' })
    expect(box.run(['stops', made]).stdout).toContain('all calls')
    expect(box.run(['stop', made, '--all', '--reason', 'r', '--by', 'a'])).toMatchObject({ code: 3, stdout: '' })
    const { stop_id: id } = JSON.parse(stop.stdout)
    expect(box.run(['resume', made, id, ...note]).code).toBe(0)
    await agent.append(another)
    await agent.close()
    expect(box.run(['resume', made, id, ...note]).code).toBe(1)
  })

  it('that leads nowhere is said in one line, with what to do', () => {
    for (const [place, says] of [
      [ledgerUrl(database, 'nobody'), '`sudoagent ledgers` lists'],
      [database, '?ledger=payments'],
      ['postgres://127.0.0.1:1/x?ledger=a', 'cannot be reached'],
    ] as const) {
      const { code, stdout, stderr } = box.run(['verify', place])
      expect([code, stdout]).toEqual([3, ''])
      expect(stderr).toContain(says)
      expect(stderr).not.toContain('    at ')
    }
  })
})

describe('passwords', () => {
  it('on the command line are refused, and not repeated', () => {
    for (const place of ['postgres://bot:hunter2@db/x?ledger=a', 'postgres://db/x?ledger=a&password=hunter2']) {
      const { code, stderr } = box.run(['verify', place])
      expect(code).toBe(2)
      expect(stderr).toContain('PGPASSWORD')
      expect(stderr).not.toContain('hunter2')
    }
  })

  it('in the environment are used, and in no message', async () => {
    const login = await newLogin('', 'hunter2')
    const { code, stderr } = box.run(['verify', urlAs(login, url)], {
      env: { PGPASSWORD: 'hunter2' },
    })
    // The login can connect, but has no privileges on the tables.
    expect(code).toBe(3)
    expect(stderr).toContain('permission denied')
    expect(stderr).not.toContain('hunter2')
  })
})

it('ledgers lists them', async () => {
  const empty = await newDatabase()
  expect(box.run(['ledgers', empty]).code).toBe(1)
  const { code, stdout } = box.run(['ledgers', database])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^LEDGER +ENTRIES +HEAD +GREW\n/)
  expect(stdout).toMatch(/^payments +11 +[0-9a-f]{16} +\d+ \w+ ago$/m)
  expect(JSON.parse(box.run(['ledgers', database, '--json']).stdout)).toContainEqual(
    expect.objectContaining({ name: 'payments', size: 11 }),
  )
  expect(box.run(['ledgers', 'ledger.sqlite']).code).toBe(2)
})

describe('postgres init', () => {
  it('prints what it would do, and does it with --apply', async () => {
    const place = await newDatabase({ tables: false })
    await willMakeRoles('sudoagent')
    const printed = box.run(['postgres', 'init', place])
    expect(printed.code).toBe(0)
    expect(printed.stdout).toContain('CREATE TABLE IF NOT EXISTS sudoagent.entry')
    expect(box.run(['ledgers', place]).code).toBe(3)
    for (const _ of ['made', 'left as it is']) expect(box.run(['postgres', 'init', place, '--apply']).code).toBe(0)
    expect(box.run(['ledgers', place]).code).toBe(1)
    await asSuperuser(place, printed.stdout)
    expect(box.run(['postgres', 'init', place, '--no-roles']).stdout).not.toContain('ROLE')
  })
})

describe('copy', () => {
  const lines = (name: string): string => readFileSync(box.path(name), 'utf8')

  it('goes round all stores and comes back unchanged, head and proofs included', async () => {
    await writeLedger(box.path('start.sqlite'), SAMPLE, key)
    const there = ['start.sqlite', ledgerUrl(database, 'round'), 'round.jsonl']
    const round = isLong ? [...there, 'round.sqlite', ledgerUrl(database, 'again'), 'again.jsonl'] : there
    for (const [n, to] of round.entries()) {
      const from = round[n - 1]
      if (from === undefined) continue
      expect(box.run(['copy', from, to])).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('copied: 11 entries'),
      })
      expect(box.run(['verify', to, '--public-key', 'key.pem', '--require', 'signed', '--quiet'])).toMatchObject({
        code: 0,
        stderr: '',
      })
      expect(box.run(['receipt', to, '--request-id', requestIdOf(1), '--output', `receipt-${n}.json`]).code).toBe(0)
    }
    const back = String(round.at(-1))
    expect(lines(back)).toBe(lines('round.jsonl'))
    expect(lines(`${back}.head`)).toBe(lines('round.jsonl.head'))
    expect(lines(`receipt-${round.length - 1}.json`)).toBe(lines('receipt-1.json'))
    // A writer can append to each copy.
    const ledger = await PostgresLedger.open(round[1] ?? '', { signer: createSigner(key) })
    expect(
      (await ledger.append({ ...(SAMPLE[0] as (typeof SAMPLE)[number]), request_id: requestIdOf(99) })).position,
    ).toBe(12)
    await ledger.close()
  })

  it.runIf(isLong)('goes on where an earlier copy ended, and says so', async () => {
    const source = await write('growing', 4)
    for (const to of ['part.jsonl', 'part.sqlite', ledgerUrl(database, 'part')])
      expect(box.run(['copy', source, to]).stdout).toContain('copied: 5 entries')
    await write('growing', SAMPLE.length, 4)
    for (const to of ['part.jsonl', 'part.sqlite', ledgerUrl(database, 'part')]) {
      expect(box.run(['copy', source, to]).stdout).toContain('copied: 11 entries')
      expect(box.run(['verify', to, '--public-key', 'key.pem', '--quiet']).stderr).not.toContain('CHAIN')
      expect(box.run(['copy', source, to]).stdout).toMatch(/copied: (1\d) entries.*; \1 were already in the copy/)
    }
  })

  it.runIf(isLong)('takes what a copy that was cut off left behind for no ledger, and makes it whole', async () => {
    expect(box.run(['copy', url, 'cut.jsonl']).code).toBe(0)
    const whole = lines('cut.jsonl')
    const torn = whole.slice(0, whole.length - 100)
    writeFileSync(box.path('cut2.jsonl'), torn)
    expect(box.run(['verify', 'cut2.jsonl']).code).toBe(1)
    expect(box.run(['copy', url, 'cut2.jsonl'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('; 10 were already in the copy'),
    })
    expect(lines('cut2.jsonl')).toBe(whole)
    expect(box.run(['verify', 'cut2.jsonl', '--public-key', 'key.pem', '--require', 'signed', '--quiet']).code).toBe(0)
    await asSuperuser(
      database,
      "UPDATE sudoagent.head SET checkpoint = NULL WHERE ledger = (SELECT id FROM sudoagent.ledger WHERE name = 'again')",
    )
    await expect(
      PostgresLedger.open(ledgerUrl(database, 'again'), { signer: createSigner(key) }),
    ).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
  })

  it('never writes over what is something else, and into no file of another kind', async () => {
    await writeLedger(box.path('other.jsonl'), SAMPLE.slice(0, 3), key)
    await writeLedger(box.path('other.sqlite'), SAMPLE.slice(0, 3), key)
    await write('other', 3)
    const before = lines('other.jsonl')
    for (const to of ['other.jsonl', 'other.sqlite', ledgerUrl(database, 'other')]) {
      const { code, stderr } = box.run(['copy', 'round.jsonl', to])
      expect([to, code]).toEqual([to, 1])
      expect(stderr).toContain('is not a prefix of this ledger')
    }
    expect(lines('other.jsonl')).toBe(before)
    writeFileSync(box.path('text.jsonl'), 'hello\n')
    expect(box.run(['copy', url, 'text.jsonl']).code).toBe(3)
    expect(lines('text.jsonl')).toBe('hello\n')
    expect(box.run(['copy', url, 'nothing']).code).toBe(2)
    expect(existsSync(box.path('nothing'))).toBe(false)
    expect(box.run(['copy', 'round.jsonl', './round.jsonl']).code).toBe(2)
    expect(box.run(['copy', url, url]).code).toBe(2)
  })

  it('stops at an entry that does not hold', () => {
    writeFileSync(box.path('bad.jsonl'), lines('round.jsonl').replace('above the limit', 'below the limit'))
    writeFileSync(box.path('bad.jsonl.head'), lines('round.jsonl.head'))
    for (const [to, says] of [
      ['bad.sqlite', 1],
      // This copy failed before its first entry, and a database lists only ledgers that have entries.
      [ledgerUrl(database, 'bad'), 3],
    ] as const) {
      const { code, stderr } = box.run(['copy', 'bad.jsonl', to])
      expect(code).toBe(3)
      // The copy of a longer ledger can fail after some entries are stored, so the message must not claim otherwise.
      expect(stderr).not.toContain('nothing was written')
      expect(box.run(['verify', to]).code).toBe(says)
    }
    expect(box.run(['ledgers', database]).stdout).not.toMatch(/^bad /m)
  })
})
