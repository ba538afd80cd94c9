// Reads the authority of a line in canonical order, without building an object. Every text that is accepted here is
// one that `authorityMisfit` accepts.
import { AUTHORITY_TEXT_LENGTH_MAX, DELEGATION_MAX, isAuthorityId, isThumbprint } from '@sudoagent/crypto/entry'
import type { LineCursor } from './line-cursor.js'

const THUMBPRINT_CHARS = 43

/** The members in canonical order: the beginning of each, and the rest of it. */
const MEMBERS: readonly (readonly [beginning: string, read: (cursor: LineCursor) => boolean])[] = [
  ['"delegation":[', delegation],
  ['"on_behalf_of":{', subject],
  ['"session":"', text],
  ['"tenant":"', text],
]

/** @returns false if the value is not recognised; the position of the cursor is then undefined */
export function readAuthority(cursor: LineCursor): boolean {
  if (!cursor.word('{')) return false
  let isFirst = true
  for (const [beginning, read] of MEMBERS) {
    if (!cursor.word(isFirst ? beginning : `,${beginning}`)) continue
    if (!read(cursor)) return false
    isFirst = false
  }
  return !isFirst && cursor.word('}')
}

function text(cursor: LineCursor): boolean {
  return cursor.name(AUTHORITY_TEXT_LENGTH_MAX)
}

function id(cursor: LineCursor): boolean {
  return cursor.string(AUTHORITY_TEXT_LENGTH_MAX) && isAuthorityId(cursor.taken())
}

function delegation(cursor: LineCursor): boolean {
  for (let n = 1; n <= DELEGATION_MAX; n += 1) {
    if (!cursor.word('{"id":"') || !id(cursor)) return false
    if (cursor.word(',"issuer":"') && !id(cursor)) return false
    if (!cursor.word('}')) return false
    if (cursor.word(']')) return true
    if (!cursor.word(',')) return false
  }
  return false
}

function subject(cursor: LineCursor): boolean {
  const isVerified = cursor.word('"assurance":"verified"')
  if (!isVerified && !cursor.word('"assurance":"asserted"')) return false
  const hasEvidence = cursor.word(',"evidence":{"key":"')
  if (hasEvidence && !evidence(cursor)) return false
  if (!cursor.word(',"id":"') || !id(cursor)) return false
  const hasIssuer = cursor.word(',"issuer":"')
  if (hasIssuer && !id(cursor)) return false
  if (isVerified && !(hasEvidence && hasIssuer)) return false
  return cursor.word(',"type":"user"}') || cursor.word(',"type":"service"}')
}

function evidence(cursor: LineCursor): boolean {
  return cursor.string(THUMBPRINT_CHARS) && isThumbprint(cursor.taken()) && cursor.word(',"kind":"jwt"}')
}
