// The code of the thread that walks the pages of a database file, sends one `WalkAnswer` and exits.
import { parentPort, workerData } from 'node:worker_threads'
import { answerWalk, type WalkTask } from './file-check.js'

parentPort?.postMessage(answerWalk(workerData as WalkTask))
