// Starts an HTTP server in a separate process.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export const fixture = (name: string): string => join(import.meta.dirname, '../fixtures', name)

/** Starts the reference server. @returns its URL */
export async function startReference(): Promise<URL> {
  const child = spawn(process.execPath, [fixture('reference-server.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return new URL(String(line).trim())
}
