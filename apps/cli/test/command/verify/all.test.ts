// Tests `verify --all`, which compares every ledger in a database with a registry of heads.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createSigner, generatePrivateKey } from '@sudoagent/crypto'
import { PostgresLedger } from '@sudoagent/postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { asSuperuser } from '../../../../../packages/postgres/test/server/cluster.js'
import { ledgerUrl, newDatabase } from '../../../../../packages/postgres/test/server/shared.js'
import { recordHeads } from '../../../src/ledger/registry.js'
import { SAMPLE, writeLedger } from '../../support/ledger.js'
import { Sandbox } from '../../support/sandbox.js'

const box = new Sandbox()
const key = generatePrivateKey()
let database: string

beforeAll(async () => {
  database = await newDatabase()
  writeFileSync(box.path('key.pem'), key.publicKey.pem)
  writeFileSync(box.path('private.pem'), key.pem, { mode: 0o600 })
  await writeLedger(box.path('round.jsonl'), SAMPLE, key)
  const ledger = await PostgresLedger.open(ledgerUrl(database, 'payments'), { signer: createSigner(key) })
  for (const draft of SAMPLE.slice(0, 2)) await ledger.append(draft)
  await ledger.close()
})
afterAll(() => box.remove())

describe('verify --all and the registry', () => {
  it('shows a ledger that was rolled back, and one that is gone', async () => {
    const home = await newDatabase()
    const names = ['a', 'b', 'c']
    for (const name of names) {
      const ledger = await PostgresLedger.open(ledgerUrl(home, name), { signer: createSigner(key) })
      for (const draft of SAMPLE.slice(0, 4)) await ledger.append(draft)
      await ledger.close()
    }
    const record = ['registry', 'record', home, '--registry', 'heads.sqlite', '--private-key', 'private.pem']
    const all = ['verify', home, '--all', '--registry', 'heads.sqlite', '--public-key', 'key.pem']
    expect(box.run(record)).toMatchObject({ code: 0, stdout: 'recorded: the heads of 3 ledgers\n' })
    expect(box.run(['verify', 'heads.sqlite', '--public-key', 'key.pem', '--require', 'signed', '--quiet']).code).toBe(
      0,
    )
    expect(box.run(all)).toMatchObject({ code: 0, stderr: '' })
    expect(box.run(all).stdout).toContain('anchored: b, 5 entries, compared with 1 recorded heads')
    // The database owner replaces `b` with a shorter ledger and removes `c`.
    expect(box.run(['copy', ledgerUrl(home, 'a'), 'a.jsonl']).code).toBe(0)
    await asSuperuser(
      home,
      `ALTER TABLE sudoagent.entry DISABLE TRIGGER ALL; ALTER TABLE sudoagent.head DISABLE TRIGGER ALL;
       DELETE FROM sudoagent.entry WHERE ledger IN (SELECT id FROM sudoagent.ledger WHERE name IN ('b', 'c'));
       DELETE FROM sudoagent.head WHERE ledger IN (SELECT id FROM sudoagent.ledger WHERE name IN ('b', 'c'));
       DELETE FROM sudoagent.ledger WHERE name IN ('b', 'c')`,
    )
    const ledger = await PostgresLedger.open(ledgerUrl(home, 'b'), { signer: createSigner(key) })
    for (const draft of SAMPLE.slice(0, 2)) await ledger.append(draft)
    await ledger.close()
    // Without the registry, the replaced ledger verifies.
    expect(box.run(['verify', ledgerUrl(home, 'b'), '--public-key', 'key.pem', '--quiet']).code).toBe(0)
    const { code, stdout, stderr } = box.run(all)
    expect(code).toBe(1)
    expect(stdout).toContain('anchored: a, 5 entries')
    expect(stderr).toContain('ledger b: ')
    expect(stderr).toContain('ledger c: it is in the registry, but missing from the database')
    expect(JSON.parse(box.run([...all, '--json']).stdout)).toHaveLength(3)
  })

  it('believes no registry that does not verify, and wants --all to be about a database', () => {
    const text = readFileSync(box.path('round.jsonl'), 'utf8')
    writeFileSync(box.path('spoiled.jsonl'), text.replace('above the limit', 'below the limit'))
    const named = ['--public-key', 'key.pem']
    expect(box.run(['verify', database, '--all', '--registry', 'spoiled.jsonl', ...named]).code).toBe(1)
    // Anyone who can write to an unsigned registry can record any head in it.
    expect(box.run(['verify', database, '--all', '--registry', 'heads.sqlite']).code).toBe(2)
    expect(box.run(['registry', 'record', database, '--registry', 'unsigned.jsonl']).code).toBe(0)
    expect(box.run(['verify', database, '--all', '--registry', 'unsigned.jsonl', ...named]).code).toBe(1)
    expect(box.run(['verify', database, '--registry', 'heads.sqlite']).code).toBe(2)
    expect(box.run(['verify', 'heads.sqlite', '--all']).code).toBe(2)
    expect(box.run(['verify', database, '--all', '--checkpoint', 'head.note']).code).toBe(2)
  })

  it.each([
    'x&host=127.0.0.1:1&sslmode=disable',
    'x?host=127.0.0.1:1',
    '../other',
    'a b',
    'A',
    'x&password=secret',
    '\u202eevil',
  ])('never puts a name that came from a server or a registry into a URL: %j', async (name) => {
    const home = await newDatabase()
    const ledger = await PostgresLedger.open(ledgerUrl(home, 'good'), { signer: createSigner(key) })
    await ledger.append(SAMPLE[0] as (typeof SAMPLE)[number])
    await ledger.close()
    // In the first case, the invalid name comes from a signed registry.
    const heads = await PostgresLedger.open(ledgerUrl(database, 'heads-of-others'), { signer: createSigner(key) })
    await recordHeads([{ ledger: name, checkpoint: 'x' }], heads)
    await heads.close()
    const all = ['verify', home, '--all', '--public-key', 'key.pem']
    const fromRegistry = box.run([...all, '--registry', ledgerUrl(database, 'heads-of-others')])
    expect(fromRegistry.code).toBe(1)
    expect(fromRegistry.stderr).toContain('not a valid ledger name')
    // In the second case, the invalid name comes from the server, because its owner removed the constraint on names.
    await asSuperuser(
      home,
      `ALTER TABLE sudoagent.ledger DROP CONSTRAINT ledger_name_check;
       INSERT INTO sudoagent.ledger (name) VALUES ('${name}'); INSERT INTO sudoagent.head (ledger) SELECT max(id) FROM sudoagent.ledger`,
    )
    const fromServer = box.run(all)
    expect(fromServer.code).toBe(1)
    expect(fromServer.stderr).toContain('not a valid ledger name')
    expect(fromServer.stdout).toContain('signed: good')
    const recorded = box.run(['registry', 'record', home, '--registry', 'never.jsonl'])
    expect([recorded.code, existsSync(box.path('never.jsonl'))]).toEqual([1, false])
    expect(box.run(['ledgers', home]).code).toBe(0)
  })
})
