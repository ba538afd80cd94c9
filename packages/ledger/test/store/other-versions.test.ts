// Tests ledgers from other versions: rows without a tree, tables of a later version, unreadable entries. A writer
// appends after entries that it understands, refuses any other ledger, and never overwrites unknown content.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Hash } from '@sudoagent/crypto'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { SqliteLedger } from '../../src/store/sqlite/ledger.js'
import {
  KINDS,
  type Kind,
  ledgerOf,
  linesIn,
  OWNER,
  OWNER_KEY,
  replaceLines,
  withWriter,
  write,
} from '../fixtures/attack.js'
import { decisionDraft } from '../fixtures/draft.js'
import { codesOf, jsonlOf, sqliteOf, verifyFile } from '../fixtures/ledger-file.js'
import { refusalOf } from '../fixtures/refusal.js'
import { type Entry, entriesOf, sealAll, sealEntry, writtenLines } from '../fixtures/seal.js'
import { temporaryFolder } from '../fixtures/temporary.js'

const drafts = (from: number, count: number) => Array.from({ length: count }, (_, n) => decisionDraft(from + n))
const append = (kind: Kind, path: string) => write(kind, path, [decisionDraft(99)])

function change(path: string, sql: string): void {
  const db = new Database(path)
  db.exec(sql)
  db.close()
}

/** Appends decision `n` as SudoAgent for Python does: one row, without a tree or a head. */
async function appendAsPython(path: string, n: number): Promise<void> {
  const last = entriesOf(await linesIn(path)).at(-1) as Entry
  const { schema_version, ledger_version, entry_hash } = last
  const { line, entryHash } = sealEntry(
    { ...decisionDraft(n), schema_version, ledger_version },
    entry_hash as Hash,
    null,
  )
  const db = new Database(path)
  const insert = db.prepare('INSERT INTO ledger (entry_json, entry_hash, prev_entry_hash) VALUES (?, ?, ?)')
  insert.run(line, entryHash, entry_hash)
  db.close()
}

describe('two writers of different versions on one SQLite ledger', () => {
  it('take turns, the older one without tree and head, and ours takes its entries over', async () => {
    const path = sqliteOf(await writtenLines(drafts(1, 3)))
    const ledger = SqliteLedger.open(path)
    for (let n = 1; n <= 5; n += 1) {
      await appendAsPython(path, 20 + n)
      await ledger.append(decisionDraft(40 + n))
      await appendAsPython(path, 60 + n)
      // The head covers this entry only after our next append, which recovers the entry.
      expect(await verifyFile(path)).toMatchObject({ ok: true, tail: 1 })
    }
    await ledger.append(decisionDraft(80))
    await ledger.close()
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 19, tail: 0, findings: [] })
  })

  it('an older one that does not sign is refused by a ledger that wants signatures', async () => {
    const path = await ledgerOf('sqlite', drafts(1, 2))
    await appendAsPython(path, 20)
    expect(await refusalOf(() => append('sqlite', path))).toBe('LEDGER_DAMAGED')
    expect((await verifyFile(path, { publicKeys: [OWNER_KEY] })).findings.map(({ code }) => code)).toContain(
      'SIGNATURE_MISSING',
    )
  })
})

describe('a SQLite ledger of a later version', () => {
  it('with tables and a user_version that this one does not know is written to, and they stay', async () => {
    const path = await ledgerOf('sqlite', drafts(1, 2))
    change(
      path,
      "CREATE TABLE sudoagent_shard (id INTEGER PRIMARY KEY, note TEXT); INSERT INTO sudoagent_shard VALUES (1, 'kept'); PRAGMA user_version = 7",
    )
    await append('sqlite', path)
    expect(await verifyFile(path, { publicKeys: [OWNER_KEY] })).toMatchObject({
      verdict: 'signed',
      entries: 4,
      warnings: [{ code: 'STORE_NEWER_TABLE', message: 'the table `sudoagent_shard` is from a newer release' }],
    })
    const db = new Database(path, { readonly: true })
    expect(db.prepare('SELECT note FROM sudoagent_shard').pluck().get()).toBe('kept')
    expect(db.pragma('user_version', { simple: true })).toBe(7)
    db.close()
  })

  it.each(['ledger', 'sudoagent_head', 'sudoagent_tile', 'sudoagent_calls', 'sudoagent_cosigned'])(
    'with a column more in %s is left as it is: nobody knows what it should hold',
    async (table) => {
      const path = await ledgerOf('sqlite', drafts(1, 2))
      change(path, `ALTER TABLE ${table} ADD COLUMN later TEXT`)
      const before = readFileSync(path)
      expect(await refusalOf(() => append('sqlite', path))).toBe('LEDGER_NOT_A_LEDGER')
      expect(readFileSync(path).equals(before)).toBe(true)
    },
  )

  it.each(['sudoagent_tile', 'sudoagent_calls', 'sudoagent_cosigned'])(
    'or of an earlier one, without %s: it is made anew where it can be, and nothing false is vouched for',
    async (table) => {
      const path = await ledgerOf('sqlite', drafts(1, 2))
      change(path, `DROP TABLE ${table}`)
      await append('sqlite', path)
      expect(await verifyFile(path, { publicKeys: [OWNER_KEY] })).toMatchObject({
        verdict: 'signed',
        entries: 4,
        tail: 0,
      })
    },
  )
})

describe.each(KINDS)('a %s ledger with entries of a later version', (kind) => {
  it.each<[string, (entry: Entry) => Entry]>([
    ['another ledger_version', (entry) => ({ ...entry, ledger_version: '3.0' })],
    ['another schema_version', (entry) => ({ ...entry, schema_version: '3.0' })],
    ['an event that is not known', (entry) => ({ ...entry, event: 'merge' })],
  ])('is not continued behind %s, and the report says why', async (_, later) => {
    const path = await ledgerOf(kind, drafts(1, 2))
    const entries = entriesOf(await linesIn(path))
    replaceLines(
      kind,
      path,
      sealAll([...entries, later({ ...(entries.at(-1) as Entry), request_id: 'later' })], () => OWNER),
    )
    const before = await linesIn(path)
    expect(await refusalOf(() => append(kind, path))).toMatch(/^LEDGER_(?:NOT_A_LEDGER|DAMAGED)$/)
    expect(await linesIn(path)).toEqual(before)
    expect((await verifyFile(path)).findings[0]?.code).toMatch(/^(?:VERSION_UNSUPPORTED|ENTRY_INVALID)$/)
  })
})

describe('a JSONL file whose end a power cut has filled with NUL', () => {
  const LENGTHS = [1, 100, 4_096, 65_536]

  it.each(LENGTHS)('%i of them behind the last line: moved aside, and the chain goes on', async (length) => {
    const path = await ledgerOf('jsonl', drafts(1, 3))
    const whole = readFileSync(path)
    appendFileSync(path, Buffer.alloc(length))
    expect(codesOf(await verifyFile(path))).toEqual(['LINE_TORN@5'])
    await append('jsonl', path)
    expect(readFileSync(path).subarray(0, whole.length).equals(whole)).toBe(true)
    expect(readFileSync(`${path}.torn-${whole.length}`).equals(Buffer.alloc(length))).toBe(true)
    expect(await verifyFile(path, { publicKeys: [OWNER_KEY] })).toMatchObject({ verdict: 'signed', entries: 5 })
  })

  it('in place of the end of a line: that line is torn, and moved aside with them', async () => {
    const path = await ledgerOf('jsonl', drafts(1, 2))
    const whole = readFileSync(path)
    appendFileSync(path, Buffer.concat([Buffer.from('{"action":"payments.refund","act'), Buffer.alloc(4_000)]))
    await append('jsonl', path)
    expect(readFileSync(`${path}.torn-${whole.length}`, 'latin1')).toMatch(/^\{"action":"payments\.refund","act\0+$/)
    expect(await verifyFile(path, { publicKeys: [OWNER_KEY] })).toMatchObject({ verdict: 'signed', entries: 4 })
  })

  it('in place of lines that were acknowledged: refused, and nothing is moved', async () => {
    const path = await ledgerOf('jsonl', drafts(1, 3))
    const bytes = readFileSync(path)
    bytes.fill(0, bytes.length - 700)
    writeFileSync(path, bytes)
    expect((await verifyFile(path)).ok).toBe(false)
    expect(await refusalOf(() => append('jsonl', path))).toBe('LEDGER_DAMAGED')
    expect(readFileSync(path).equals(bytes)).toBe(true)
  })

  it('from the first byte on: refused', async () => {
    const path = jsonlOf([], join(temporaryFolder(), 'ledger.jsonl'))
    writeFileSync(path, Buffer.alloc(4_096))
    expect(await refusalOf(() => withWriter('jsonl', path, {}, async () => {}))).toBe('LEDGER_NOT_A_LEDGER')
    expect(readFileSync(path).equals(Buffer.alloc(4_096))).toBe(true)
  })
})
