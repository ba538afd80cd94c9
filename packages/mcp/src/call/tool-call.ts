/**
 * `tools/call`, from its arrival to its outcome.
 *
 *     request → tool known, definition accepted → arguments read and checked → engine.authorize (policy, budget,
 *       approval, decision recorded) → definition still the same → sent to the server → result → outcome recorded
 *
 * The call that is sent is the one that was decided on: its arguments are the text that the engine recorded, numbers as
 * the client wrote them (`sent-call.ts`). A decision outlives the request that asked for it: when the client gives up or
 * asks again, the same question goes on, and the call runs at most once (`call-board.ts`, `open-call.ts`). While it waits
 * longer than the hold, the client is answered "pending".
 *
 * Every refusal is a tool result with `isError`, in words that a model understands (`denial-result.ts`). Whatever happens
 * after the decision was recorded, an outcome is recorded as well: the server's result, its error, or that the call was
 * cancelled or not sent.
 */
import { type Authorization, type Engine, UNRECORDABLE } from '@sudoagent/core'
import { TOOL_ERROR_LENGTH_MAX, UNKNOWN_TOOL_LENGTH_MAX } from '../limits.js'
import type { Catalogue, ToolStatus } from '../tool/catalogue.js'
import { isToolName } from '../tool/tool-definition.js'
import type { Incoming, Params } from '../wire/peer.js'
import { RpcError } from '../wire/rpc-error.js'
import { type ArgumentCheck, checkArguments } from './argument-check.js'
import { readCallArguments } from './call-arguments.js'
import { PendingCalls } from './call-board.js'
import { CallFailure, cancellation, ended, failureOf, notSent } from './call-failure.js'
import { denialResult, failureResult, pendingId, pendingResult } from './denial-result.js'
import { argumentRefusal, internalDenial, nameRefusal, refusalPolicy } from './guard-refusal.js'
import type { CallSubject, OpenCall, Settled } from './open-call.js'
import { keyOf, type PendingCall, sentParams } from './sent-call.js'

export interface ToolCallParts {
  readonly server: string
  readonly engine: Engine
  readonly holdMs: number
  readonly catalogue: Catalogue
  readonly checkArguments: ArgumentCheck
  /** What the ledger says about where the call came from. */
  readonly metadata: () => Readonly<Record<string, unknown>>
  /** A call with an id of its own, known to the approver. */
  readonly open: (request: Incoming, subject: CallSubject) => OpenCall
  /** Its decision was made. */
  readonly close: (call: OpenCall) => void
  /** Has `engine.authorize` take the id of this call. */
  readonly withId: <T>(requestId: string, authorize: () => T) => T
  readonly forward: (params: Params, request: Incoming) => Promise<object>
  /** Says to the client that its call waits, for the `count`th time. */
  readonly progress: (request: Incoming, count: number) => void
  readonly note: (text: string) => void
  /** Takes secrets out of a stranger's text. */
  readonly redact: (text: string) => string
}

/** What stands in the way of a call, in its tool or in its session. */
interface Standing {
  readonly digest: string | null
  readonly refusal: { readonly code: string; readonly reason: string } | null
}

/** The tool calls of one session. */
export class ToolCalls {
  readonly #parts: ToolCallParts
  readonly #board = new PendingCalls()
  readonly #byRequest = new Map<Incoming['id'], OpenCall>()
  readonly #running = new Set<Promise<unknown>>()
  readonly #announced = new WeakSet<OpenCall>()
  /** Why no call is taken any more. */
  #closed: string | null = null

  constructor(parts: ToolCallParts) {
    this.#parts = parts
  }

  /** How many wait for an approver. */
  get openApprovals(): number {
    return this.#board.openApprovals
  }

  /** @returns the server's result, untouched, or a result that says why there is none */
  async handle(request: Incoming): Promise<object> {
    const asked = this.#read(request)
    const settled = await this.#decide(asked, request)
    if ('result' in settled) return settled.result
    return await this.#track(this.#run(settled.authorization, settled.subject, request))
  }

  /** The connection that waits for this request is gone; the request is not. */
  detach(id: Incoming['id']): void {
    this.#byRequest.get(id)?.detach()
  }

  /** Ends what waits for an approver, and resolves when everything that was under way is on record. */
  async close(reason: string): Promise<void> {
    this.#closed = reason
    this.#board.cancelAll(cancellation(reason))
    // A call that comes in meanwhile is refused on record.
    while (this.#running.size > 0) await Promise.allSettled([...this.#running])
  }

  #read({ params = {} }: Incoming): PendingCall {
    const { name, arguments: args = {}, task } = params
    if (typeof name !== 'string' || !isToolName(name.normalize('NFC')))
      throw RpcError.invalidParams('`name` must be the name of a tool')
    if (typeof args !== 'object' || args === null || Array.isArray(args))
      throw RpcError.invalidParams('`arguments` must be an object')
    // Its result would come later, past the outcome on record.
    if (task !== undefined) throw RpcError.invalidParams('tasks are refused: the guard does not pass them')
    return { action: `${this.#parts.server}/${name}`, tool: name, params, args: readCallArguments(args) }
  }

  async #decide(
    asked: PendingCall,
    request: Incoming,
  ): Promise<{ readonly authorization: Authorization; readonly subject: CallSubject } | { readonly result: object }> {
    const { holdMs, progress, note } = this.#parts
    const call = await this.#callFor(asked, request)
    const cancel = (): void => call.cancel(cancellation(request.signal.reason))
    if (request.signal.aborted) cancel()
    request.signal.addEventListener('abort', cancel, { once: true })
    this.#byRequest.set(request.id, call)
    try {
      let waited = 0
      const onWait = (): void => {
        this.#sayWaiting(call, asked)
        progress(request, waited++)
      }
      const settled = await call.wait({ holdMs, onWait })
      if (settled === 'pending') return { result: pendingResult(call.requestId) }
      // Exactly `allowed`: whatever else an engine says, nothing is sent.
      if (settled.status !== 'allowed') return { result: denialResult(settled) }
      return { authorization: settled, subject: call.subject }
    } catch (error) {
      note(`a call was refused because of an internal error: ${error instanceof Error ? error.message : String(error)}`)
      return { result: denialResult(internalDenial(call.requestId)) }
    } finally {
      request.signal.removeEventListener('abort', cancel)
      this.#byRequest.delete(request.id)
    }
  }

  /** Once a call, and at once. The client's side can read it: the id is a hash, and leads to no approval. */
  #sayWaiting(call: OpenCall, { action }: PendingCall): void {
    if (this.#announced.has(call)) return
    this.#announced.add(call)
    this.#parts.note(`\`${action}\` waits for a person's approval, waiting id ${pendingId(call.requestId)}`)
  }

  /** The open call that this one repeats, or a new one. */
  async #callFor(asked: PendingCall, request: Incoming): Promise<OpenCall> {
    const standing = this.#standingOf(asked, await this.#standing(asked.params))
    // A question about another definition of the tool is another question.
    const key = standing.refusal === null ? keyOf(asked, standing.digest) : null
    const repeated = this.#board.attach(key)
    if (repeated !== null) return repeated
    const call = this.#parts.open(request, { params: asked.params, args: asked.args, definition: standing.digest })
    const settled = this.#track(this.#authorize(asked, standing, call))
    call.begin(settled)
    const forget = this.#board.add(key, call)
    const done = (): void => {
      forget()
      this.#parts.close(call)
    }
    settled.then(done, done)
    return call
  }

  /** A session that is over takes no calls, and a tool no arguments that it does not have: refusals like any other, on record. */
  #standingOf({ args }: PendingCall, { digest, inputSchema, refusal }: ToolStatus): Standing {
    if (this.#closed !== null) return { digest, refusal: ended(this.#closed) }
    if (refusal !== null || args.refusal !== null) return { digest, refusal }
    const reason = checkArguments(inputSchema, args.values, this.#parts.checkArguments)
    return { digest, refusal: reason === null ? null : { code: 'PARAMETERS_INVALID', reason } }
  }

  async #standing(params: Params): Promise<ToolStatus> {
    try {
      return await this.#parts.catalogue.standing(String(params.name))
    } catch (error) {
      this.#parts.note(`the definition of a tool is not known: ${error instanceof Error ? error.message : 'unknown'}`)
      return { digest: null, refusal: UNREADABLE }
    }
  }

  #authorize(asked: PendingCall, { digest, refusal: standing }: Standing, call: OpenCall): Promise<Settled> {
    const { server, engine, withId, metadata, redact } = this.#parts
    const { tool, args } = asked
    const refusal = nameRefusal(tool) ?? standing ?? argumentRefusal(args)
    // Such a name is the client's text, of which nothing is known: it does not stand where names of tools do.
    const unknown = refusal?.code === 'TOOL_UNKNOWN' || nameRefusal(tool) !== null
    // Redacted before it is cut: half a secret is not recognised.
    const named = unknown ? { tool: redact(tool).slice(0, UNKNOWN_TOOL_LENGTH_MAX).toWellFormed() } : {}
    const policy = refusal === null ? {} : { policy: refusalPolicy(refusal) }
    return withId(call.requestId, () =>
      engine.authorize({
        action: unknown ? `${server}/${UNKNOWN_TOOL}` : asked.action,
        args: args.refusal === null ? [args.values] : UNRECORDABLE,
        metadata: { mcp: { ...metadata(), tool_definition: digest, ...named } },
        // Whoever answers sees which definition was shown to the model, at the client and in the approval store.
        remark: `Tool definition, not part of what you sign: ${digest ?? 'unknown'}`,
        signal: call.signal,
        ...policy,
      }),
    )
  }

  async #run(authorization: Authorization, subject: CallSubject, request: Incoming): Promise<object> {
    const { engine, forward, note } = this.#parts
    const fail = async (error: Error): Promise<void> => {
      await engine.record(authorization, { status: 'error', error })
    }
    // The approval may have taken minutes, and the server may have changed the tool meanwhile: its tools are read again where it said so.
    const { refusal } = await this.#standing(subject.params)
    if (request.signal.aborted) {
      await fail(notSent(request.signal.reason))
      return {}
    }
    // From here to `forward` nothing is waited for.
    const now = refusal ?? this.#changeOf(subject)
    if (now !== null) {
      await fail(new CallFailure(now.code, `${now.reason}; it did not run`))
      const { requestId, decisionHash } = authorization
      return denialResult({ status: 'denied', ...now, retryable: false, requestId, decisionHash })
    }
    const sent = sentParams(authorization, subject, request)
    try {
      const result = await forward(sent, request)
      if ((result as { isError?: unknown }).isError === true) await fail(new ToolError(wordsOf(result)))
      else await engine.record(authorization, { status: 'success' })
      return result
    } catch (error) {
      if (error instanceof RpcError) {
        await fail(error)
        throw error
      }
      const failure = failureOf(error, request.signal)
      await fail(failure)
      note(`a call ended without a result: ${failure.message}`)
      return failureResult(failure)
    }
  }

  /** Why a call may not be sent at this moment; null when the tool is the one that was asked about. */
  #changeOf({ params, definition }: CallSubject): ToolStatus['refusal'] {
    try {
      const { digest, refusal } = this.#parts.catalogue.lookUp(String(params.name))
      if (refusal !== null || digest === definition) return refusal
      return { code: 'TOOL_DEFINITION_CHANGED', reason: 'the definition of the tool has changed since the decision' }
    } catch {
      return UNREADABLE
    }
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work)
    const done = (): void => void this.#running.delete(work)
    work.then(done, done)
    return work
  }
}

const UNREADABLE: ToolStatus['refusal'] = {
  code: 'TOOL_UNKNOWN',
  reason: 'the definition of the tool cannot be found out',
}

/** The tool ran, and says that it failed. */
class ToolError extends Error {
  override readonly name = 'ToolError'
}

function wordsOf(result: object): string {
  const { content } = result as { content?: unknown }
  const words = Array.isArray(content) ? content.map((part) => (part as { text?: unknown } | null)?.text) : []
  return words
    .filter((word) => typeof word === 'string')
    .join(' ')
    .slice(0, TOOL_ERROR_LENGTH_MAX)
}

/** Stands on record for a tool that the server does not show. */
const UNKNOWN_TOOL = '<unknown>'
