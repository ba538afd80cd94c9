// Stores a cosigned checkpoint with its ledger, so that receipts can refer to the checkpoint.
import { parseCheckpoint, parseNote } from '@sudoagent/crypto/note'
import Database from 'better-sqlite3'
import { asLedgerError } from '../file.js'
import type { StoredText } from '../port/reader.js'
import { beside, readSideFile, writeSideFile } from './jsonl/side-file.js'
import { recognise } from './open.js'
import { requireNoOtherDatabases, requireSoundLedgerFile } from './sqlite/open.js'
import { COSIGNED_TABLE, findEvidenceTables } from './sqlite/tables.js'

const BUSY_TIMEOUT_MS = 10_000

/**
 * Stores a cosigned checkpoint, unless a later checkpoint is already stored. Safe while the ledger has a writer.
 *
 * @param note - a signed note, verified by the caller
 * @returns whether the checkpoint was stored; false if a later checkpoint is already stored
 * @throws the errors of `openLedgerReader`; LedgerError LEDGER_WRITE_FAILED; CryptoError NOTE_INVALID,
 * CHECKPOINT_INVALID for any other text
 */
export function keepCosigned(path: string, note: string): boolean {
  const { size } = parseCheckpoint(parseNote(note).text)
  try {
    return recognise(path) === 'sqlite' ? keepInTable(path, note, size) : keepBeside(path, note, size)
  } catch (error) {
    throw asLedgerError(error, path)
  }
}

function keepBeside(path: string, note: string, size: number): boolean {
  const file = beside(path, 'cosigned')
  if (sizeOf(readSideFile(file)) > size) return false
  writeSideFile(file, note)
  return true
}

function keepInTable(path: string, note: string, size: number): boolean {
  requireSoundLedgerFile(path)
  const db = new Database(path, { fileMustExist: true, timeout: BUSY_TIMEOUT_MS })
  try {
    db.pragma('trusted_schema = OFF')
    db.pragma('synchronous = FULL')
    return db
      .transaction(() => {
        requireNoOtherDatabases(db, path)
        if (!findEvidenceTables(db).has(COSIGNED_TABLE.name)) db.exec(COSIGNED_TABLE.sql)
        const kept = db.prepare('SELECT size FROM sudoagent_cosigned NOT INDEXED WHERE id = 1').pluck().get()
        if (typeof kept === 'number' && kept > size) return false
        db.prepare('INSERT OR REPLACE INTO sudoagent_cosigned (id, size, checkpoint) VALUES (1, ?, ?)').run(size, note)
        return true
      })
      .immediate()
  } finally {
    db.close()
  }
}

/** The size of a stored checkpoint; 0 if the checkpoint is unreadable, so that it is replaced. */
function sizeOf(stored: StoredText): number {
  if (stored === null || stored === 'unreadable') return 0
  try {
    return parseCheckpoint(parseNote(stored.text).text).size
  } catch {
    return 0
  }
}
