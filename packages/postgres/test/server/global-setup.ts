// Runs before and after all tests. Names a folder for the one server that they share; the first test that asks for it starts it, so that a run
// without such a test pays nothing.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FOLDER_VARIABLE } from './shared.js'

export function setup(): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sudoagent-pg-'))
  process.env[FOLDER_VARIABLE] = folder
  return async () => {
    const ready = join(folder, 'ready')
    if (existsSync(ready)) {
      const { stopCluster } = await import('./cluster.js')
      await stopCluster(JSON.parse(readFileSync(ready, 'utf8')), 'SIGQUIT')
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}
