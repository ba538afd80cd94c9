// Inspects a JSONL file before a writer opens it: counts the complete lines, finds the last complete line, and
// detects a torn line at the end.
import { fstatSync, fsyncSync, ftruncateSync, lstatSync, readSync, writeFileSync } from 'node:fs'
import { LedgerError } from '../../error.js'
import { syncFolderOf } from '../../file.js'
import { LINE_BYTES_MAX } from '../../limits.js'

/** A torn last line that was moved to a separate file when the ledger was opened. */
export interface TornTail {
  readonly movedTo: string
  readonly bytes: number
}

export interface JsonlFile {
  readonly lines: number
  /** End of the last complete line; any later bytes are a torn line. */
  readonly end: number
  /** The last complete line without its LF, up to LINE_BYTES_MAX bytes; null if there is none. */
  readonly lastLine: Uint8Array | null
}

const LF = 10
const CHUNK_BYTES = 64 * 1024

// Keys in canonical JSON are sorted, so the first key of a call entry is `action`, and the first key of a control
// entry is `checkpoint`.
const ENTRY_STARTS = ['{"action":', '{"checkpoint":']

/**
 * Inspects a file without changing it.
 *
 * @throws LedgerError LEDGER_NOT_A_LEDGER if the file is not a ledger: the first byte is not `{`, the torn line is
 * longer than any entry, or there is no complete line and the file does not start like an entry
 */
export function inspectJsonl(fd: number, path: string): JsonlFile {
  const { lines, end } = scanLines(fd)
  const first = Buffer.alloc(16)
  const start = first.subarray(0, readSync(fd, first, 0, first.length, 0)).toString('latin1')
  const torn = fstatSync(fd).size - end
  const isEntry = ENTRY_STARTS.some((entry) => entry.startsWith(start) || start.startsWith(entry))
  if (!(lines === 0 ? isEntry : start.startsWith('{')) || torn > LINE_BYTES_MAX) {
    throw new LedgerError('LEDGER_NOT_A_LEDGER', `\`${path}\` is not a JSONL ledger`, {
      hint: 'nothing was written; use another file for the ledger',
    })
  }
  return { lines, end, lastLine: lines === 0 ? null : lastLineOf(fd, end) }
}

/**
 * Copies a torn last line to a separate file, then truncates the ledger. Because of this order, a crash cannot lose
 * the bytes.
 */
export function moveTornTailAside(fd: number, path: string, end: number): TornTail | null {
  const bytes = fstatSync(fd).size - end
  if (bytes === 0) return null
  const torn = Buffer.alloc(bytes)
  readSync(fd, torn, 0, bytes, end)
  const movedTo = freeName(`${path}.torn-${end}`)
  writeFileSync(movedTo, torn, { flag: 'wx', mode: 0o600, flush: true })
  syncFolderOf(movedTo)
  ftruncateSync(fd, end)
  fsyncSync(fd)
  return { movedTo, bytes }
}

/** Returns an unused file name, so that a second torn line at the same offset does not overwrite the first file. */
function freeName(name: string): string {
  let free = name
  for (let copy = 2; lstatSync(free, { throwIfNoEntry: false }) !== undefined; copy += 1) free = `${name}-${copy}`
  return free
}

/** Counts the complete lines and finds the end of the last complete line. */
function scanLines(fd: number): { readonly lines: number; readonly end: number } {
  let lines = 0
  let end = 0
  for (const at of lineEnds(fd)) {
    lines += 1
    end = at + 1
  }
  return { lines, end }
}

/** Yields the offsets of the line feeds. */
function* lineEnds(fd: number): Generator<number> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  for (let offset = 0; ; ) {
    const bytes = chunk.subarray(0, readSync(fd, chunk, 0, CHUNK_BYTES, offset))
    if (bytes.length === 0) return
    for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) yield offset + at
    offset += bytes.length
  }
}

/** A complete line. */
export interface FileLine {
  readonly position: number
  /** Whether the line starts like a control entry. */
  readonly isControl: boolean
  /** Reads the line, without its LF. */
  bytes(): Uint8Array
}

const CONTROL_START = Buffer.from('{"checkpoint":')

/** Yields the complete lines of a file, in order. Only the first bytes of each line are read. */
export function* linesOf(fd: number): Generator<FileLine> {
  const start = Buffer.alloc(CONTROL_START.length)
  let position = 0
  let from = 0
  for (const end of lineEnds(fd)) {
    position += 1
    const at = from
    const length = end - at
    readSync(fd, start, 0, start.length, at)
    yield {
      position,
      isControl: start.equals(CONTROL_START),
      bytes: () => readExactly(fd, at, Math.min(length, LINE_BYTES_MAX + 1)),
    }
    from = end + 1
  }
}

function readExactly(fd: number, at: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(length)
  readSync(fd, bytes, 0, length, at)
  return bytes
}

/** Reads the line that ends at `end`, without its LF. */
function lastLineOf(fd: number, end: number): Uint8Array {
  for (let span = CHUNK_BYTES; ; span *= 2) {
    const start = Math.max(0, end - 1 - Math.min(span, LINE_BYTES_MAX))
    const bytes = Buffer.alloc(end - 1 - start)
    readSync(fd, bytes, 0, bytes.length, start)
    const before = bytes.lastIndexOf(LF)
    if (before !== -1) return bytes.subarray(before + 1)
    if (start === 0 || span >= LINE_BYTES_MAX) return bytes
  }
}
