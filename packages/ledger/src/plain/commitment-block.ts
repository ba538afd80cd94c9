// Reads the commitments of a line in canonical order. Every text that is accepted here is one that `commitmentMisfit`
// or `resultMisfit` accepts.
import { isHash } from '@sudoagent/crypto'
import type { LineCursor } from './line-cursor.js'
import { isCount } from './token.js'

const HASH_CHARS = 64
const KEY_ID_CHARS = 16
const KEY_ID = /^[0-9a-f]{16}$/

/**
 * Reads the commitment of a decision.
 *
 * @returns false if the value is not recognised; the position of the cursor is then undefined
 */
export function readCommitment(cursor: LineCursor): boolean {
  return cursor.word('{"hmac":"') && readHmac(cursor) && cursor.word('}')
}

/** Like `readCommitment`, for the result of an outcome. */
export function readResult(cursor: LineCursor): boolean {
  if (!cursor.word('{"bytes":') || !isCount(cursor) || !cursor.word(',"hmac":"') || !readHmac(cursor)) return false
  return cursor.word(',"profile":"jcs"}') || cursor.word(',"profile":"bytes"}')
}

/** The HMAC and the id of its key, after the opening quote of the HMAC. */
function readHmac(cursor: LineCursor): boolean {
  if (!cursor.string(HASH_CHARS) || !isHash(cursor.taken())) return false
  return cursor.word(',"key_id":"') && cursor.string(KEY_ID_CHARS) && KEY_ID.test(cursor.taken())
}
