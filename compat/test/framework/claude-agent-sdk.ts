// Runs the real SDK with a simulated Claude Code process that implements the protocol over stdin and stdout. The
// stand-in registers the hooks, calls them around a tool as Claude Code does, and shows the model a `tool_result`
// that the stand-in creates.
import { EventEmitter } from 'node:events'
import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import { type HookEvent, type Options, query } from '@anthropic-ai/claude-agent-sdk'
import { guardToolCalls } from '@sudoagent/adapters/claude-agent-sdk'
import type { Framework, RefundInput, Turn } from '../scenario.js'

type Json = Record<string, unknown>
interface HookAnswer {
  readonly hookSpecificOutput?: {
    readonly permissionDecision?: 'allow' | 'deny'
    readonly permissionDecisionReason?: string
    readonly updatedInput?: RefundInput
  }
}

export class StandIn extends EventEmitter {
  readonly stdin = new PassThrough()
  readonly stdout = new PassThrough()
  killed = false
  exitCode: number | null = null
  readonly shown: unknown[] = []
  /** Whether the stand-in reports support for `onFailure`. */
  readonly knows: boolean = true
  /** The SDK's `initialize` request. */
  initialize: {
    readonly hooks?: Partial<Record<HookEvent, { hookCallbackIds: string[]; timeout?: number; onFailure?: string }[]>>
  } = {}
  readonly #answers = new Map<string, (response: Json) => void>()
  readonly #script: (standIn: StandIn) => Promise<void>
  #requests = 0

  constructor(script: (standIn: StandIn) => Promise<void>) {
    super()
    this.#script = script
    createInterface({ input: this.stdin }).on('line', (line) => this.#read(JSON.parse(line)))
    this.stdin.on('end', () => this.#exit())
  }

  kill(): boolean {
    this.killed = true
    this.#exit()
    return true
  }

  /** Sends the SDK a request for a hook or a permission, as Claude Code does. @throws the SDK's error answer */
  ask(request: Json): Promise<Json> {
    const id = `request_${this.#requests++}`
    this.#write({ type: 'control_request', request_id: id, request })
    return new Promise((resolve, reject) =>
      this.#answers.set(id, ({ subtype, response, error }) =>
        subtype === 'success' ? resolve(response as Json) : reject(new Error(String(error))),
      ),
    )
  }

  /** Cancels the last request. */
  cancelLast(): void {
    this.#write({ type: 'control_cancel_request', request_id: `request_${this.#requests - 1}` })
  }

  hook(event: HookEvent, facts: Json): Promise<HookAnswer> {
    const [matcher] = this.initialize.hooks?.[event] ?? []
    const input = { session_id: 's', transcript_path: '', cwd: '', hook_event_name: event, ...facts }
    const callback_id = matcher?.hookCallbackIds[0]
    return this.ask({ subtype: 'hook_callback', callback_id, input, tool_use_id: facts.tool_use_id })
  }

  #read(message: Json & { request?: Json; response?: Json }): void {
    if (message.type === 'control_response')
      this.#answers.get(String(message.response?.request_id))?.(message.response ?? {})
    else if (message.type === 'control_request') {
      if (message.request?.subtype === 'initialize') this.initialize = message.request
      const response = {
        commands: [],
        agents: [],
        models: [],
        account: {},
        hooks_applied: true,
        hook_on_failure_supported: this.knows,
      }
      this.#write({
        type: 'control_response',
        response: { subtype: 'success', request_id: message.request_id, response },
      })
    } else if (message.type === 'user') {
      const result = { type: 'result', subtype: 'success', is_error: false, result: 'done', session_id: 's', uuid: 'u' }
      void this.#script(this).then(() => this.#write(result))
    }
  }

  #write(message: Json): void {
    if (this.exitCode === null) this.stdout.write(`${JSON.stringify(message)}\n`)
  }

  #exit(): void {
    if (this.exitCode !== null) return
    this.exitCode = 0
    this.stdout.end()
    this.emit('exit', 0, null)
  }
}

/** Runs a session of the SDK on a stand-in until it ends. */
export async function runSession(standIn: StandIn, options: Options): Promise<void> {
  const session = query({
    prompt: 'refund',
    options: { ...options, pathToClaudeCodeExecutable: 'stand-in', spawnClaudeCodeProcess: () => standIn as never },
  })
  for await (const message of session) if (message.type === 'result') break
}

async function callTool(standIn: StandIn, { refund, signal }: Turn, amount: RefundInput, index: number): Promise<void> {
  const facts = { tool_name: 'refund', tool_use_id: `call_${index}` }
  const show = (content: string | undefined, is_error: boolean) => {
    standIn.shown[index] = { type: 'tool_result', is_error, content }
  }
  const { hookSpecificOutput: decision } = await standIn.hook('PreToolUse', { ...facts, tool_input: amount })
  if (decision?.permissionDecision !== 'allow') return show(decision?.permissionDecisionReason, true)
  const input = decision.updatedInput ?? amount
  try {
    const tool_response = await refund(input, signal)
    await standIn.hook('PostToolUse', { ...facts, tool_input: input, tool_response })
    show(tool_response, false)
  } catch (error) {
    await standIn.hook('PostToolUseFailure', { ...facts, tool_input: input, error: (error as Error).message })
    show((error as Error).message, true)
  }
}

export const claudeAgentSdk: Framework = {
  name: 'Claude Agent SDK',
  handsSignal: false,
  passes: 'nothing',
  callId: 'call_0',
  async run(turn) {
    const standIn = new StandIn(async (claude) => {
      await Promise.all(turn.calls.map((input, index) => callTool(claude, turn, input, index)))
    })
    await runSession(standIn, guardToolCalls(turn.engine, { ...turn.options, signal: turn.signal }))
    return standIn.shown
  },
}
