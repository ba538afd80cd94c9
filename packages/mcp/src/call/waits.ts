// Calls of `sudoagent_wait`: finds the call of a waiting id, and goes on with it.
import { setTimeout as delay } from 'node:timers/promises'
import type { WaitingEngine } from '@sudoagent/core/boundary'
import type { Catalogue } from '../tool/catalogue.js'
import type { Incoming } from '../wire/peer.js'
import { resultGone, runningResult, waitingIdUnknown, waitRefused } from './denial-result.js'
import { type PendingCalls, type ToldCall, waitingIdOf } from './pending-calls.js'
import type { ToolCalls } from './tool-call.js'
import { readWaitArguments, subjectOf, WAIT_TOOL, waitToolOf } from './wait-tool.js'

export interface WaitParts {
  /** Whether the tool may be offered. */
  readonly isOn: boolean
  readonly server: string
  readonly engine: WaitingEngine
  readonly holdMs: number
  readonly pending: PendingCalls
  readonly catalogue: Catalogue
  readonly note: (text: string) => void
}

/** Denials of a call that another request or process has decided, and of an id that this client may not use. */
const NOT_THERE: readonly string[] = ['APPROVAL_ALREADY_USED', 'APPROVAL_NOT_FOUND']

export class Waits {
  readonly #parts: WaitParts
  readonly #calls: ToolCalls

  constructor(parts: WaitParts, calls: ToolCalls) {
    this.#parts = parts
    this.#calls = calls
  }

  /** The name of the tool; null if it is not offered, because the server has a tool of this name. */
  async name(): Promise<string | null> {
    if (!this.#parts.isOn) return null
    try {
      const { refusal } = await this.#parts.catalogue.standing(WAIT_TOOL)
      return refusal?.code === 'TOOL_UNKNOWN' ? WAIT_TOOL : null
    } catch {
      return null
    }
  }

  /** Adds the tool to the first page of a tool list. */
  async addTo(page: object): Promise<object> {
    const { tools } = page as { tools?: unknown }
    if (!Array.isArray(tools) || (await this.name()) === null) return page
    return { ...page, tools: [...tools, waitToolOf(this.#parts.holdMs)] }
  }

  /** Whether a request calls the tool. */
  async isCalledBy({ method, params }: Incoming): Promise<boolean> {
    return method === 'tools/call' && params?.name === WAIT_TOOL && (await this.name()) !== null
  }

  async handle(request: Incoming): Promise<object> {
    const read = readWaitArguments(request.params?.arguments ?? {}, this.#parts.holdMs)
    if (typeof read === 'string') return waitRefused(read, WAIT_TOOL)
    const { waitingId, waitMs } = read
    const { pending } = this.#parts
    const untilMs = performance.now() + waitMs
    const leftMs = (): number => Math.max(0, untilMs - performance.now())
    const told = pending.findRun(waitingId) === undefined ? await this.#find(waitingId) : null
    if (told !== null) {
      const { approvalId, subject } = told
      const settled = await this.#calls.resume(approvalId, subject, request, leftMs())
      const isDecidedHere = settled.status !== 'denied' || !NOT_THERE.includes(settled.code)
      if (isDecidedHere) return await this.#calls.answer(settled, subject, request)
      if (pending.findRun(waitingId) === undefined) pending.forget(approvalId)
    }
    return await this.#resultOf(waitingId, leftMs())
  }

  /** The result of a call that ran; it may be requested more than once. */
  async #resultOf(waitingId: string, waitMs: number): Promise<object> {
    const { pending } = this.#parts
    const run = pending.findRun(waitingId)
    if (run === undefined) return waitingIdUnknown()
    if (typeof run === 'function') return run()
    if (run.state === 'gone') return resultGone()
    const ended = run.ended.then(
      () => true,
      () => true,
    )
    const hasEnded = await Promise.race([ended, delay(waitMs, false)])
    if (!hasEnded) return runningResult(waitingId, WAIT_TOOL)
    return await this.#resultOf(waitingId, 0)
  }

  /** Finds a pending call: one that this guard answered, or one whose recorded arguments are those that were sent. */
  async #find(waitingId: string): Promise<ToldCall | null> {
    const { pending, engine, server, note } = this.#parts
    const told = pending.find(waitingId)
    if (told !== undefined) return told
    try {
      const record = (await engine.questions()).find(({ approvalId }) => waitingIdOf(approvalId) === waitingId)
      const subject = record === undefined ? null : subjectOf(record, server)
      if (record === undefined || subject === null) return null
      const found = { approvalId: record.approvalId, subject, session: this.#calls }
      pending.tell(found, record.expiresAt)
      return found
    } catch (error) {
      note(`the open questions could not be read: ${error instanceof Error ? error.message : 'unknown'}`)
      return null
    }
  }
}
