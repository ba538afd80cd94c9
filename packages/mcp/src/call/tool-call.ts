/**
 * Handles `tools/call` from arrival to outcome.
 *
 *   request → tool known, definition accepted → arguments read and checked → engine.authorize (policy, budget,
 *     approval, decision recorded) → definition unchanged → sent to the server → result → outcome recorded
 *
 * The guard sends exactly the call that the decision covers: the arguments are the recorded text, with numbers as the
 * client wrote them (`sent-call.ts`). After the hold time, the client receives "pending", and the question stays open
 * (`open-call.ts`). A repeated call attaches to it, or the client waits with `sudoagent_wait`; the call runs at most
 * once.
 *
 * Every refusal is a tool result with `isError` and a text for the model (`denial-result.ts`). After an allowing
 * decision, an outcome is always recorded: a success, the server's error, a cancellation, or the reason why the call
 * was not sent.
 */
import type { ApprovalRequest, Approver, Authorization, Denial, PendingApproval } from '@sudoagent/core'
import { traceIn, UNRECORDABLE, type WaitingEngine } from '@sudoagent/core/boundary'
import { OPEN_APPROVALS_MAX, UNKNOWN_TOOL_LENGTH_MAX } from '../limits.js'
import { isToolName } from '../tool/tool-definition.js'
import type { Incoming } from '../wire/peer.js'
import { RpcError } from '../wire/rpc-error.js'
import { type ArgumentCheck, checkArguments } from './argument-check.js'
import { readCallArguments } from './call-arguments.js'
import { cancellation, ended, endsSession } from './call-failure.js'
import { CallRunner, type RunnerParts } from './call-runner.js'
import { denialResult, pendingResult } from './denial-result.js'
import { argumentRefusal, internalDenial, nameRefusal, type Refusal, refusalPolicy } from './guard-refusal.js'
import { withoutNulls } from './null-arguments.js'
import { OpenCall } from './open-call.js'
import { type PendingCalls, waitingIdOf } from './pending-calls.js'
import { type CallSubject, type GivenCall, metaOf, NO_META } from './sent-call.js'
import { metadataOf } from './wait-tool.js'

export interface ToolCallParts extends RunnerParts {
  readonly server: string
  readonly engine: WaitingEngine
  readonly holdMs: number
  /** The pending calls of the guard. */
  readonly pending: PendingCalls
  readonly checkArguments: ArgumentCheck
  /** Whether nulls of optional arguments are dropped where the tool takes no null. */
  readonly omitNullArguments: boolean
  /** The name of the tool that waits for a decision; null if there is none. */
  readonly waitTool: () => Promise<string | null>
  readonly generateId: () => string
  /** The origin of the call, for the entry metadata. */
  readonly metadata: () => Readonly<Record<string, unknown>>
  /** Creates the approver of a call. */
  readonly approver: (request: Incoming, onAsked: (asked: ApprovalRequest) => void) => Approver
  /** Called after a decision, with its request id. */
  readonly decided: (requestId: string) => void
  /** Notifies the client, for the `count`th time, that the call is still waiting. */
  readonly progress: (request: Incoming, count: number) => void
  /** Removes secrets from untrusted text. */
  readonly redact: (text: string) => string
}

type Settled = Authorization | Denial | PendingApproval

/** Makes or resumes the decision about a call. */
type Decide = (call: OpenCall, approver: Approver) => Promise<Settled>

/** A call, and the refusal if the tool or the session refuses it. */
interface Checked {
  readonly subject: CallSubject
  readonly refusal: Refusal | null
}

/** The tool calls of one session. */
export class ToolCalls {
  readonly #parts: ToolCallParts
  readonly #runner: CallRunner
  readonly #open = new Map<Incoming['id'], OpenCall>()
  readonly #running = new Set<Promise<unknown>>()
  /** The question ids of the calls that wait for a person. */
  readonly #asking = new Set<string>()
  /** The reason why the session ended; null while the session is open. */
  #closed: string | null = null

  constructor(parts: ToolCallParts) {
    this.#parts = parts
    this.#runner = new CallRunner(parts)
  }

  /** Whether this session has too many open questions for another one. A question that was answered "pending" stays. */
  isFull({ approvalId }: ApprovalRequest): boolean {
    const { pending } = this.#parts
    if (pending.find(waitingIdOf(approvalId)) !== undefined) return false
    return new Set([...this.#asking, ...pending.idsOf(this)]).size > OPEN_APPROVALS_MAX
  }

  /** @returns the unchanged server result, or a result that explains why there is no server result */
  async handle(request: Incoming): Promise<object> {
    const { holdMs } = this.#parts
    const checked = await this.#check(this.#read(request))
    const cancel = (call: OpenCall): void => call.cancel(cancellation())
    const settled = await this.#settle(checked.subject, request, { holdMs, cancel }, (call, approver) =>
      this.#authorize(checked, call, approver),
    )
    return await this.answer(settled, checked.subject, request)
  }

  /**
   * Goes on with a call that was answered "pending". If the client cancels the request, the question stays open.
   *
   * @param waitMs - how long the client waits for a person
   */
  async resume(approvalId: string, subject: CallSubject, request: Incoming, waitMs: number): Promise<Settled> {
    const checked = await this.#check(subject)
    const isSame = checked.refusal === null && checked.subject.definition === subject.definition
    const terms = { holdMs: waitMs, cancel: (call: OpenCall): void => call.endWait() }
    return await this.#settle(subject, request, terms, (call, approver) => {
      // The refusal of a tool is recorded like that of a repeated call. The question stays open.
      if (!isSame) return this.#authorize({ ...checked, refusal: checked.refusal ?? CHANGED }, call, approver)
      call.markAsked()
      return this.#parts.engine.resume(approvalId, this.#callOf(subject, call, approver), {})
    })
  }

  /** Runs an allowed call, or explains why it does not run. */
  async answer(settled: Settled, subject: CallSubject, request: Incoming): Promise<object> {
    const { pending, decided, waitTool } = this.#parts
    const { requestId } = settled
    if (settled.status === 'pending') {
      pending.tell({ approvalId: requestId, subject, session: this }, settled.expiresAt)
      return pendingResult(waitingIdOf(requestId), await waitTool())
    }
    decided(requestId)
    // Requires exactly `allowed`: for any other status, nothing is sent.
    if (settled.status === 'allowed')
      return await pending.run(requestId, () => this.#track(this.#runner.run(settled, subject, request)))
    pending.forget(requestId)
    return denialResult(settled)
  }

  /** Called when the connection of a request is lost. The call continues. */
  detach(id: Incoming['id']): void {
    this.#open.get(id)?.detach()
  }

  /** Leaves the questions of waiting calls open. Resolves when all running calls are recorded. */
  async close(reason: string): Promise<void> {
    this.#closed = reason
    for (const call of this.#open.values()) call.endWait()
    // A call that arrives during this loop is refused and recorded.
    while (this.#running.size > 0) await Promise.allSettled([...this.#running])
  }

  #read({ params = {} }: Incoming): GivenCall {
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

  async #settle(
    subject: CallSubject,
    request: Incoming,
    { holdMs, cancel }: { readonly holdMs: number; readonly cancel: (call: OpenCall) => void },
    decide: Decide,
  ): Promise<Settled> {
    const { progress, note, approver } = this.#parts
    let waited = 0
    const call = new OpenCall({ holdMs, onWait: () => progress(request, waited++) })
    const stop = (): void => (endsSession(request.signal.reason) ? call.endWait() : cancel(call))
    let asking = ''
    const onAsked = ({ approvalId }: ApprovalRequest): void => {
      asking = approvalId
      this.#asking.add(approvalId)
      this.#sayWaiting(approvalId, subject)
      call.markAsked()
    }
    this.#open.set(request.id, call)
    if (request.signal.aborted) stop()
    request.signal.addEventListener('abort', stop, { once: true })
    try {
      return await this.#track(decide(call, approver(request, onAsked)))
    } catch (error) {
      note(`a call was denied because of an internal error: ${error instanceof Error ? error.message : String(error)}`)
      return internalDenial(this.#parts.generateId())
    } finally {
      this.#asking.delete(asking)
      call.end()
      request.signal.removeEventListener('abort', stop)
      this.#open.delete(request.id)
    }
  }

  /** Logs each question once. The client may be able to read the log, so the id is a hash that approves nothing. */
  #sayWaiting(approvalId: string, { action }: CallSubject): void {
    if (!this.#parts.pending.announce(approvalId)) return
    this.#parts.note(`\`${action}\` is waiting for approval by a person, waiting id ${waitingIdOf(approvalId)}`)
  }

  /**
   * Refuses every call after the session has ended, and every call whose arguments do not match the tool schema.
   * Both refusals are recorded.
   */
  async #check(given: GivenCall): Promise<Checked> {
    const { digest, inputSchema, refusal } = await this.#runner.standing(given.params)
    const call = this.#parts.omitNullArguments ? withoutNulls(given, inputSchema) : given
    const subject = { ...call, definition: digest, meta: metaOf(call.params) }
    if (this.#closed !== null) return { subject, refusal: ended(this.#closed) }
    if (refusal !== null || call.args.refusal !== null) return { subject, refusal }
    const reason = checkArguments(inputSchema, call.args.values, this.#parts.checkArguments)
    if (reason !== null) return { subject, refusal: { code: 'PARAMETERS_INVALID', reason } }
    return { subject: this.#parts.pending.sameAs(subject) ?? subject, refusal: null }
  }

  #authorize({ subject, refusal: standing }: Checked, call: OpenCall, approver: Approver): Promise<Settled> {
    const { server, engine, redact, generateId } = this.#parts
    const { tool, args } = subject
    const refusal = nameRefusal(tool) ?? standing ?? argumentRefusal(args)
    const given = this.#callOf(subject, call, approver)
    if (refusal === null) return engine.authorize({ ...given, requestId: generateId() }, {})
    // The name is untrusted client input, so it is not used as an action name.
    const isUnknown = refusal.code === 'TOOL_UNKNOWN' || nameRefusal(tool) !== null
    // Redact before truncating: the redactor does not recognise a truncated secret.
    const named = isUnknown ? { tool: redact(tool).slice(0, UNKNOWN_TOOL_LENGTH_MAX).toWellFormed() } : {}
    return engine.authorize({
      ...given,
      requestId: generateId(),
      action: isUnknown ? `${server}/${UNKNOWN_TOOL}` : subject.action,
      metadata: { mcp: { ...given.metadata.mcp, ...named } },
      policy: refusalPolicy(refusal),
    })
  }

  /** The call for the engine. */
  #callOf({ action, args, params, definition, meta }: CallSubject, { signal }: OpenCall, approver: Approver) {
    const { metadata, pending } = this.#parts
    const otherMeta = meta === NO_META ? {} : { other_meta: true }
    return {
      action,
      args: args.refusal === null ? [args.values] : UNRECORDABLE,
      metadata: { mcp: { ...metadata(), tool_definition: definition, ...otherMeta } },
      // In the client and in the approval store, the remark shows the approver which definition the model saw.
      remark: `Tool definition (not covered by your signature): ${definition ?? 'unknown'}`,
      signal,
      approver,
      // The approver saw the call with this definition. Another process does not know the `_meta` of the call.
      attach: ({ requestId, metadata: asked }: { readonly requestId: string; readonly metadata: unknown }): boolean => {
        const { tool_definition: shown, other_meta: hasMeta } = metadataOf(asked)
        const told = pending.find(waitingIdOf(requestId))
        const isSameMeta = told === undefined ? meta === NO_META && hasMeta === undefined : told.subject.meta === meta
        return shown === definition && isSameMeta
      },
      ...traceIn(params._meta),
    }
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work)
    const done = (): void => void this.#running.delete(work)
    work.then(done, done)
    return work
  }
}

const CHANGED: Refusal = {
  code: 'TOOL_DEFINITION_CHANGED',
  reason: 'the tool definition changed after the approval was requested',
}

/** Recorded in place of the name of an unknown tool. */
const UNKNOWN_TOOL = '<unknown>'
