import { Worker } from 'node:worker_threads'
import type { WalkAnswer, WalkTask } from './file-check.js'

const PAGE_WALKER = new URL('./page-walker.js', import.meta.url)

/** The thread needs memory for one page and a bitmap with one bit for each page of the file. */
const LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 }

/**
 * Walks the pages of a database file in a separate thread.
 *
 * @returns null if the thread could not be started or crashed
 */
export async function walkInThread(walk: WalkTask): Promise<WalkAnswer | null> {
  const worker = new Worker(PAGE_WALKER, { workerData: walk, resourceLimits: LIMITS })
  try {
    return await new Promise((resolve) => {
      worker.on('message', resolve)
      worker.on('error', () => resolve(null))
      worker.on('exit', () => resolve(null))
    })
  } finally {
    await worker.terminate()
  }
}
