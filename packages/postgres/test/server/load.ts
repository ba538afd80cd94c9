// Runs writers in separate processes, collects the results that they report, and compares these results with the
// ledger at the end.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { select, verify } from '@sudoagent/ledger'
import { isCallEntry } from '@sudoagent/ledger/entry'
import { expect } from 'vitest'
import { testKey } from '../../../ledger/test/fixtures/draft.js'
import { openPostgresLedger } from '../../src/ledger/reader.js'

export class Writer {
  readonly #child: ChildProcess
  readonly #ready: Promise<void>
  readonly #ended: Promise<unknown>
  /** Maps the request ID of each acknowledged append to the position of its entry. */
  readonly told = new Map<string, number>()
  /** The error codes of refused appends. */
  readonly refused: string[] = []

  constructor(url: string, name: string, { inFlight = 8, busyTimeoutMs = 10_000 } = {}) {
    const script = join(import.meta.dirname, '../fixtures/load.mjs')
    this.#child = spawn(process.execPath, [script, url, name, String(inFlight), String(busyTimeoutMs)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#ended = once(this.#child, 'exit')
    const lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })
    this.#ready = once(lines, 'line').then(() => {})
    lines.on('line', (line) => {
      const answer = JSON.parse(line) as { readonly yes?: string; readonly position?: number; readonly code?: string }
      if (answer.yes !== undefined) this.told.set(answer.yes, answer.position ?? 0)
      if (answer.code !== undefined) this.refused.push(answer.code)
    })
  }

  /** Resolves when the writer's ledger is open. */
  ready(): Promise<void> {
    return this.#ready
  }

  /** Resolves when `more` further appends have been acknowledged. */
  async answered(more: number, withinMs = 60_000): Promise<void> {
    const wanted = this.told.size + more
    for (const deadline = Date.now() + withinMs; this.told.size < wanted; ) {
      if (Date.now() > deadline || this.#child.exitCode !== null)
        throw new Error(
          `only ${this.told.size} of ${wanted} appends were answered; last refusals: ${this.refused.slice(-3)}`,
        )
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** Lets the writer finish its pending appends. */
  async end(): Promise<void> {
    this.#child.stdin?.end()
    await this.#ended
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}

/**
 * Compares the writers' results with the ledger. The entry of each acknowledged append must be at the reported position
 * and occur only once, and the hash chain must be complete. @returns the number of entries
 */
export async function judge(url: string, writers: readonly Writer[]): Promise<number> {
  const reader = await openPostgresLedger(url)
  try {
    const report = await verify(reader, { publicKeys: [testKey(1).publicKey] })
    expect(report).toMatchObject({ verdict: 'signed', findings: [] })
    const positions = new Map<string, number>()
    for await (const { entry, position } of select(reader)) {
      if (!isCallEntry(entry)) continue
      expect(positions.has(entry.request_id), `${entry.request_id} is on record twice`).toBe(false)
      positions.set(entry.request_id, position)
    }
    for (const { told } of writers) {
      for (const [requestId, position] of told)
        expect(positions.get(requestId), `${requestId} was acknowledged`).toBe(position)
    }
    return report.entries
  } finally {
    await reader.close()
  }
}
