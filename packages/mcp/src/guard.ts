import { randomUUID } from 'node:crypto'
import { type ApprovalRequest, createRedactor, type EngineOptions, type Policy, SudoEngine } from '@sudoagent/core'
import { ownFields } from '@sudoagent/core/store'
import { ARGUMENT_CHECKS, type ArgumentCheck } from './call/argument-check.js'
import { CALL_TIMEOUT_MS_DEFAULT, HOLD_MS_DEFAULT, SERVER_NAME_LENGTH_MAX, WAIT_MS_MAX } from './limits.js'
import { FirstAnswerApprover } from './session/approver.js'
import { GuardSession } from './session/session.js'
import type { ToolPins } from './tool/tool-pins.js'
import { BLOCKED_BY_DEFAULT, FEATURES, type Feature } from './wire/method.js'
import type { GuardTransport } from './wire/peer.js'

/** A policy that may also say for which calls the client's own word is not enough. */
export interface GuardPolicy extends Policy {
  /** Whether the person at the client may approve this call. Where it says no, or throws, only the approval store counts. */
  clientMayApprove?(request: ApprovalRequest): boolean
}

export interface GuardOptions extends Omit<EngineOptions, 'approver' | 'generateId' | 'policy'> {
  readonly policy: GuardPolicy
  /** What this deployment calls the server: the first part of each action. What the server calls itself does not count. */
  readonly server: string
  readonly pins: ToolPins
  /** Of `resources`, `prompts` and `completion`, which pass: none of them unless named. They are not decided on. */
  readonly pass?: readonly Feature[]
  /** Further features that are not passed. Wins over `pass`. */
  readonly block?: readonly Feature[]
  /**
   * Whether the person at the client is asked, through the client. Default: false. The answer is the client's word: one that is an agent
   * itself can approve its own calls.
   */
  readonly elicitation?: boolean
  /**
   * Whether a tool that appears later is accepted as the first ones were. Default: true. False: once a server is known, a new tool is
   * refused until somebody accepts it.
   */
  readonly newTools?: boolean
  /**
   * Tools, by action, that the client is not shown: those that no call of is ever allowed. Default: none. It decides nothing: a call of
   * one is denied by the policy, as ever.
   */
  readonly hideTools?: (action: string) => boolean
  /**
   * What arguments are checked against. Default: `names`, the names in the accepted `inputSchema`. `schema`: all of the schema. They are
   * never changed; a call with others is denied with `PARAMETERS_INVALID`.
   */
  readonly checkArguments?: ArgumentCheck
  /** How long a call waits for an approval before it is answered with "pending", in milliseconds. Default: 4,000. */
  readonly holdMs?: number
  /** How long the server may take for one answer, in milliseconds: 600,000. */
  readonly callTimeoutMs?: number
  /** Told, in one line, of what was refused, dropped or left open. What it is told comes from strangers: print it safely. */
  readonly logger?: (text: string) => void
}

/**
 * An authorizing proxy: sessions between clients and servers, under one policy and on one ledger.
 *
 * @example
 * const guard = new Guard({ server: 'files', policy, ledger, agentId: 'desktop', pins: new MemoryToolPins() })
 * const session = await guard.open(new StdioDownstream(), new ChildUpstream({ command: 'npx', args: ['some-mcp-server'] }))
 * await session.closed
 */
export class Guard {
  readonly #parts: ConstructorParameters<typeof GuardSession>[0]
  readonly #sessions = new Set<GuardSession>()

  /** @throws TypeError naming the option that is missing, unknown or wrong */
  constructor(given: GuardOptions) {
    const options = ownFields(given)
    const {
      server,
      pins,
      pass = [],
      block = [],
      elicitation = false,
      newTools = true,
      hideTools = () => false,
      ...others
    } = options
    const { checkArguments = 'names', holdMs, callTimeoutMs, logger = () => {}, ...rest } = others
    const blocked = blockedFeatures(pass, block)
    if (!ARGUMENT_CHECKS.includes(checkArguments))
      throw new TypeError(`\`checkArguments\` knows ${ARGUMENT_CHECKS.join(', ')}`)
    const approver = new FirstAnswerApprover((request) => mayElicit(options.policy, request))
    // `authorize` asks for an id before it first waits, so the id is taken by the call that it was laid out for.
    let next: string | null = null
    const generateId = (): string => {
      const id = next ?? randomUUID()
      next = null
      return id
    }
    this.#parts = {
      server: requireServerName(server),
      engine: new SudoEngine({ ...rest, approver, generateId }),
      approver,
      pins,
      blocked,
      redact: createRedactor(options.redaction).text,
      elicitation,
      newTools,
      hideTools,
      checkArguments,
      holdMs: requireWait('holdMs', holdMs ?? HOLD_MS_DEFAULT),
      callTimeoutMs: requireWait('callTimeoutMs', callTimeoutMs ?? CALL_TIMEOUT_MS_DEFAULT),
      generateId: randomUUID,
      withId: (requestId, authorize) => {
        next = requestId
        try {
          return authorize()
        } finally {
          next = null
        }
      },
      note: logger,
    }
  }

  /** @throws (as a rejection) GuardError when the server cannot be started; what a transport of the caller's throws */
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

  /** Ends all sessions. The ledger, the stores and the pins are their owner's to close, after this. */
  async close(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.close('the guard is stopping')))
  }
}

/** @throws TypeError for a feature that is none */
function blockedFeatures(pass: readonly Feature[], block: readonly Feature[]): ReadonlySet<Feature> {
  for (const [option, given, known] of [
    ['pass', pass, BLOCKED_BY_DEFAULT],
    ['block', block, FEATURES],
  ] as const) {
    if (!given.every((feature) => known.includes(feature)))
      throw new TypeError(`\`${option}\` knows ${known.join(', ')}`)
  }
  return new Set([...BLOCKED_BY_DEFAULT.filter((feature) => !pass.includes(feature)), ...block])
}

function mayElicit(policy: GuardPolicy, request: ApprovalRequest): boolean {
  try {
    return policy.clientMayApprove === undefined || policy.clientMayApprove(request) === true
  } catch {
    return false
  }
}

/** A name without a slash, so that an action reads one way only. */
export function requireServerName(server: unknown): string {
  if (
    typeof server === 'string' &&
    server.length <= SERVER_NAME_LENGTH_MAX &&
    /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(server)
  )
    return server
  throw new TypeError(`\`server\` must be letters, digits, \`.\`, \`_\` and \`-\`, at most ${SERVER_NAME_LENGTH_MAX}`)
}

function requireWait(name: string, ms: unknown): number {
  if (Number.isInteger(ms) && Number(ms) >= 0 && Number(ms) <= WAIT_MS_MAX) return Number(ms)
  throw new TypeError(`\`${name}\` must be milliseconds, 0 to ${WAIT_MS_MAX}`)
}
