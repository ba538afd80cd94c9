// The code of a worker thread. A worker opens the same store, or receives rows, and processes ranges in the order of
// the requests.
import { parentPort, workerData } from 'node:worker_threads'
import { parsePublicKey } from '@sudoagent/crypto'
import { ChunkChecker, chunkKeysOf } from '../plain/chunk-checker.js'
import type { OpenedSource, RangeRows } from '../port/reader.js'
import { checkRows, openRangeChecker, type RangeSummary } from './checker.js'
import { openRangeScanner, type RangeText } from './scanner.js'
import type { PieceWork } from './task.js'

/** The `workerData` of a worker. */
export type HelperStart = CheckStart | ScanStart

/**
 * Starts a checker. `source` is null if rows are transferred; `keys` contains public keys in PEM, or is null if
 * signatures are not checked.
 */
export interface CheckStart {
  readonly source: OpenedSource | null
  readonly keys: readonly string[] | null
}

/** Starts a scanner for a search or an export. */
export interface ScanStart {
  readonly source: OpenedSource
  readonly work: PieceWork
}

/** A range to check, or its rows. */
type CheckTask = ({ readonly from: number; readonly to: number } | { readonly rows: RangeRows }) & {
  readonly listsAllowed: boolean
}

/** A range to scan, with the position of its first line. */
type ScanTask = readonly [from: number, to: number, position: number]

/** A request; `health` asks for the integrity check. */
export type HelperTask = CheckTask | ScanTask | 'health'

type Answer = RangeSummary | RangeText | string | null

const start = workerData as HelperStart
await help('work' in start ? await scanner(start) : await check(start))

async function check({ source, keys: pems }: CheckStart): Promise<(task: HelperTask) => Answer> {
  const keys = chunkKeysOf(pems?.map(parsePublicKey) ?? null)
  const own = source === null ? null : await openRangeChecker(source, keys)
  const handed = new ChunkChecker(keys)
  return (task) => {
    if (task === 'health') return own?.health() ?? 'ok'
    if ('rows' in task) return checkRows(handed, task.rows, task.listsAllowed)
    return 'from' in task ? (own?.check(task.from, task.to, task.listsAllowed) ?? null) : null
  }
}

async function scanner({ source, work }: ScanStart): Promise<(task: HelperTask) => Answer> {
  const own = await openRangeScanner(source, work)
  return (task) => {
    if (task === 'health') return own.health()
    return Array.isArray(task) ? own.scan(...(task as ScanTask)) : null
  }
}

async function help(answer: (task: HelperTask) => Answer): Promise<void> {
  parentPort?.on('message', (task: HelperTask) => {
    const result = answer(task)
    const buffers =
      result !== null && typeof result !== 'string' && 'hashes' in result
        ? [result.hashes, result.leaves, result.calls]
        : []
    parentPort?.postMessage(result, buffers.map(({ buffer }) => buffer) as ArrayBuffer[])
  })
}
