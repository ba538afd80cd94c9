// Runs a guard between a client and a server. The test writes the messages of both.
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/sdk/types.js'
import { MemoryApprovalStore, type Policy } from '@sudoagent/core'
import { select } from '@sudoagent/ledger'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { onTestFinished } from 'vitest'
import type { Guard } from '../../src/guard.js'
import type { GuardSession } from '../../src/session/session.js'
import { MemoryToolPins, type ToolPins } from '../../src/tool/tool-pins.js'
import type { GuardTransport } from '../../src/wire/peer.js'
import { guardOf, type Setup } from './guard-of.js'

/** Any message, for tests that inspect its members. */
// biome-ignore lint/suspicious/noExplicitAny: messages are JSON of any shape, and tests assert some members
export type Json = any

/** One end of the guard, controlled by the test. */
export class RawSide implements GuardTransport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: <T extends JSONRPCMessage>(message: T) => void
  /** The messages that the guard has sent to this end. */
  readonly got: Json[] = []
  closed = false
  #waiting: (() => void)[] = []
  /** Returns this end's immediate answer to a message, if any. */
  answer: (message: Json) => object | undefined = () => undefined

  async start(): Promise<void> {}

  async send(message: JSONRPCMessage): Promise<void> {
    this.got.push(message)
    for (const wake of this.#waiting.splice(0)) wake()
    const { id, method } = message as Json
    const result = method === undefined ? undefined : this.answer(message)
    if (result !== undefined) queueMicrotask(() => this.say({ id, ...('error' in result ? result : { result }) }))
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    this.onclose?.()
  }

  /** Sends a message to the guard. */
  say(message: object): void {
    this.onmessage?.({ jsonrpc: '2.0', ...message } as JSONRPCMessage)
  }

  /** Waits for the first matching message. */
  async heard(fits: (message: Json) => boolean): Promise<Json> {
    for (;;) {
      const found = this.got.find(fits)
      if (found !== undefined) return found
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
    }
  }
}

export const TOOLS = [
  { name: 'read', description: 'Reads', inputSchema: { type: 'object' } },
  { name: 'write', description: 'Writes', inputSchema: { type: 'object' } },
  { name: 'drop', description: 'Drops', inputSchema: { type: 'object' } },
]

/** A policy that allows reads, requires approval for writes, and denies everything else. */
export const POLICY: Policy = {
  policyId: 'test',
  version: '1',
  evaluate: ({ action }) => {
    if (action === 'files/read') return { decision: 'allow', reason: 'reads are fine' }
    if (action === 'files/write') return { decision: 'require_approval', reason: 'writes are looked at' }
    return { decision: 'deny', reason: 'not on the list' }
  },
}

export interface RigOptions extends Partial<Omit<Setup, 'holdMs'>> {
  /** If undefined, the guard's default applies. */
  readonly holdMs?: number | undefined
  /** The client's capabilities. */
  readonly capabilities?: object
}

export class Rig {
  readonly client = new RawSide()
  readonly server = new RawSide()
  readonly notes: string[] = []
  readonly ledger: MemoryLedger
  readonly store: MemoryApprovalStore
  readonly pins: ToolPins
  readonly guard: Guard
  /** Returns the server's answer to a message, in addition to the standard answers. */
  serve: (message: Json) => object | undefined = () => undefined
  tools: readonly object[] = TOOLS
  session!: GuardSession
  #lastId = 0

  constructor(options: RigOptions = {}) {
    const { capabilities: _, pins = new MemoryToolPins(), holdMs, ...rest } = options
    // Hold time in milliseconds, longer than any approval in these tests takes on a busy machine.
    const hold = 'holdMs' in options ? holdMs : 45_000
    this.pins = pins
    this.ledger = (options.ledger as MemoryLedger | undefined) ?? new MemoryLedger()
    this.store = (options.approvalStore as MemoryApprovalStore | undefined) ?? new MemoryApprovalStore()
    this.guard = guardOf({
      server: 'files',
      policy: POLICY,
      ledger: this.ledger,
      approvalStore: this.store,
      agentId: 'agent',
      pass: ['resources', 'prompts', 'completion'],
      pins,
      logger: (text) => this.notes.push(text),
      elicitation: true,
      // The tests compare the list of tools with that of the server.
      waitTool: false,
      ...(hold === undefined ? {} : { holdMs: hold }),
      ...rest,
    })
    this.server.answer = (message) => {
      const special = this.serve(message)
      if (special !== undefined) return special
      if (message.method === 'initialize') return hello()
      if (message.method === 'ping') return {}
      if (message.method === 'tools/list') return { tools: this.tools }
      if (message.method === 'tools/call') return { content: [{ type: 'text', text: `ran ${message.params.name}` }] }
      return undefined
    }
  }

  /** Starts a session and completes its handshake. */
  static async open(options: RigOptions = {}): Promise<Rig> {
    const rig = new Rig(options)
    rig.session = await rig.guard.open(rig.client, rig.server)
    onTestFinished(() => rig.guard.close())
    const clientInfo = { name: 'tester', version: '1' }
    const { capabilities = {} } = options
    await rig.ask('initialize', { protocolVersion: '2025-11-25', capabilities, clientInfo })
    rig.client.say({ method: 'notifications/initialized' })
    return rig
  }

  /** Starts another session of the same guard, with a server of its own. */
  async another(capabilities: object = {}): Promise<Rig> {
    const other = new Rig({ ledger: this.ledger, approvalStore: this.store })
    other.session = await this.guard.open(other.client, other.server)
    await other.ask('initialize', { protocolVersion: '2025-11-25', capabilities })
    return other
  }

  /** Sends a client request. @returns its ID */
  send(method: string, params?: object): RequestId {
    this.#lastId += 1
    this.client.say({ id: this.#lastId, method, params })
    return this.#lastId
  }

  /** Sends a client request. @returns the result, or `{ error }` */
  async ask(method: string, params?: object): Promise<Json> {
    return this.answerTo(this.send(method, params))
  }

  async answerTo(id: RequestId): Promise<Json> {
    const { result, error } = await this.client.heard((message) => message.id === id && message.method === undefined)
    return error === undefined ? result : { error }
  }

  callTool(name: string, args: object = {}, rest: object = {}): Promise<Json> {
    return this.ask('tools/call', { name, arguments: args, ...rest })
  }

  /** The messages with this method that have reached the server. */
  served(method: string): Json[] {
    return this.server.got.filter((message) => message.method === method)
  }

  /** Waits for an open approval and returns it. */
  async openApproval(): Promise<Json> {
    for (;;) {
      const [record] = await this.store.list({ state: 'pending' }, new Date())
      if (record !== undefined) return record
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  /** Answers the approval in the store, out of band. */
  async resolve(state: 'approved' | 'denied'): Promise<void> {
    const { approvalId, binding } = await this.openApproval()
    await this.store.resolve(approvalId, { state, approverId: 'ada', binding }, new Date())
  }

  /** Returns the entry at a position. The genesis entry is at position 1. */
  async entry(position: number): Promise<Json> {
    for await (const record of select(this.ledger.reader())) if (record.position === position) return record.entry
    throw new Error('no entry at this position')
  }

  /** Returns the first entry of a kind. */
  async first(event: 'decision' | 'outcome'): Promise<Json> {
    for await (const { entry } of select(this.ledger.reader())) if (entry.event === event) return entry
    throw new Error(`no ${event} is recorded`)
  }

  /** Returns the decision of a call. */
  async decisionOf(requestId: string): Promise<Json> {
    for await (const { entry } of select(this.ledger.reader()))
      if (entry.event === 'decision' && entry.request_id === requestId) return entry
    throw new Error('no decision is recorded')
  }

  /** Returns the control entry of the first question. */
  async question(): Promise<Json> {
    for await (const { entry } of select(this.ledger.reader())) {
      const { event, checkpoint } = entry as Json
      if (event === 'checkpoint' && checkpoint.kind === 'asked') return checkpoint
    }
    throw new Error('no question is recorded')
  }

  /** Returns one short line for each entry of the ledger: `decision allow read`, `outcome error read: why`. */
  async story(): Promise<string[]> {
    const lines: string[] = []
    for await (const { entry } of select(this.ledger.reader())) {
      const { event, action, decision, outcome } = entry as Json
      if (event === 'decision') lines.push(`${decision.effect} ${action} ${decision.reason_code}`)
      if (event === 'outcome') lines.push(`${outcome.status} ${action}${outcome.error ? `: ${outcome.error}` : ''}`)
    }
    return lines
  }
}

export const hello = (): object => ({
  protocolVersion: '2025-11-25',
  capabilities: { tools: { listChanged: true }, resources: {}, prompts: {}, logging: {}, completions: {}, tasks: {} },
  serverInfo: { name: 'I am the bank', version: '1' },
})

export const textOf = (result: Json): string => result.content[0].text
