// A thread that helps to verify: it opens the same store, judges the ranges that it is told, and answers in the order of the questions.
import { parentPort, workerData } from 'node:worker_threads'
import { parsePublicKey } from '@sudoagent/crypto'
import type { RangeSource } from '../ledger.js'
import { partKeysOf } from '../part/judge.js'
import { openRangeJudge } from './range-judge.js'

/** What a helper is started with: the store, and the keys that may sign, in PEM; null where signatures are not asked for. */
export interface HelperStart {
  readonly source: RangeSource
  readonly keys: readonly string[] | null
}

/** A range to judge, or `health`. */
export type HelperTask = readonly [from: number, to: number] | 'health'

const { source, keys } = workerData as HelperStart
const judge = await openRangeJudge(source, partKeysOf(keys?.map(parsePublicKey) ?? null))

parentPort?.on('message', (task: HelperTask) => {
  if (task === 'health') {
    parentPort?.postMessage(judge.health())
    return
  }
  const facts = judge.judge(...task)
  const buffers = facts === null ? [] : [facts.hashes.buffer, facts.leaves.buffer, facts.calls.buffer]
  parentPort?.postMessage(facts, buffers as ArrayBuffer[])
})
