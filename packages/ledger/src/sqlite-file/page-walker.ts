// The thread that walks the pages of a database file: it sends one `WalkAnswer` and ends.
import { parentPort, workerData } from 'node:worker_threads'
import { answerWalk, type WalkTask } from './file-check.js'

parentPort?.postMessage(answerWalk(workerData as WalkTask))
