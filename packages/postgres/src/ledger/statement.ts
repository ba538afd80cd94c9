// Builds the only statement that writes. It moves the head and inserts entries and tiles, or changes nothing if the
// head does not have the expected size and epoch. The number of inserted entries shows which of the two happened.
// The statement is the same with and without a locked transaction.
import { HASH_BYTES, TILE_WIDTH } from '@sudoagent/crypto/tree'
import {
  type CommitPlan,
  callNumber,
  QUESTION_FIELDS,
  type QuestionChanges,
  questionFields,
} from '@sudoagent/ledger/store'
import type { Statement } from '../session/session.js'
import { toColumn } from './records.js'
import { frontierBytes, type Known, knownBehind } from './rows.js'
import type { TilePut } from './tree.js'

export interface Write {
  readonly schema: string
  readonly ledger: number
  readonly before: Known
  readonly step: CommitPlan
  readonly tiles: readonly TilePut[]
  /** The epoch after the step. */
  readonly epoch: number
  readonly writer: string
}

/** Entries to append, with the head columns before and after. */
export interface Put {
  readonly schema: string
  readonly ledger: number
  readonly before: {
    readonly size: number
    readonly entryHash: string | null
    readonly controls: string | null
    readonly epoch: number
  }
  readonly after: {
    readonly size: number
    readonly entryHash: string | null
    readonly recordedAt: string | null
    readonly frontier: Uint8Array
    readonly controls: string
    /** Null during a copy, so that no writer continues the ledger. */
    readonly checkpoint: string | null
    readonly epoch: number
  }
  readonly writer: string
  readonly entries: readonly { readonly line: string; readonly entryHash: string; readonly requestId: string | null }[]
  readonly tiles: readonly TilePut[]
  readonly questions: QuestionChanges
}

const INTO = '(ledger, position, entry_json, entry_hash, prev_entry_hash, call)'

// The statement for a single entry is minimal, because it determines the append latency. It does not set the
// writer, which does not change within an epoch.
const oneText = (s: string): string => `WITH moved AS (
  UPDATE ${s}.head SET size = $2 + 1, entry_hash = $4, recorded_at = $10, frontier = $5, checkpoint = $6, moved_at = clock_timestamp()
  WHERE ledger = $1 AND size = $2 AND epoch = $3 RETURNING 1
) INSERT INTO ${s}.entry ${INTO} SELECT $1, $2 + 1, $7, $4, $8, $9 FROM moved`

// The tile content, or null if the tile is incomplete. A null tile makes the statement fail.
const leavesBefore = (s: string): string => `(
    SELECT CASE WHEN count(*) = stood THEN string_agg(sha256(decode('00', 'hex') || decode(entry_hash, 'hex')), ''::bytea ORDER BY position) END
    FROM ${s}.entry WHERE ledger = $1 AND position > tile * ${TILE_WIDTH} AND position <= tile * ${TILE_WIDTH} + stood AND octet_length(entry_hash) = ${2 * HASH_BYTES})`
const tileBefore = (s: string): string => `(
    SELECT substr(known.hashes, 1, stood * ${HASH_BYTES}) FROM ${s}.tile AS known
    WHERE known.ledger = $1 AND known.level = given.level AND known.tile = given.tile AND length(known.hashes) >= stood * ${HASH_BYTES})`

// Lines, hashes and call numbers are each sent as a single string, whose parts never contain the separator.
// PostgreSQL splits a string much faster than it parses an array, in which every quote in a line would have to be
// escaped.
const manyText = (s: string, asked = ''): string => `WITH moved AS (
  UPDATE ${s}.head SET size = $4, entry_hash = $5, recorded_at = $19, frontier = $6, controls = $7, checkpoint = $8, epoch = $9, writer = $10, moved_at = clock_timestamp()
  WHERE ledger = $1 AND size = $2 AND epoch = $3 RETURNING 1
), tiles AS (
  INSERT INTO ${s}.tile (ledger, level, tile, hashes)
  SELECT $1, level, tile, CASE WHEN stood = 0 THEN hashes WHEN level = 0 THEN ${leavesBefore(s)} || hashes ELSE ${tileBefore(s)} || hashes END
  FROM moved, unnest($15::integer[], $16::bigint[], $17::integer[], $18::bytea[]) AS given (level, tile, stood, hashes)
  ON CONFLICT (ledger, level, tile) DO UPDATE SET hashes = excluded.hashes
)${asked} INSERT INTO ${s}.entry ${INTO} SELECT $1, $2 + n, line, hash, prev, call::bigint FROM moved,
  unnest(string_to_array($11, E'\\n'), string_to_array($12, ','), string_to_array($13, ',', ''), string_to_array($14, ',', ''))
    WITH ORDINALITY AS given (line, hash, prev, call, n)`

const COLUMNS = QUESTION_FIELDS.join(', ')
const TYPES: Readonly<Record<string, string>> = { position: 'bigint', registry_position: 'bigint', redacted: 'bigint' }

// The changes of the open questions by a step. No row is both deleted and inserted: the result would be undefined.
const questionsText = (s: string): string => `, closed AS (
  DELETE FROM ${s}.open_question USING moved WHERE ledger = $1 AND (request_id = ANY ($20::text[]) OR expires_at < $21)
    AND NOT request_id = ANY ($22::text[])
), opened AS (
  INSERT INTO ${s}.open_question (ledger, ${COLUMNS}) SELECT $1, ${COLUMNS}
  FROM moved, json_to_recordset($23::json) AS given (${QUESTION_FIELDS.map((name) => `${name} ${TYPES[name] ?? 'text'}`).join(', ')})
  ON CONFLICT (ledger, request_id) DO UPDATE SET ${QUESTION_FIELDS.map((name) => `${name} = excluded.${name}`).join(', ')}
)`

const columnOf = (name: string, value: string | number | null): [string, string | number | null] => [
  name,
  typeof value === 'string' && name !== 'commitment' ? toColumn(value) : value,
]

/** The values of `questionsText`, from $20. */
function questionValues({ opened, closed, expiredBefore }: QuestionChanges): readonly unknown[] {
  const rows = opened.map((question) =>
    Object.fromEntries(questionFields(question).map((value, n) => columnOf(QUESTION_FIELDS[n] ?? '', value))),
  )
  const ids = opened.map(({ requestId }) => toColumn(requestId))
  return [closed.map(toColumn), expiredBefore ?? '', ids, JSON.stringify(rows)]
}

/** Returns the statement for a step after `before`. */
export function writeQuery({ schema, ledger, before, step, tiles, epoch, writer }: Write): Statement {
  const { state, checkpoint, entries } = step
  const { size, entryHash, recordedAt } = state.head
  const { head } = before.state
  const { controls } = knownBehind(before, step, epoch)
  return putQuery({
    schema,
    ledger,
    before: { size: head.size, entryHash: head.entryHash, controls: before.controls, epoch: before.epoch },
    after: { size, entryHash, recordedAt, frontier: frontierBytes(step), controls, checkpoint, epoch },
    writer,
    entries,
    tiles,
    questions: step.questions,
  })
}

export function putQuery({ schema, ledger, before, after, writer, entries, tiles, questions }: Put): Statement {
  const [first] = entries
  const isSameWriter = after.epoch === before.epoch && after.controls === before.controls
  const isAsked = questions.opened.length > 0 || questions.closed.length > 0
  if (first !== undefined && entries.length === 1 && tiles.length === 0 && isSameWriter && !isAsked) {
    const { entryHash, recordedAt, frontier, checkpoint } = after
    const head = [ledger, before.size, before.epoch, entryHash, frontier, checkpoint]
    const values = [...head, first.line, before.entryHash, numberOf(first.requestId), recordedAt]
    return { name: `sudoagent_write_one_${schema}`, text: oneText(schema), values }
  }
  const hashes = entries.map(({ entryHash }) => entryHash)
  return {
    name: `sudoagent_write_${isAsked ? 'asked_' : ''}${schema}`,
    text: manyText(schema, isAsked ? questionsText(schema) : ''),
    values: [
      ledger,
      before.size,
      before.epoch,
      after.size,
      after.entryHash,
      after.frontier,
      after.controls,
      after.checkpoint,
      after.epoch,
      writer,
      entries.map(({ line }) => line).join('\n'),
      hashes.join(','),
      [before.entryHash ?? '', ...hashes.slice(0, -1)].join(','),
      entries.map(({ requestId }) => numberOf(requestId) ?? '').join(','),
      tiles.map(({ level }) => level),
      tiles.map(({ tile }) => tile),
      tiles.map(({ stood }) => stood),
      tiles.map(({ hashes: bytes }) => bytes),
      after.recordedAt,
      ...(isAsked ? questionValues(questions) : []),
    ],
  }
}

const numberOf = (requestId: string | null): number | null => (requestId === null ? null : callNumber(requestId))
