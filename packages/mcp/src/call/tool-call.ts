/**
 * Handles `tools/call` from arrival to outcome.
 *
 *   request → tool known, definition accepted → arguments read and checked → engine.authorize (policy, budget,
 *     approval, decision recorded) → definition unchanged → sent to the server → result → outcome recorded
 *
 * The guard sends exactly the call that the decision covers: the arguments are the recorded text, with numbers as the
 * client wrote them (`sent-call.ts`). A decision may outlive the request that started it: after the hold time, the
 * client receives "pending", and the approval stays pending. A repeated call attaches to that approval, and the call
 * runs at most once (`call-board.ts`, `open-call.ts`).
 *
 * Every refusal is a tool result with `isError` and a text for the model (`denial-result.ts`). After an allowing
 * decision, an outcome is always recorded: a success, the server's error, a cancellation, or the reason why the call
 * was not sent.
 */
import type { Authorization, Engine } from '@sudoagent/core'
import { traceIn, UNRECORDABLE } from '@sudoagent/core/boundary'
import { UNKNOWN_TOOL_LENGTH_MAX } from '../limits.js'
import type { Catalogue, ToolStatus } from '../tool/catalogue.js'
import { isToolName } from '../tool/tool-definition.js'
import { stringifyExact } from '../wire/exact-json.js'
import type { Incoming, Params } from '../wire/peer.js'
import { RpcError } from '../wire/rpc-error.js'
import { type ArgumentCheck, checkArguments } from './argument-check.js'
import { readCallArguments } from './call-arguments.js'
import { PendingCalls } from './call-board.js'
import { CallFailure, cancellation, ended, failureOf, notSent, ToolError, wordsOf } from './call-failure.js'
import { denialResult, failureResult, pendingId, pendingResult } from './denial-result.js'
import { argumentRefusal, internalDenial, nameRefusal, refusalPolicy } from './guard-refusal.js'
import { withoutNulls } from './null-arguments.js'
import type { CallSubject, OpenCall, Settled } from './open-call.js'
import { keyOf, type PendingCall, sentParams } from './sent-call.js'

export interface ToolCallParts {
  readonly server: string
  readonly engine: Engine
  readonly holdMs: number
  readonly catalogue: Catalogue
  readonly checkArguments: ArgumentCheck
  /** Whether nulls of optional arguments are dropped where the tool takes no null. */
  readonly omitNullArguments: boolean
  /** The origin of the call, for the entry metadata. */
  readonly metadata: () => Readonly<Record<string, unknown>>
  /** Creates a call with a new id and registers it with the approver. */
  readonly open: (request: Incoming, subject: CallSubject) => OpenCall
  /** Called after the decision. */
  readonly close: (call: OpenCall) => void
  readonly forward: (params: Params, request: Incoming) => Promise<object>
  /** Notifies the client, for the `count`th time, that the call is still waiting. */
  readonly progress: (request: Incoming, count: number) => void
  readonly note: (text: string) => void
  /** Removes secrets from untrusted text. */
  readonly redact: (text: string) => string
}

/**
 * The status of a call: the digest of the tool definition, and the refusal if the tool or the session refuses the
 * call.
 */
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
  /** The reason why the session ended; null while the session is open. */
  #closed: string | null = null

  constructor(parts: ToolCallParts) {
    this.#parts = parts
  }

  /** Number of calls that are waiting for an approver. */
  get openApprovals(): number {
    return this.#board.openApprovals
  }

  /** @returns the unchanged server result, or a result that explains why there is no server result */
  async handle(request: Incoming): Promise<object> {
    const asked = this.#read(request)
    const settled = await this.#decide(asked, request)
    if ('result' in settled) return settled.result
    return await this.#track(this.#run(settled.authorization, settled.subject, request))
  }

  /** Called when the connection of a request is lost. The call continues. */
  detach(id: Incoming['id']): void {
    this.#byRequest.get(id)?.detach()
  }

  /** Cancels the calls that are waiting for an approver. Resolves when all running calls are recorded. */
  async close(reason: string): Promise<void> {
    this.#closed = reason
    this.#board.cancelAll(cancellation(reason))
    // A call that arrives during this loop is refused and recorded.
    while (this.#running.size > 0) await Promise.allSettled([...this.#running])
  }

  #read({ params = {} }: Incoming): PendingCall {
    const { name, arguments: args = {}, task } = params
    if (typeof name !== 'string' || !isToolName(name.normalize('NFC')))
      throw RpcError.invalidParams('`name` must be a valid tool name')
    if (typeof args !== 'object' || args === null || Array.isArray(args))
      throw RpcError.invalidParams('`arguments` must be an object')
    // The result of a task would arrive after the outcome is recorded.
    if (task !== undefined)
      throw RpcError.invalidParams('the guard does not support tasks: call the tool without `task`')
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
      // Requires exactly `allowed`: for any other status, nothing is sent.
      if (settled.status !== 'allowed') return { result: denialResult(settled) }
      return { authorization: settled, subject: call.subject }
    } catch (error) {
      note(`a call was denied because of an internal error: ${error instanceof Error ? error.message : String(error)}`)
      return { result: denialResult(internalDenial(call.requestId)) }
    } finally {
      request.signal.removeEventListener('abort', cancel)
      this.#byRequest.delete(request.id)
    }
  }

  /**
   * Logs each waiting call once. The client may be able to read the log, so the id is a hash that cannot be used to
   * approve the call.
   */
  #sayWaiting(call: OpenCall, { action }: PendingCall): void {
    if (this.#announced.has(call)) return
    this.#announced.add(call)
    this.#parts.note(`\`${action}\` is waiting for approval by a person, pending id ${pendingId(call.requestId)}`)
  }

  /** The pending call that this request repeats, or a new call. */
  async #callFor(given: PendingCall, request: Incoming): Promise<OpenCall> {
    const status = await this.#standing(given.params)
    const asked = this.#parts.omitNullArguments ? withoutNulls(given, status.inputSchema) : given
    const standing = this.#standingOf(asked, status)
    // If the tool definition differs, the request is a different call.
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

  /**
   * Refuses every call after the session has ended, and every call whose arguments do not match the tool schema.
   * Both refusals are recorded.
   */
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
      this.#parts.note(`a tool definition could not be read: ${error instanceof Error ? error.message : 'unknown'}`)
      return { digest: null, refusal: UNREADABLE }
    }
  }

  #authorize(asked: PendingCall, { digest, refusal: standing }: Standing, call: OpenCall): Promise<Settled> {
    const { server, engine, metadata, redact } = this.#parts
    const { tool, args } = asked
    const refusal = nameRefusal(tool) ?? standing ?? argumentRefusal(args)
    // The name is untrusted client input, so it is not used as an action name.
    const unknown = refusal?.code === 'TOOL_UNKNOWN' || nameRefusal(tool) !== null
    // Redact before truncating: the redactor does not recognise a truncated secret.
    const named = unknown ? { tool: redact(tool).slice(0, UNKNOWN_TOOL_LENGTH_MAX).toWellFormed() } : {}
    const policy = refusal === null ? {} : { policy: refusalPolicy(refusal) }
    return engine.authorize({
      action: unknown ? `${server}/${UNKNOWN_TOOL}` : asked.action,
      args: args.refusal === null ? [args.values] : UNRECORDABLE,
      requestId: call.requestId,
      metadata: { mcp: { ...metadata(), tool_definition: digest, ...named } },
      // In the client and in the approval store, the remark shows the approver which definition the model saw.
      remark: `Tool definition (not covered by your signature): ${digest ?? 'unknown'}`,
      signal: call.signal,
      ...traceIn(asked.params._meta),
      ...policy,
    })
  }

  async #run(authorization: Authorization, subject: CallSubject, request: Incoming): Promise<object> {
    const { engine, forward, note } = this.#parts
    const fail = async (error: Error, resultText?: () => string): Promise<void> => {
      await engine.record(authorization, { status: 'error', error, resultText })
    }
    // The server may have changed the tool while the approval was pending. If the server reported a change, the guard
    // lists the server's tools again.
    const { refusal } = await this.#standing(subject.params)
    if (request.signal.aborted) {
      await fail(notSent(request.signal.reason))
      return {}
    }
    // An `await` between this check and `forward` would allow the tool to change in between.
    const now = refusal ?? this.#changeOf(subject)
    if (now !== null) {
      await fail(new CallFailure(now.code, `${now.reason}; the call did not run`))
      const { requestId, decisionHash } = authorization
      return denialResult({ status: 'denied', ...now, retryable: false, requestId, decisionHash })
    }
    const sent = sentParams(authorization, subject, request)
    try {
      const result = await forward(sent, request)
      // The text that the client gets.
      const resultText = (): string => stringifyExact(result)
      if ((result as { isError?: unknown }).isError === true) await fail(new ToolError(wordsOf(result)), resultText)
      else await engine.record(authorization, { status: 'success', resultText })
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

  /**
   * Checks the tool right before the call is sent.
   *
   * @returns the refusal; null if the tool definition has not changed since the decision
   */
  #changeOf({ params, definition }: CallSubject): ToolStatus['refusal'] {
    try {
      const { digest, refusal } = this.#parts.catalogue.lookUp(String(params.name))
      if (refusal !== null || digest === definition) return refusal
      return { code: 'TOOL_DEFINITION_CHANGED', reason: 'the tool definition changed after the decision' }
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
  reason: 'the tool definition could not be read',
}

/** Recorded in place of the name of an unknown tool. */
const UNKNOWN_TOOL = '<unknown>'
