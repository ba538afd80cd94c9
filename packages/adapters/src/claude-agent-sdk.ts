/**
 * Claude Agent SDK: every tool call of a session, guarded by hooks, failing closed.
 *
 * @example
 * query({ prompt, options: { ...guardToolCalls(engine) } })
 *
 * The action is the tool's name (`Bash`, `mcp__server__tool`), its input the call's named arguments. `PreToolUse`
 * decides about every call, whatever the permission mode; a yes is the permission, with the input that was decided
 * on, and `canUseTool` answers the questions that the settings still make Claude Code ask. A denial's text is the
 * reason that the model is shown. Hooks after the tool record how it ended. Claude Code runs the tools, in its own
 * process: what it does with an answer is its word. A hook of yours that changes inputs competes with this one; have
 * none.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Denial, Engine } from '@sudoagent/core'
import { denialText } from './denial-text.js'
import { type AllowedCall, authorizeCall, type GuardOptions, type ToolCall } from './guarded-call.js'

/**
 * Above every wait of the engine: an approval takes an hour at most. A hook that is given up on might be taken for
 * one that has no objection.
 */
const HOOK_TIMEOUT_S = 7_200
/**
 * Calls that were allowed and of which nothing more was heard, such as interrupted ones. Beyond this the oldest stays
 * without an outcome.
 */
const OPEN_CALLS_MAX = 1_000

type Input = Record<string, unknown>

// Nothing is imported from `@anthropic-ai/claude-agent-sdk`: these are the parts of its hooks' input that are read.
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
 * Ids are unique by contract, and kept by another program: an answer about one tool does not count for another under
 * the same id.
 */
const keyOf = (tool: string, callId: string): string => JSON.stringify([tool, callId])

/** The part of the `options` of `query` that guards. `canUseTool` may be left out; the hooks may not. */
export function guardToolCalls(engine: Engine, options?: Omit<GuardOptions, 'action'>) {
  const open = new Map<string, AllowedCall<Input>>()

  /** Never throws: what fails here is a denial. */
  async function decide(call: ToolCall<Input> & { readonly callId: string }): Promise<AllowedCall<Input> | Denial> {
    try {
      const decided = await authorizeCall(engine, call, options)
      if (decided.status === 'allowed') open.set(keyOf(call.tool, call.callId), decided)
      for (const oldest of open.keys()) if (open.size > OPEN_CALLS_MAX) open.delete(oldest)
      return decided
    } catch (error) {
      // An abort is not a fault; anything else is a fault of the host, which would otherwise see denials only.
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
    // A question about a call that the hook has allowed, as it was allowed, has its answer.
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
