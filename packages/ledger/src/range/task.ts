// The work that a scan does on each batch of lines: a search, or making the rows of an export. If a batch has an
// unusual line, the result is null and the range is read line by line.
import { isAscii } from 'node:buffer'
import { isHash } from '@sudoagent/crypto'
import { recordOf } from '../entry/record.js'
import type { RowMaker } from '../export/format.js'
import { type ExportFormat, FORMATS } from '../export/formats.js'
import { LineCursor } from '../plain/line-cursor.js'
import { M } from '../plain/member.js'
import { PlainMembers } from '../plain/plain-members.js'
import { plainText } from '../plain/plain-text.js'

/** Plain data that can be transferred to a different thread. */
export type PieceWork = FindWork | ExportWork

/** Tests whether a line of a batch may match. */
interface FindWork extends Needles {
  readonly kind: 'find'
}

export interface Needles {
  /** Text that a matching line contains after case folding, in its JSON form; null for any text. */
  readonly folded: string | null
  /** Strings that a matching line contains unchanged. */
  readonly exact: readonly string[]
}

interface ExportWork {
  readonly kind: 'export'
  readonly format: ExportFormat
}

/**
 * @param bytes - whole lines, each with its line feed
 * @param position - position of the first line
 * @returns the output; null if the lines must be read one by one
 */
export type DoPiece = (bytes: Buffer, position: number) => string | null

export function doerOf(work: PieceWork): DoPiece {
  if (work.kind === 'find') return (bytes) => (mayHave(bytes, work) ? null : '')
  const rows = new Rows(work.format)
  return (bytes, position) => rows.of(bytes, position)
}

/**
 * Whether one or more lines may contain the search texts. Testing several lines at once does not give false
 * negatives: a search text never contains a line feed, and neither decoding nor case folding depends on text in an
 * adjacent line.
 */
export function mayHave(bytes: Buffer, { folded, exact }: Needles): boolean {
  if (!exact.every((text) => bytes.includes(text))) return false
  return (
    folded === null || (isAscii(bytes) ? bytes.toString('latin1') : bytes.toString()).toLowerCase().includes(folded)
  )
}

const LF = 10

class Rows {
  readonly #make: RowMaker
  readonly #members = new PlainMembers()
  #entryHash: string | null = null
  #decisionHash: string | null = null

  constructor(format: ExportFormat) {
    this.#make = FORMATS[format].rowMaker()
  }

  of(bytes: Buffer, position: number): string | null {
    const plain = plainText(bytes)
    const cursor = plain === null ? null : new LineCursor(plain)
    const rows: string[] = []
    for (let at = 0; at < bytes.length; ) {
      cursor?.moveTo(at)
      const isPlain = cursor !== null && this.#isPlain(cursor)
      const next = isPlain ? cursor.at : bytes.indexOf(LF, at) + 1
      const row = isPlain
        ? this.#make.plain(position + rows.length, this.#members)
        : this.#anyRow(bytes.subarray(at, next), position + rows.length, plain !== null)
      if (row === null) return null
      rows.push(row)
      at = next
    }
    return rows.join('')
  }

  /**
   * The row of a single line, with its line feed. The line may be plain ASCII even if other lines of the batch are
   * not.
   */
  #anyRow(line: Buffer, position: number, isKnown: boolean): string | null {
    const plain = isKnown ? null : plainText(line)
    if (plain !== null && this.#isPlain(new LineCursor(plain))) return this.#make.plain(position, this.#members)
    const record = recordOf({ position, bytes: line.subarray(0, -1) })
    return record && this.#make.row(record)
  }

  /**
   * A recognised line is an entry if its three hashes are well-formed. Hashes that are equal to those of the previous
   * line need not be checked again.
   */
  #isPlain(cursor: LineCursor): boolean {
    const members = this.#members
    if (!members.read(cursor)) return false
    const previous = members.get(M.previous)
    const entryHash = members.get(M.entryHash)
    const decisionHash = members.get(M.decisionHash)
    const areHashes =
      (previous === this.#entryHash || isHash(previous)) &&
      (decisionHash === this.#decisionHash || isHash(decisionHash)) &&
      isHash(entryHash)
    if (!areHashes) return false
    this.#entryHash = entryHash
    this.#decisionHash = decisionHash
    return true
  }
}
