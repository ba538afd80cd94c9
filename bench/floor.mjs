// Measures the floors: processes the same bytes without any of our code, with plain better-sqlite3, node:fs and
// node:crypto.
import { generateKeyPairSync, hash, sign } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'

// The SQLite build that the ledger uses.
const Database = createRequire(new URL('../packages/ledger/package.json', import.meta.url))('better-sqlite3')

const CHUNK_BYTES = 256 * 1024
const LF = 10

/** Opens a database with only the ledger's table; `commit` writes rows in one transaction. */
export function rawLedger(path) {
  const db = new Database(path)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec(`CREATE TABLE ledger (id INTEGER PRIMARY KEY AUTOINCREMENT, entry_json TEXT NOT NULL,
    entry_hash TEXT NOT NULL, prev_entry_hash TEXT)`)
  const insert = db.prepare('INSERT INTO ledger (entry_json, entry_hash, prev_entry_hash) VALUES (?, ?, ?)')
  const insertAll = db.transaction((rows) => {
    for (const row of rows) insert.run(row)
  })
  return {
    /** A single row is its own transaction. */
    commit: (rows) => (rows.length === 1 ? insert.run(rows[0]) : insertAll(rows)),
    close: () => db.close(),
  }
}

/** Returns the last `count` rows of a ledger, in the form that `commit` accepts. */
export function storedRows(path, count) {
  const db = new Database(path, { readonly: true })
  const select = 'SELECT entry_json, entry_hash, prev_entry_hash FROM ledger ORDER BY id DESC LIMIT ?'
  const rows = db.prepare(select).raw().all(count)
  db.close()
  return rows.reverse()
}

const { privateKey } = generateKeyPairSync('ed25519')
const message = Buffer.alloc(200, 7)

/** Creates Ed25519 signatures one after another. */
export function signTimes(count) {
  for (let n = 0; n < count; n += 1) sign(null, message, privateKey)
}

/** Reads all entries of a SQLite ledger, in order, as bytes or as text. */
export function scanSqlite(path, column, use) {
  const db = new Database(path, { readonly: true })
  for (const value of db.prepare(`SELECT ${column} FROM ledger ORDER BY id`).pluck().iterate()) use(value)
  db.close()
}

export const hashSqlite = (path) => scanSqlite(path, 'CAST(entry_json AS BLOB)', (bytes) => hash('sha256', bytes))

/** Reads and hashes each entry of a JSONL ledger, in order. */
export function hashJsonl(path) {
  const file = openSync(path, 'r')
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  let held = 0
  for (;;) {
    const chunk = buffer.subarray(0, held + readSync(file, buffer, held, CHUNK_BYTES - held, null))
    if (chunk.length === held) break
    let start = 0
    for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, start)) {
      hash('sha256', chunk.subarray(start, at))
      start = at + 1
    }
    held = chunk.copy(buffer, 0, start)
  }
  closeSync(file)
}
