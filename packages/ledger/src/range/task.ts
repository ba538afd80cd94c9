// What is done with each piece of a ledger that is looked for something, or handed out in a format. It gives up where a line is out of the
// ordinary: then every line of the range is looked at by itself.
import { isAscii } from 'node:buffer'
import { isHash } from '@sudoagent/crypto'
import { recordOf } from '../entry/record.js'
import type { RowMaker } from '../export/format.js'
import { type ExportFormat, FORMATS } from '../export/formats.js'
import { LineCursor } from '../plain/line-cursor.js'
import { M } from '../plain/member.js'
import { PlainMembers } from '../plain/plain-members.js'
import { plainText } from '../plain/plain-text.js'

/** Plain data, so that it can be handed over to another thread. */
export type PieceWork = FindWork | ExportWork

/** Says whether a line of a piece may fit. */
interface FindWork extends Needles {
  readonly kind: 'find'
}

export interface Needles {
  /** What a line must have once its case is folded, as JSON writes it. */
  readonly folded: string | null
  /** What a line must have as it stands. */
  readonly exact: readonly string[]
}

interface ExportWork {
  readonly kind: 'export'
  readonly format: ExportFormat
}

/**
 * @param bytes - whole lines, each with its line feed
 * @param position - of the first of them
 * @returns the text to hand out; null when the lines must be looked at one by one
 */
export type DoPiece = (bytes: Buffer, position: number) => string | null

export function doerOf(work: PieceWork): DoPiece {
  if (work.kind === 'find') return (bytes) => (mayHave(bytes, work) ? null : '')
  const rows = new Rows(work.format)
  return (bytes, position) => rows.of(bytes, position)
}

/**
 * Whether a line may have what is looked for; of one line, or of several. What one line has, several together have: a line feed is never part of
 * what is looked for, and neither decoding nor folding looks beyond one.
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

  /** A line by itself, with its line feed. It may be plain among others that are not. */
  #anyRow(line: Buffer, position: number, isKnown: boolean): string | null {
    const plain = isKnown ? null : plainText(line)
    if (plain !== null && this.#isPlain(new LineCursor(plain))) return this.#make.plain(position, this.#members)
    const record = recordOf({ position, bytes: line.subarray(0, -1) })
    return record && this.#make.row(record)
  }

  /** What is recognised is an entry once its hashes are hashes. Most of them were seen in the line before. */
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
