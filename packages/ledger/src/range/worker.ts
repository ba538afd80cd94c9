// A thread that helps: it opens the same store, or gets rows handed over, and deals with range after range. It answers in the order of the
// questions.
import { parentPort, workerData } from 'node:worker_threads'
import { parsePublicKey } from '@sudoagent/crypto'
import { PartJudge, partKeysOf } from '../plain/judge-lines.js'
import type { OpenedSource, RangeRows } from '../port/reader.js'
import { judgeRows, openRangeJudge, type RangeFacts } from './judge.js'
import { openRangeScanner, type RangeText } from './scanner.js'
import type { PieceWork } from './task.js'

/** What a helper is started with: what it is to do, and where. */
export type HelperStart = JudgeStart | ScanStart

/** Judges. The store is null where rows are handed over; the keys that may sign are in PEM, null where signatures are not asked for. */
export interface JudgeStart {
  readonly source: OpenedSource | null
  readonly keys: readonly string[] | null
}

/** Looks for something, or makes rows. */
export interface ScanStart {
  readonly source: OpenedSource
  readonly work: PieceWork
}

/** A range, with the position of its first line where that is asked for; the rows of one; or `health`. */
export type HelperTask = readonly [from: number, to: number, position?: number] | RangeRows | 'health'

type Answer = RangeFacts | RangeText | string | null

const start = workerData as HelperStart
await help('work' in start ? await scanner(start) : await judge(start))

async function judge({ source, keys: pems }: JudgeStart): Promise<(task: HelperTask) => Answer> {
  const keys = partKeysOf(pems?.map(parsePublicKey) ?? null)
  const own = source === null ? null : await openRangeJudge(source, keys)
  const handed = new PartJudge(keys)
  return (task) => {
    if (task === 'health') return own?.health() ?? 'ok'
    if ('lines' in task) return judgeRows(handed, task)
    return own?.judge(task[0], task[1]) ?? null
  }
}

async function scanner({ source, work }: ScanStart): Promise<(task: HelperTask) => Answer> {
  const own = await openRangeScanner(source, work)
  return (task) => {
    if (task === 'health') return own.health()
    return 'lines' in task ? null : own.scan(task[0], task[1], task[2] ?? 0)
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
