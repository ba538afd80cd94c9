// One tools/call on its way: definition → decision on record → server → outcome on record.
import { type Authorization, type Denial, type Policy, SudoAgentError, type SudoEngine } from '@sudoagent/core'
import { encodeJcs, sha256Hex } from '@sudoagent/crypto'
import { CallBoard } from './call-board.js'
import type { Catalogue, ToolStanding } from './catalogue.js'
import { denialResult, failureResult, pendingId, pendingResult } from './denial-result.js'
import { TOOL_ERROR_LENGTH_MAX } from './limits.js'
import type { CallSubject, OpenCall, Settled } from './open-call.js'
import { GivenUp, type Incoming, type Params, PeerGone } from './peer.js'
import { ProgressRoutes } from './progress-routes.js'
import { RpcError } from './rpc-error.js'
import { isToolName } from './tool-definition.js'

export interface ToolCallParts {
  readonly server: string
  readonly engine: SudoEngine
  readonly holdMs: number
  readonly catalogue: Catalogue
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
}

interface Asked {
  readonly action: string
  readonly params: Params
  readonly args: Readonly<Record<string, unknown>>
}

/** The tool calls of one session. */
export class ToolCalls {
  readonly #parts: ToolCallParts
  readonly #board = new CallBoard()
  readonly #byRequest = new Map<Incoming['id'], OpenCall>()
  readonly #running = new Set<Promise<unknown>>()
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
    this.#board.cancelAll(reason)
    await Promise.allSettled([...this.#running])
  }

  #read({ params = {} }: Incoming): Asked {
    const { name, arguments: args = {}, task } = params
    if (!isToolName(name)) throw RpcError.invalidParams('`name` must be the name of a tool, in Unicode NFC')
    if (typeof args !== 'object' || args === null || Array.isArray(args))
      throw RpcError.invalidParams('`arguments` must be an object')
    // Its result would come later, past the outcome on record.
    if (task !== undefined) throw RpcError.invalidParams('tasks are refused: the guard does not pass them')
    return { action: `${this.#parts.server}/${name}`, params, args: args as Asked['args'] }
  }

  async #decide(
    asked: Asked,
    request: Incoming,
  ): Promise<{ readonly authorization: Authorization; readonly subject: CallSubject } | { readonly result: object }> {
    const { holdMs, progress, note } = this.#parts
    const call = await this.#callFor(asked, request)
    const cancel = (): void => call.cancel('cancelled by the client')
    if (request.signal.aborted) cancel()
    request.signal.addEventListener('abort', cancel, { once: true })
    this.#byRequest.set(request.id, call)
    try {
      let waited = 0
      const onWait = (): void => progress(request, waited++)
      const settled = await call.wait({ holdMs, onWait })
      if (settled === 'pending') {
        note(`waiting id ${pendingId(call.requestId)} is approval ${call.requestId} for \`${asked.action}\``)
        return { result: pendingResult(call.requestId) }
      }
      if (settled.status === 'denied') return { result: denialResult(settled) }
      return { authorization: settled, subject: call.subject }
    } catch (error) {
      if (error instanceof SudoAgentError) return { result: denialResult(error.denial) }
      note(`a call was refused because of an internal error: ${error instanceof Error ? error.message : 'unknown'}`)
      return { result: denialResult(internalDenial(call.requestId)) }
    } finally {
      request.signal.removeEventListener('abort', cancel)
      this.#byRequest.delete(request.id)
    }
  }

  /** The open call that this one repeats, or a new one. */
  async #callFor(asked: Asked, request: Incoming): Promise<OpenCall> {
    const standing = await this.#standing(asked.params)
    // A question about another definition of the tool is another question.
    const key = standing.refusal === null ? keyOf(asked, standing.digest) : null
    const repeated = this.#board.attach(key)
    if (repeated !== null) return repeated
    const call = this.#parts.open(request, { params: asked.params, definition: standing.digest })
    if (this.#closed !== null) call.cancel(this.#closed)
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

  async #standing(params: Params): Promise<ToolStanding> {
    try {
      return await this.#parts.catalogue.standing(String(params.name))
    } catch (error) {
      this.#parts.note(`the definition of a tool is not known: ${error instanceof Error ? error.message : 'unknown'}`)
      return { digest: null, refusal: UNREADABLE }
    }
  }

  #authorize({ action, args }: Asked, { digest, refusal }: ToolStanding, call: OpenCall): Promise<Settled> {
    const { engine, withId, metadata } = this.#parts
    const policy = refusal === null ? {} : { policy: refusalPolicy(refusal) }
    return withId(call.requestId, () =>
      engine.authorize({
        action,
        args: [args],
        metadata: { mcp: { ...metadata(), tool_definition: digest } },
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
      await fail(new GivenUp('cancelled before it was sent to the server: it did not run'))
      return {}
    }
    // From here to `forward` nothing is waited for.
    const now = refusal ?? this.#changeOf(subject)
    if (now !== null) {
      await fail(new ToolChanged(now))
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
      const failure = error instanceof Error ? error : new Error('unknown')
      if (failure instanceof GivenUp) failure.message = `${failure.message}; it was sent to the server and may have run`
      await fail(failure)
      if (failure instanceof RpcError) throw failure
      note(`a call ended without a result: ${failure.message}`)
      return failureResult(
        failure instanceof GivenUp || failure instanceof PeerGone ? failure.message : 'internal error',
      )
    }
  }

  /** Why a call may not be sent at this moment; null when the tool is the one that was asked about. */
  #changeOf({ params, definition }: CallSubject): ToolStanding['refusal'] {
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

const UNREADABLE: ToolStanding['refusal'] = {
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

/** The tool was changed between the decision and the moment of sending: the call was not sent. */
class ToolChanged extends Error {
  /** The code, because this is the outcome's `error_type`. */
  override readonly name: string

  constructor({ code, reason }: NonNullable<ToolStanding['refusal']>) {
    super(`${reason}; it did not run`)
    this.name = code
  }
}

/**
 * What the server gets: what was decided on, and nothing else that the client wrote beside it. `_meta` is that of the call that was asked
 * about; a request that attached to it later brings only its own progress token.
 */
function sentParams({ args }: Authorization, { params }: CallSubject, request: Incoming): Params {
  const { name, arguments: given, _meta: asked } = params
  const token = ProgressRoutes.tokenOf(request.params)
  const meta = { ...without(asked, PROGRESS_TOKEN), ...(token === null ? {} : { progressToken: token }) }
  return {
    name,
    ...(given === undefined ? {} : { arguments: args[0] }),
    ...(asked === undefined && token === null ? {} : { _meta: meta }),
  }
}

const PROGRESS_TOKEN = ['progressToken']

/** Members of `_meta` that differ with each attempt, and by which nothing is decided: W3C Trace Context and Baggage. */
const ATTEMPT = [...PROGRESS_TOKEN, 'traceparent', 'tracestate', 'baggage']

const without = (meta: unknown, names: readonly string[]): object =>
  typeof meta === 'object' && meta !== null
    ? Object.fromEntries(Object.entries(meta).filter(([name]) => !names.includes(name)))
    : {}

/**
 * Two calls are the same when their unredacted arguments, their `_meta` and the definition of their tool are. Arguments that have no
 * canonical form are like no others.
 */
function keyOf({ action, args, params }: Asked, definition: string | null): string | null {
  try {
    return sha256Hex(encodeJcs([action, args, without(params._meta, ATTEMPT), definition]))
  } catch {
    return null
  }
}

/** A refusal of the guard's own stands on record like any other, under a policy that is not the deployment's. */
function refusalPolicy({ code, reason }: NonNullable<ToolStanding['refusal']>): Policy {
  return {
    policyId: 'sudoagent-mcp-guard',
    version: '1',
    evaluate: () => ({ decision: 'deny', reason, reasonCode: code }),
  }
}

const internalDenial = (requestId: string): Denial => ({
  status: 'denied',
  code: 'GUARD_FAILED',
  reason: 'the guard failed',
  retryable: true,
  requestId,
  decisionHash: null,
})
