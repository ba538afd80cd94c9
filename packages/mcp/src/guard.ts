// The guard: an authorizing proxy between MCP clients and MCP servers
// (https://modelcontextprotocol.io/specification).
//
//   guard.ts      options and sessions
//   session/      one client, one server: handshake, requests in both directions, approval through the client
//   call/         `tools/call` from arrival to outcome
//   tool/         tool definitions, their digests and the accepted ones
//   downstream/   the client: stdio or streamable HTTP
//   upstream/     the server: a child process or streamable HTTP
//   wire/         JSON-RPC messages: strict parsing, exact numbers, ids, limits
//
// The engine sees a call as the action `<server>/<tool>`. A call is forwarded only after an allowing decision is
// recorded:
//
//   {"method":"tools/call","params":{"name":"read_file","arguments":{"path":"a.txt"}}}
//   → action `files/read_file`, kwargs { path: 'a.txt' } → policy, budget, approval → decision recorded → server
import { randomUUID } from 'node:crypto'
import { type ApprovalRequest, createRedactor, type RedactionOptions } from '@sudoagent/core'
import type { WaitingEngine } from '@sudoagent/core/boundary'
import { readOptions } from '@sudoagent/core/store'
import { ARGUMENT_CHECKS, type ArgumentCheck } from './call/argument-check.js'
import { PendingCalls } from './call/pending-calls.js'
import { CALL_TIMEOUT_MS_DEFAULT, HOLD_MS_DEFAULT, SERVER_NAME_LENGTH_MAX, WAIT_MS_MAX } from './limits.js'
import { GuardSession } from './session/session.js'
import type { ToolPins } from './tool/tool-pins.js'
import { BLOCKED_BY_DEFAULT, FEATURES, type Feature } from './wire/method.js'
import type { GuardTransport } from './wire/peer.js'

export interface GuardOptions {
  /**
   * Decides about the calls. The guard brings its own approver: a person answers in the engine's approval store, or
   * through the client. If the engine's ledger does not record questions, a call is denied after the hold time.
   */
  readonly engine: WaitingEngine
  /**
   * The server name in this deployment, which is the first part of each action. The name that the server reports is
   * ignored.
   */
  readonly server: string
  readonly pins: ToolPins
  /** Which of `resources`, `prompts` and `completion` are forwarded, without decisions. Default: none. */
  readonly pass?: readonly Feature[]
  /** Additional features to block. Takes precedence over `pass`. */
  readonly block?: readonly Feature[]
  /**
   * Whether to ask the user through the client. Default: false. The answer is only as trustworthy as the client: a
   * client that is an agent itself can approve its own calls.
   */
  readonly elicitation?: boolean
  /**
   * Whether an answer through the client can approve this call. If this function returns false or throws, only an
   * answer through the approval store counts. Default: every answer can.
   */
  readonly clientMayApprove?: (request: ApprovalRequest) => boolean
  /** Rules for redacting secrets in server and client text. Default: the rules of `createRedactor`. */
  readonly redaction?: RedactionOptions
  /**
   * Whether tools that a known server adds later are accepted automatically, like its first tools. Default: true.
   * If false, a person must accept each new tool before it can be called.
   */
  readonly newTools?: boolean
  /**
   * Selects tools, by action, that are hidden from the client. Default: none. Hiding a tool does not deny it: the
   * policy still evaluates calls of hidden tools.
   */
  readonly hideTools?: (action: string) => boolean
  /**
   * How arguments are checked. `names`: against the names in the accepted `inputSchema`; `schema`: against the
   * whole schema. Default: `names`. A call that fails the check is denied with `PARAMETERS_INVALID`.
   */
  readonly checkArguments?: ArgumentCheck
  /**
   * Whether nulls of optional arguments are dropped where the accepted `inputSchema` allows no null: some clients send
   * them for all arguments that the model left out. The policy, the approver, the record and the server get the call
   * without them. Otherwise, arguments are never changed. Default: false.
   */
  readonly omitNullArguments?: boolean
  /**
   * Whether the client gets the tool `sudoagent_wait`, which waits for the decision about a pending call. Set it to
   * false for a policy that never requires an approval. Default: true, unless the server has a tool of this name.
   */
  readonly waitTool?: boolean
  /** How long a call waits for an approval before the client receives "pending", in milliseconds. Default: 4,000. */
  readonly holdMs?: number
  /** Time limit for each server response, in milliseconds. Default: 600,000. */
  readonly callTimeoutMs?: number
  /**
   * Receives one line for each message that is refused or dropped, and for each pending call. The lines contain
   * untrusted text: escape them for display.
   */
  readonly logger?: (text: string) => void
}

const GUARD_OPTIONS: readonly (keyof GuardOptions)[] = [
  'engine',
  'server',
  'pins',
  'pass',
  'block',
  'elicitation',
  'clientMayApprove',
  'redaction',
  'newTools',
  'hideTools',
  'checkArguments',
  'omitNullArguments',
  'waitTool',
  'holdMs',
  'callTimeoutMs',
  'logger',
]

/**
 * An authorizing proxy: sessions between clients and servers, with one policy and one ledger.
 *
 * @example
 *   const guard = new Guard({
 *     server: 'files',
 *     engine: new SudoEngine({ policy, ledger, agentId: 'desktop' }),
 *     pins: new MemoryToolPins(),
 *   })
 *   const server = new ChildUpstream({ command: 'npx', args: ['some-mcp-server'] })
 *   const session = await guard.open(new StdioDownstream(), server)
 *   await session.closed
 */
export class Guard {
  readonly #parts: ConstructorParameters<typeof GuardSession>[0]
  readonly #sessions = new Set<GuardSession>()

  /** @throws TypeError with the name of a missing, unknown or invalid option */
  constructor(given: GuardOptions) {
    const {
      server,
      engine,
      pins,
      pass = [],
      block = [],
      elicitation = false,
      clientMayApprove = () => true,
      redaction = {},
      newTools = true,
      hideTools = () => false,
      checkArguments = 'names',
      omitNullArguments = false,
      waitTool = true,
      holdMs,
      callTimeoutMs,
      logger = () => {},
    } = readOptions('Guard options', given, GUARD_OPTIONS)
    const blocked = blockedFeatures(pass, block)
    if (!ARGUMENT_CHECKS.includes(checkArguments))
      throw new TypeError(`\`checkArguments\` must be one of ${ARGUMENT_CHECKS.join(', ')}`)
    if (typeof omitNullArguments !== 'boolean') throw new TypeError('`omitNullArguments` must be true or false')
    if (typeof pins !== 'object' || pins === null)
      throw new TypeError('`pins` is required: the store of accepted tool definitions')
    if (typeof waitTool !== 'boolean') throw new TypeError('`waitTool` must be true or false')
    if (typeof engine?.resume !== 'function') throw new TypeError('`engine` must be an engine, such as a `SudoEngine`')
    this.#parts = {
      server: requireServerName(server),
      engine,
      pending: new PendingCalls(),
      pins,
      blocked,
      redact: createRedactor(redaction).text,
      elicitation,
      mayElicit: (request) => mayElicit(clientMayApprove, request),
      waitTool,
      newTools,
      hideTools,
      checkArguments,
      omitNullArguments,
      holdMs: requireWait('holdMs', holdMs ?? HOLD_MS_DEFAULT),
      callTimeoutMs: requireWait('callTimeoutMs', callTimeoutMs ?? CALL_TIMEOUT_MS_DEFAULT),
      generateId: randomUUID,
      note: logger,
    }
  }

  /** @throws (as a rejection) GuardError if the server cannot be started; errors of the caller's transports */
  async open(client: GuardTransport, server: GuardTransport): Promise<GuardSession> {
    const session = new GuardSession(this.#parts, client, server)
    this.#sessions.add(session)
    void session.closed.then(() => this.#sessions.delete(session))
    try {
      await session.start()
    } catch (error) {
      this.#sessions.delete(session)
      throw error
    }
    return session
  }

  /** Ends all sessions. The caller closes the ledger, the stores and the pins afterwards. */
  async close(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.close('the guard stopped')))
  }
}

/** @throws TypeError for an unknown feature */
function blockedFeatures(pass: readonly Feature[], block: readonly Feature[]): ReadonlySet<Feature> {
  for (const [option, given, known] of [
    ['pass', pass, BLOCKED_BY_DEFAULT],
    ['block', block, FEATURES],
  ] as const) {
    if (!given.every((feature) => known.includes(feature)))
      throw new TypeError(`\`${option}\` accepts only ${known.join(', ')}`)
  }
  return new Set([...BLOCKED_BY_DEFAULT.filter((feature) => !pass.includes(feature)), ...block])
}

function mayElicit(clientMayApprove: (request: ApprovalRequest) => boolean, request: ApprovalRequest): boolean {
  try {
    return clientMayApprove(request) === true
  } catch {
    return false
  }
}

/** Requires a name without a slash, so that an action is unambiguous. */
export function requireServerName(server: unknown): string {
  if (
    typeof server === 'string' &&
    server.length <= SERVER_NAME_LENGTH_MAX &&
    /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(server)
  )
    return server
  throw new TypeError(
    `\`server\` must be at most ${SERVER_NAME_LENGTH_MAX} letters, digits, \`.\`, \`_\` and \`-\`, and start with a letter or digit`,
  )
}

function requireWait(name: string, ms: unknown): number {
  if (Number.isInteger(ms) && Number(ms) >= 0 && Number(ms) <= WAIT_MS_MAX) return Number(ms)
  throw new TypeError(`\`${name}\` must be an integer number of milliseconds from 0 to ${WAIT_MS_MAX}`)
}
