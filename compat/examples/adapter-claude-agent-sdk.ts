// Claude Agent SDK: hooks guard every tool call of a session. With Claude Code installed, a program only needs `query({
// prompt, options })`. The end of this file simulates that process: the simulation implements the protocol and calls
// the hooks as Claude Code does.
import { EventEmitter } from 'node:events'
import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import { type Options, query } from '@anthropic-ai/claude-agent-sdk'
import { guardToolCalls } from '@sudoagent/adapters/claude-agent-sdk'
import { CALLS, check, engine, payBack, type Refund } from './refunds.js'

const shown: unknown[] = []
const options: Options = {
  ...guardToolCalls(engine),
  // Not needed with the real process.
  pathToClaudeCodeExecutable: 'played',
  spawnClaudeCodeProcess: () => playClaudeCode() as never,
}
for await (const message of query({ prompt: 'Refund orders 1 and 2', options })) if (message.type === 'result') break
await check(shown)

/**
 * Simulates the process: initializes, then for each call runs the hook before the call, the tool, and the hook after
 * the call.
 */
function playClaudeCode() {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()]
  const claude = Object.assign(new EventEmitter(), { stdin, stdout, killed: false, exitCode: null, kill: () => true })
  const say = (message: object) => stdout.write(`${JSON.stringify(message)}\n`)
  const answers = new Map<string, (answer: { response: Answer }) => void>()
  let hooks: Record<string, { hookCallbackIds: string[] }[]> = {}

  const callHook = (event: string, input: object): Promise<{ response: Answer }> => {
    const id = `${event}_${answers.size}`
    const callback_id = hooks[event]?.[0]?.hookCallbackIds[0]
    const request = { subtype: 'hook_callback', callback_id, input: { hook_event_name: event, ...input } }
    say({ type: 'control_request', request_id: id, request })
    return new Promise((resolve) => answers.set(id, resolve))
  }
  const callTool = async (tool_input: Refund, index: number): Promise<void> => {
    const facts = { tool_name: 'refund', tool_use_id: `call_${index}`, tool_input }
    const { hookSpecificOutput: said } = (await callHook('PreToolUse', facts)).response
    const allowed = said?.permissionDecision === 'allow' && said.updatedInput !== undefined
    const content = allowed ? await payBack(said.updatedInput) : said?.permissionDecisionReason
    if (allowed) await callHook('PostToolUse', { ...facts, tool_response: content })
    shown[index] = { type: 'tool_result', is_error: !allowed, content }
  }
  createInterface({ input: stdin }).on('line', async (line) => {
    const { type, request_id, request, response } = JSON.parse(line)
    if (type === 'control_response') answers.get(response.request_id)?.(response)
    if (type === 'control_request') {
      hooks = request.hooks ?? hooks
      const ready = {
        commands: [],
        agents: [],
        models: [],
        account: {},
        hooks_applied: true,
        hook_on_failure_supported: true,
      }
      say({ type: 'control_response', response: { subtype: 'success', request_id, response: ready } })
    }
    if (type === 'user') {
      await Promise.all(CALLS.map(callTool))
      say({ type: 'result', subtype: 'success', is_error: false, result: 'done', session_id: 's', uuid: 'u' })
      stdout.end()
      claude.emit('exit', 0, null)
    }
  })
  return claude
}

interface Answer {
  readonly hookSpecificOutput?: {
    readonly permissionDecision: 'allow' | 'deny'
    readonly permissionDecisionReason?: string
    readonly updatedInput?: Refund
  }
}
