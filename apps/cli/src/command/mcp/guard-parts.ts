// Opens everything that a guard needs: policy, ledger, approval store, budget, accepted tools. If opening one part
// fails, the parts already opened are closed.
import type { EngineFault, EngineOptions, OnConcealed } from '@sudoagent/core'
import { createSigner } from '@sudoagent/crypto'
import type { ArgumentCheck, Feature, Guard, ToolPins } from '@sudoagent/mcp'
import { CliError, EXIT } from '../../exit.js'
import { readCallPolicy } from '../../input/call-policy.js'
import { readCommitmentKeyFile } from '../../key/commitment-key.js'
import { readPrivateKey } from '../../key/private-key.js'
import { openLedgerWriter } from '../../ledger/place.js'
import type { Io } from '../../terminal/io.js'
import { printMessage } from '../../terminal/message.js'
import { deniedTools, mayAskPerson } from './denied-tools.js'
import { openApprovals, openBudget, openPins, requirePlaces } from './guard-stores.js'

export interface GuardPartsOptions {
  readonly policy: string
  readonly ledger: string
  readonly privateKey?: string
  readonly commitmentKey?: string
  readonly server: string
  readonly agent: string
  readonly budget?: string
  readonly approvals?: string
  readonly counter?: string
  readonly allowOtherWriters?: boolean
  readonly approvalTtl: string
  readonly hold: string
  readonly timeout: string
  readonly elicitation?: boolean
  readonly onConcealed?: string
  readonly tools?: string
  readonly acceptTools?: boolean
  readonly newTools: boolean
  readonly hideDenied?: boolean
  readonly checkArguments: string
  readonly omitNullArguments?: boolean
  readonly waitTool: boolean
  readonly pass?: readonly string[]
  readonly unicode: string
  readonly block?: readonly string[]
}

/** Maximum number of notes that one guard prints. Without a limit, a server could fill the disk with notes. */
const NOTES_MAX = 500

export interface OpenGuard {
  readonly guard: Guard
  /** Prints a note on standard error, up to NOTES_MAX. */
  note(text: string): void
  /** Closes the stores. Call this after closing the guard. */
  close(): Promise<void>
}

/** @throws CliError, LedgerError and errors of the stores, after closing everything that was opened */
export async function openGuard(options: GuardPartsOptions, io: Io): Promise<OpenGuard> {
  const { BLOCKED_BY_DEFAULT, FEATURES, Guard, MemoryToolPins } = await import('@sudoagent/mcp')
  const { SudoEngine } = await import('@sudoagent/core')
  const undos: (() => unknown)[] = []
  const note = noteTo(io)
  const close = async (): Promise<void> => {
    for (const undo of undos.splice(0).reverse()) await undo()
  }
  requirePlaces(options)
  const block = features('--block', options.block, FEATURES)
  const pass = features('--pass', options.pass, BLOCKED_BY_DEFAULT)
  const times = {
    holdMs: milliseconds('--hold', options.hold, 3_600, 0),
    callTimeoutMs: milliseconds('--timeout', options.timeout, 86_400),
  }
  try {
    // Options and policy are checked before any file is created.
    const policy = await readCallPolicy(options.policy)
    const signer =
      options.privateKey === undefined ? undefined : createSigner(await readPrivateKey(options.privateKey, io))
    const keyFile = options.commitmentKey
    const commitmentKey = keyFile === undefined ? {} : { commitmentKey: await readCommitmentKeyFile(keyFile) }
    const limits = options.budget === undefined ? null : parseBudget(options.budget)
    const onConcealed = requireOnConcealed(options.onConcealed ?? 'deny')
    const deciding = {
      policy,
      agentId: options.agent,
      ...commitmentKey,
      // The engine rejects any other value.
      unicode: options.unicode as 'refuse' | 'normalize',
      onConcealed,
      approvalTtlMs: milliseconds('--approval-ttl', options.approvalTtl, 604_800),
      onError: ({ stage, requestId }: EngineFault) =>
        void printMessage(io, 'error', `${stage} of request ${requestId} could not be recorded`),
    }
    const guarding = {
      server: options.server,
      pass,
      block,
      elicitation: options.elicitation === true,
      ...('clientMayApprove' in policy ? { clientMayApprove: policy.clientMayApprove } : {}),
      newTools: options.newTools,
      ...(options.hideDenied === true ? { hideTools: deniedTools(policy) } : {}),
      checkArguments: argumentCheck(options.checkArguments),
      omitNullArguments: options.omitNullArguments === true,
      waitTool: options.waitTool && mayAskPerson(policy, onConcealed),
      ...times,
      logger: note,
    }
    const open = (stores: Pick<EngineOptions, 'ledger' | 'approvalStore' | 'budget'>, pins: ToolPins) => {
      const engine = new SudoEngine({ ...deciding, ...stores })
      return { engine, guard: new Guard({ ...guarding, pins, engine }) }
    }
    // Checks the options before the ledger is created.
    const refuse = () => Promise.reject(new Error('no ledger'))
    const nowhere = { append: refuse, ask: refuse, close: async () => {} }
    open({ ledger: nowhere }, new MemoryToolPins())
    const ledger = await openLedgerWriter(options.ledger, {
      ...(signer === undefined ? {} : { signer }),
      ...(options.counter === undefined ? {} : { counter: options.counter }),
    })
    undos.push(() => ledger.close())
    const approvalStore = await openApprovals(options, undos)
    const budget = limits === null ? null : await openBudget(options, limits, undos)
    const pins = await openPins(options, undos)
    const { guard, engine } = open({ ledger, approvalStore, ...(budget === null ? {} : { budget }) }, pins)
    await engine.recordRefused()
    note(passing(BLOCKED_BY_DEFAULT, pass, block))
    return { guard, note, close }
  } catch (error) {
    await close()
    throw error instanceof TypeError
      ? new CliError(EXIT.usage, error.message, 'see `sudoagent mcp guard --help`', error)
      : error
  }
}

/** Splits repeated, comma-separated features: `--pass resources,prompts --pass completion`. @throws CliError */
function features(option: string, given: readonly string[] = [], known: readonly Feature[]): readonly Feature[] {
  return given
    .flatMap((text) => text.split(','))
    .map((name) => {
      const feature = known.find((candidate) => candidate === name.trim())
      if (feature !== undefined) return feature
      throw new CliError(EXIT.usage, `${option} \`${name}\` is not a feature`, `one of ${known.join(', ')}`)
    })
}

/** Formats the note printed at the start: which features are forwarded without decisions, and which are blocked. */
function passing(features: readonly Feature[], pass: readonly Feature[], block: readonly Feature[]): string {
  const open = features.filter((feature) => pass.includes(feature) && !block.includes(feature))
  const closed = features.filter((feature) => !open.includes(feature))
  const words = [
    open.length === 0 ? '' : `${open.join(', ')}: forwarded without a decision`,
    closed.length === 0 ? '' : `${closed.join(', ')}: blocked (use --pass to forward)`,
  ]
  return words.filter((text) => text !== '').join('; ')
}

function noteTo(io: Io): (text: string) => void {
  let left = NOTES_MAX
  return (text) => {
    left -= 1
    if (left > 0) void printMessage(io, 'note', text)
    else if (left === 0) void printMessage(io, 'note', 'too many notes; further notes are not shown')
  }
}

function requireOnConcealed(text: string): OnConcealed {
  if (text === 'deny' || text === 'ask' || text === 'allow') return text
  throw new CliError(EXIT.usage, `--on-concealed \`${text}\` is unknown`, 'one of deny, ask, allow')
}

function argumentCheck(text: string): ArgumentCheck {
  if (text === 'names' || text === 'schema' || text === 'off') return text
  throw new CliError(EXIT.usage, `--check-arguments \`${text}\` is unknown`, 'one of names, schema, off')
}

function milliseconds(option: string, text: string, maxSeconds: number, minSeconds = 1): number {
  const seconds = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : null
  if (seconds !== null && seconds >= minSeconds && seconds <= maxSeconds) return Math.round(seconds * 1000)
  const limits = `from ${minSeconds} to ${maxSeconds} seconds`
  if (seconds === null)
    throw new CliError(
      EXIT.usage,
      `${option} \`${text}\` is not a number of seconds`,
      `digits without a unit, ${limits}`,
    )
  const bound = seconds > maxSeconds ? `more than ${maxSeconds}` : `less than ${minSeconds}`
  throw new CliError(EXIT.usage, `${option} \`${text}\` is ${bound} seconds`, limits)
}

const BUDGET_NAMES = { 'per-agent': 'perAgent', 'per-tool': 'perTool', window: 'windowMs' } as const

/** `per-agent=100,per-tool=20,window=3600` */
function parseBudget(text: string): { windowMs: number; perAgent?: number; perTool?: number } {
  const limits: { windowMs: number; perAgent?: number; perTool?: number } = { windowMs: 3_600_000 }
  for (const part of text.split(',')) {
    const [, name, digits] = /^(per-agent|per-tool|window)=(\d{1,9})$/.exec(part) ?? []
    if (name === undefined)
      throw new CliError(EXIT.usage, `--budget \`${part}\` is not a limit`, '`per-agent=100,per-tool=20,window=3600`')
    limits[BUDGET_NAMES[name as keyof typeof BUDGET_NAMES]] = Number(digits) * (name === 'window' ? 1000 : 1)
  }
  return limits
}
