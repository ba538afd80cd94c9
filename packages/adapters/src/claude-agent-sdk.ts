/**
 * Claude Agent SDK: guards every tool call of a session with hooks that fail closed.
 *
 * @example
 * query({ prompt, options: { ...guardToolCalls(engine) } })
 *
 * The action is the tool's name (`Bash`, `mcp__server__tool`), and its input becomes the call's named arguments.
 * `PreToolUse` decides about every call, in every permission mode. If the call is allowed, the hook grants the
 * permission, with the input that was decided on; `canUseTool` answers the questions that Claude Code's settings still
 * require. The model sees a denial's text as the reason. Hooks after the tool record the outcome. Claude Code runs the
 * tools in its own process, so the adapter relies on what it reports. Do not use other hooks that change inputs: they
 * compete with this one.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Denial, Engine } from '@sudoagent/core'
import { denialText } from './denial-text.js'
import { type AllowedCall, authorizeCall, type GuardOptions, type ToolCall } from './guarded-call.js'

/**
 * Longer than every wait of the engine: an approval takes at most an hour. Claude Code might treat a hook that timed
 * out as no objection.
 */
const HOOK_TIMEOUT_S = 7_200
/**
 * Maximum number of allowed calls without a reported end, such as interrupted ones. Beyond it, the oldest call stays
 * without an outcome.
 */
const OPEN_CALLS_MAX = 1_000

type Input = Record<string, unknown>

// Nothing is imported from `@anthropic-ai/claude-agent-sdk`. These are the parts of its hooks' input that are read.
interface HookEvent {
  readonly hook_event_name: string
  readonly tool_name?: string
  readonly tool_input?: unknown
  readonly tool_use_id?: string
  readonly error?: string
}
interface PermissionFacts {
  readonly signal: AbortSignal
  readonly toolUseID: string
}

/**
 * Another program assigns the IDs, which should be unique. The key includes the tool, so that an answer about one tool
 * is not used for another with the same ID.
 */
const keyOf = (tool: string, callId: string): string => JSON.stringify([tool, callId])

/** Returns the guarding part of the `options` of `query`. `canUseTool` can be omitted, but the hooks cannot. */
export function guardToolCalls(engine: Engine, options?: Omit<GuardOptions, 'action'>) {
  const open = new Map<string, AllowedCall<Input>>()

  /** Never throws: a failure here is a denial. */
  async function decide(call: ToolCall<Input> & { readonly callId: string }): Promise<AllowedCall<Input> | Denial> {
    try {
      const decided = await authorizeCall(engine, call, options)
      if (decided.status === 'allowed') open.set(keyOf(call.tool, call.callId), decided)
      for (const oldest of open.keys()) if (open.size > OPEN_CALLS_MAX) open.delete(oldest)
      return decided
    } catch (error) {
      // An abort is expected. Any other error is a fault of the host, which would otherwise see only denials.
      if (!call.signal?.aborted && !options?.signal?.aborted) process.emitWarning(`a call was denied: ${error}`)
      const facts = { code: 'BOUNDARY_FAILED', reason: 'there is no decision', requestId: '', decisionHash: null }
      return { status: 'denied', retryable: false, ...facts }
    }
  }

  const preToolUse = async (
    event: HookEvent,
    _id: string | undefined,
    { signal }: { readonly signal: AbortSignal },
  ) => {
    const { tool_name: tool, tool_input: input, tool_use_id: callId } = event
    if (event.hook_event_name !== 'PreToolUse' || tool === undefined || callId === undefined)
      throw new TypeError('the guard is a hook of `PreToolUse`')
    const decided = await decide({ tool, input: input as Input, callId, signal })
    const answer =
      decided.status === 'allowed'
        ? { permissionDecision: 'allow' as const, updatedInput: decided.input }
        : { permissionDecision: 'deny' as const, permissionDecisionReason: denialText(decided) }
    return { hookSpecificOutput: { hookEventName: 'PreToolUse' as const, ...answer } }
  }

  const canUseTool = async (tool: string, input: Input, { signal, toolUseID: callId }: PermissionFacts) => {
    // The hook has already allowed this exact call.
    const before = open.get(keyOf(tool, callId))
    const known = before !== undefined && isDeepStrictEqual(before.input, input)
    const decided = known ? before : await decide({ tool, input, callId, signal })
    if (decided.status === 'denied') return { behavior: 'deny' as const, message: denialText(decided) }
    return { behavior: 'allow' as const, updatedInput: decided.input }
  }

  const ended = async (event: HookEvent) => {
    const { tool_name: tool, tool_use_id: callId } = event
    if (tool === undefined || callId === undefined) return {}
    const key = keyOf(tool, callId)
    const call = open.get(key)
    open.delete(key)
    if (event.hook_event_name === 'PostToolUse') await call?.end({ status: 'success' })
    else {
      const why = event.error ?? 'Claude Code did not run the tool'
      await call?.end({ status: 'error', error: new Error(why) })
    }
    return {}
  }

  const before = { hooks: [preToolUse], timeout: HOOK_TIMEOUT_S, onFailure: 'block' as const }
  const after = [{ hooks: [ended] }]
  const hooks = { PreToolUse: [before], PostToolUse: after, PostToolUseFailure: after, PermissionDenied: after }
  return { canUseTool, hooks }
}
