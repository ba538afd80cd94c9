// A thread that helps to verify: it opens the same store, or gets rows handed over, and judges range after range. It answers in the order of the
// questions.
import { parentPort, workerData } from 'node:worker_threads'
import { parsePublicKey } from '@sudoagent/crypto'
import type { OpenedSource, RangeRows } from '../ledger.js'
import { PartJudge, partKeysOf } from '../part/judge.js'
import { judgeRows, openRangeJudge, type RangeFacts } from './range-judge.js'

/** What a helper is started with: the store, null where rows are handed over; and the keys that may sign, in PEM; null where signatures are not asked for. */
export interface HelperStart {
  readonly source: OpenedSource | null
  readonly keys: readonly string[] | null
}

/** A range to judge, its rows, or `health`. */
export type HelperTask = readonly [from: number, to: number] | RangeRows | 'health'

const { source, keys: pems } = workerData as HelperStart
const keys = partKeysOf(pems?.map(parsePublicKey) ?? null)
const own = source === null ? null : await openRangeJudge(source, keys)
const handed = new PartJudge(keys)

function answer(task: HelperTask): RangeFacts | string | null {
  if (task === 'health') return own?.health() ?? 'ok'
  return 'lines' in task ? judgeRows(handed, task) : (own?.judge(...task) ?? null)
}

parentPort?.on('message', (task: HelperTask) => {
  const facts = answer(task)
  const buffers = facts === null || typeof facts === 'string' ? [] : [facts.hashes, facts.leaves, facts.calls]
  parentPort?.postMessage(facts, buffers.map(({ buffer }) => buffer) as ArrayBuffer[])
})
