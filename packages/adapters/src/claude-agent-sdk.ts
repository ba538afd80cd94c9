/**
 * Claude Agent SDK: guards every tool call in a session with hooks that fail closed.
 *
 * @example
 * query({ prompt, options: { ...guardToolCalls(engine) } })
 *
 * The action is the tool's name (`Bash`, `mcp__server__tool`), and its input becomes the call's named arguments. The
 * `PreToolUse` hook decides about every call, in every permission mode. If the call is allowed, the hook grants
 * permission for exactly the input that the decision covers. `canUseTool` answers the permission prompts that Claude
 * Code's settings still require. The model sees the denial text as the reason. Hooks that run after the tool record
 * the outcome. Claude Code runs the tools in its own process, so the adapter relies on the outcome that Claude Code
 * reports. Do not use other hooks that change inputs: they conflict with this hook.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Denial, Engine } from '@sudoagent/core'
import { denialText } from './denial-text.js'
import { type AllowedCall, authorizeCall, type GuardOptions, type ToolCall } from './guarded-call.js'

/**
 * The hook timeout, in seconds. It is longer than any wait in the engine (an approval takes at most an hour), because
 * Claude Code might treat a hook timeout as permission to run the tool.
 */
const HOOK_TIMEOUT_S = 7_200
/**
 * The maximum number of unfinished calls. A call stays unfinished if Claude Code does not report its end, for example
 * after an interruption. Above the maximum, the oldest call is dropped, and no outcome is recorded for that call.
 */
const OPEN_CALLS_MAX = 1_000

type Input = Record<string, unknown>

// This file imports nothing from `@anthropic-ai/claude-agent-sdk`. It declares the members of the hook input that it
// reads.
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
 * Claude Code assigns the call IDs. The key includes the tool name, so that a decision about one tool is never used for
 * a different tool, even if an ID is not unique.
 */
const keyOf = (tool: string, callId: string): string => JSON.stringify([tool, callId])

/**
 * Returns the `canUseTool` and `hooks` options for `query`. `canUseTool` may be omitted, but the hooks are required.
 */
export function guardToolCalls(engine: Engine, options?: Omit<GuardOptions, 'action'>) {
  const open = new Map<string, AllowedCall<Input>>()

  /** Never throws: if the decision fails, the call is denied. */
  async function decide(call: ToolCall<Input> & { readonly callId: string }): Promise<AllowedCall<Input> | Denial> {
    try {
      const decided = await authorizeCall(engine, call, options)
      if (decided.status === 'allowed') open.set(keyOf(call.tool, call.callId), decided)
      for (const oldest of open.keys()) if (open.size > OPEN_CALLS_MAX) open.delete(oldest)
      return decided
    } catch (error) {
      // An abort is expected. Any other error is a fault, and without this warning, the host program would see only a
      // denial.
      if (!call.signal?.aborted && !options?.signal?.aborted)
        process.emitWarning(`a call was denied because the guard failed: ${error}`)
      const facts = { code: 'BOUNDARY_FAILED', reason: 'no decision was made', requestId: '', decisionHash: null }
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
      throw new TypeError('use the guard only as a `PreToolUse` hook')
    const decided = await decide({ tool, input: input as Input, callId, signal })
    const answer =
      decided.status === 'allowed'
        ? { permissionDecision: 'allow' as const, updatedInput: decided.input }
        : { permissionDecision: 'deny' as const, permissionDecisionReason: denialText(decided) }
    return { hookSpecificOutput: { hookEventName: 'PreToolUse' as const, ...answer } }
  }

  const canUseTool = async (tool: string, input: Input, { signal, toolUseID: callId }: PermissionFacts) => {
    // If the hook has already allowed this exact call, its decision is reused.
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
