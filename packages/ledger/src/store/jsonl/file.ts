// What a JSONL file looks like to a writer before it writes: whole lines, the last of them, and perhaps a torn one behind it.
import { fstatSync, fsyncSync, ftruncateSync, lstatSync, readSync, writeFileSync } from 'node:fs'
import { LedgerError } from '../../error.js'
import { syncFolderOf } from '../../file.js'
import { LINE_BYTES_MAX } from '../../limits.js'

/** A torn last line that was found and moved aside when the ledger was opened. */
export interface TornTail {
  readonly movedTo: string
  readonly bytes: number
}

export interface JsonlFile {
  readonly lines: number
  /** Where the last whole line ends; what is behind it is torn. */
  readonly end: number
  /** Without its LF; null when there is no whole line. At most LINE_BYTES_MAX of it. */
  readonly lastLine: Uint8Array | null
}

const LF = 10
const CHUNK_BYTES = 64 * 1024

// Entries are canonical, so their keys are sorted: a call's first key is `action`, a control entry's `checkpoint`.
const ENTRY_STARTS = ['{"action":', '{"checkpoint":']

/**
 * Looks at a file without changing it.
 *
 * @throws LedgerError LEDGER_NOT_A_LEDGER when it is somebody's other file: its first byte is not `{`, or it has no whole line and does not
 * start like an entry, or what is behind the last line is longer than any entry
 */
export function inspectJsonl(fd: number, path: string): JsonlFile {
  const { lines, end } = scanLines(fd)
  const first = Buffer.alloc(16)
  const start = first.subarray(0, readSync(fd, first, 0, first.length, 0)).toString('latin1')
  const torn = fstatSync(fd).size - end
  const isEntry = ENTRY_STARTS.some((entry) => entry.startsWith(start) || start.startsWith(entry))
  if (!(lines === 0 ? isEntry : start.startsWith('{')) || torn > LINE_BYTES_MAX) {
    throw new LedgerError('LEDGER_NOT_A_LEDGER', `\`${path}\` is not a JSONL ledger`, {
      hint: 'nothing was written; name another file for the ledger',
    })
  }
  return { lines, end, lastLine: lines === 0 ? null : lastLineOf(fd, end) }
}

/** Moves what stands behind the last whole line to a file of its own, then cuts it off. In this order: no crash can lose it. */
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

/** A writer that is cut off twice at the same place must not lose the first torn line to the second. */
function freeName(name: string): string {
  let free = name
  for (let copy = 2; lstatSync(free, { throwIfNoEntry: false }) !== undefined; copy += 1) free = `${name}-${copy}`
  return free
}

/** Counts the whole lines, and says where the last of them ends. */
function scanLines(fd: number): { readonly lines: number; readonly end: number } {
  let lines = 0
  let end = 0
  for (const at of lineEnds(fd)) {
    lines += 1
    end = at + 1
  }
  return { lines, end }
}

/** Where the line feeds are. */
function* lineEnds(fd: number): Generator<number> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  for (let offset = 0; ; ) {
    const bytes = chunk.subarray(0, readSync(fd, chunk, 0, CHUNK_BYTES, offset))
    if (bytes.length === 0) return
    for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) yield offset + at
    offset += bytes.length
  }
}

/** A whole line: its position, and its bytes when they are asked for. */
export interface FileLine {
  readonly position: number
  /** Whether it begins like a control entry. */
  readonly isControl: boolean
  /** Without its LF. */
  bytes(): Uint8Array
}

const CONTROL_START = Buffer.from('{"checkpoint":')

/** The whole lines of a file, one after another; only the beginning of each is read. */
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

/** The bytes of the line that ends at `end`, without its LF. */
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
