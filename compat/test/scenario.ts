// The scenarios that every framework runs. A framework defines how to run its agent with a model that requests calls
// of one tool, `refund`. For each result, the framework returns the part of the next model request that shows the
// result. Everything else is in this file, and is the same for all frameworks.
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Approver,
  type CallAuthority,
  ImmediateApprover,
  MemoryApprovalStore,
  type Policy,
  PollingApprover,
  SudoEngine,
} from '@sudoagent/core'
import { type LedgerWriter, verify } from '@sudoagent/ledger'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { entriesOf } from '../../packages/adapters/test/entries.js'

export interface RefundInput {
  readonly amount: number
}

export type Refund = (input: RefundInput, signal?: AbortSignal) => Promise<string>

/** One turn of an agent: its model requests all these calls at once, then receives their results. */
export interface Turn {
  readonly engine: SudoEngine
  readonly refund: Refund
  /** The IDs are `call_0`, `call_1`, … in list order. */
  readonly calls: readonly RefundInput[]
  /** The caller's signal. */
  readonly signal: AbortSignal
  /** The framework's own context of this turn; `trace` goes to a framework that passes only a trace. */
  readonly context?: { readonly sudoagent: CallAuthority }
  /** The options of the guard. */
  readonly options?: { readonly holdMs: number }
}

export interface Framework {
  readonly name: string
  /**
   * Whether the framework passes its caller's abort signal to the guarded tool; otherwise, the guard's options contain
   * the signal.
   */
  readonly handsSignal: boolean
  /**
   * The ID of the first call, if the framework passes an ID: either the model's ID (`call_0`) or the framework's own
   * ID.
   */
  readonly callId: string | undefined
  /** How much of the authority in its own context the framework passes to a tool. */
  readonly passes: 'authority' | 'trace' | 'nothing'
  /** Whether a tool error ends the run instead of reaching the model. */
  readonly endsWhenToolThrows?: boolean
  /** @returns the part of the next model request that shows each call, in the framework's own form */
  run(turn: Turn): Promise<readonly unknown[]>
}

/** Amounts that make the tool misbehave. */
export const THROWS = 13
export const HANGS = 77
export const TOOL_ERROR = 'the payment service is down'

/** A message that the model must not see, because it contains a path. */
const SECRET = '/srv/secret/ledger.sqlite'

const policy: Policy = {
  policyId: 'refunds',
  version: '1',
  evaluate: ({ action, kwargs: { amount } }) => {
    if (action !== 'refund' || typeof amount !== 'number')
      return { decision: 'deny', reason: 'only refunds of an amount' }
    if (amount <= 100) return { decision: 'allow', reason: 'within the limit of 100' }
    if (amount <= 1000) return { decision: 'require_approval', reason: 'above 100 an approval is required' }
    return { decision: 'deny', reason: 'above the limit of 1000' }
  },
}

const brokenLedger: LedgerWriter = {
  append: () => Promise.reject(new Error(`EIO: cannot write ${SECRET}`)),
  close: () => Promise.resolve(),
}

export interface Ended {
  /** For each call, the part that the model saw, as JSON; null if the run ended before the next request. */
  readonly shown: readonly string[] | null
  readonly ran: readonly RefundInput[]
  /** The ledger's entries in order, without the genesis: `decision deny APPROVAL_DENIED`, `outcome error` and so on. */
  readonly entries: readonly string[]
  readonly decisions: readonly { readonly kwargs: unknown; readonly action: unknown; readonly callId: unknown }[]
  /** The authority of each decision, and its `metadata.call`. */
  readonly authorities: readonly (readonly [authority: unknown, call: unknown])[]
  readonly error: unknown
}

export interface Setting {
  readonly approver?: Approver
  readonly approvalStore?: MemoryApprovalStore
  readonly ledger?: 'broken'
  readonly amounts: readonly number[]
  readonly context?: Turn['context']
  /** Called while the agent is running. */
  readonly meanwhile?: (abort: AbortController) => Promise<void> | void
  readonly onHang?: (abort: AbortController) => void
}

/** Runs one turn and collects all results. @throws if the ledger does not verify */
export async function play(framework: Framework, setting: Setting): Promise<Ended> {
  const {
    amounts,
    approver = new ImmediateApprover(false, { approverId: 'desk' }),
    approvalStore,
    meanwhile,
    onHang,
  } = setting
  const memory = new MemoryLedger()
  const ledger = setting.ledger === 'broken' ? brokenLedger : memory
  const engine = new SudoEngine({
    policy,
    agentId: 'support-bot',
    ledger,
    approver,
    ...(approvalStore ? { approvalStore } : {}),
  })
  const abort = new AbortController()
  const ran: RefundInput[] = []
  const refund: Refund = async (input, signal) => {
    ran.push(structuredClone(input))
    if (input.amount === THROWS) throw new Error(TOOL_ERROR)
    if (input.amount === HANGS) {
      onHang?.(abort)
      await sleep(60_000, undefined, signal === undefined ? {} : { signal })
    }
    return `refunded ${input.amount}`
  }
  const calls = amounts.map((amount) => ({ amount }))
  const turn = { engine, refund, calls, signal: abort.signal, ...(setting.context && { context: setting.context }) }
  const [run] = await Promise.allSettled([framework.run(turn), meanwhile?.(abort)])
  // A server may record a denial after its client has given up.
  await new Promise((resolve) => setImmediate(resolve))
  const report = await verify(memory.reader())
  if (setting.ledger !== 'broken' && !report.ok && report.entries > 0) throw new Error(JSON.stringify(report.findings))
  const entries: string[] = []
  const decisions: Ended['decisions'][number][] = []
  const authorities: Ended['authorities'][number][] = []
  for (const entry of await entriesOf(memory)) {
    if (entry.event === 'decision') {
      entries.push(`decision ${entry.decision?.effect} ${entry.decision?.reason_code}`)
      const { parameters, action, metadata } = entry
      decisions.push({ kwargs: parameters?.kwargs, action, callId: metadata?.tool_call_id })
      authorities.push([entry.authority, metadata?.call])
    } else if (entry.event === 'outcome') entries.push(`outcome ${entry.outcome?.status}`)
  }
  const shown = run.status === 'fulfilled' ? run.value.map((part) => JSON.stringify(part)) : null
  return { shown, ran, entries, decisions, authorities, error: run.status === 'rejected' ? run.reason : undefined }
}

export interface PendingEnded {
  /** The part that the model saw of the call, of the repeated call, and of the call repeated after the approval. */
  readonly shown: readonly string[]
  readonly ran: readonly RefundInput[]
  readonly questions: number
}

/** Runs three turns with the same call, which waits for 50 ms. A person approves it after the second turn. */
export async function playPending(framework: Framework): Promise<PendingEnded> {
  const ledger = new MemoryLedger()
  const approvalStore = new MemoryApprovalStore()
  const engine = new SudoEngine({
    policy,
    agentId: 'support-bot',
    ledger,
    approvalStore,
    approver: new PollingApprover(),
  })
  const ran: RefundInput[] = []
  const refund: Refund = async (input) => {
    ran.push(structuredClone(input))
    return `refunded ${input.amount}`
  }
  const signal = new AbortController().signal
  const turn = async (): Promise<string> => {
    const calls = [{ amount: 500 }]
    return JSON.stringify((await framework.run({ engine, refund, calls, signal, options: { holdMs: 50 } }))[0])
  }
  const shown = [await turn(), await turn()]
  const open = await approvalStore.list({ state: 'pending' }, new Date())
  for (const { approvalId, binding } of open)
    await approvalStore.resolve(approvalId, { state: 'approved', approverId: 'ada', binding }, new Date())
  shown.push(await turn())
  const report = await verify(ledger.reader())
  if (!report.ok) throw new Error(JSON.stringify(report.findings))
  return { shown, ran, questions: open.length }
}

/** Strings that the model must never see. */
export const LEAKS = [
  SECRET,
  'EIO',
  '\\n    at ',
  'node_modules',
  '.ts:',
  '.js:',
  /[0-9a-f]{8}-[0-9a-f]{4}-/,
  /[0-9a-f]{64}/,
]

export interface Scenario extends Setting {
  readonly name: string
  /** Whether the tool ran with the arguments of the only call. */
  readonly runs: boolean
  readonly entries: readonly string[]
  /** The text that the model must see; null if the framework chooses it. */
  readonly text: string | null
}

const ALLOW = 'decision allow POLICY_ALLOW_LOW_RISK'
const APPROVED = 'decision allow POLICY_REQUIRE_APPROVAL_HIGH_VALUE'
const DENY = 'decision deny POLICY_DENY_HIGH_RISK'
const REFUSED = 'decision deny APPROVAL_DENIED'
/** The part of a denial text that follows its cause. */
const end = (code: string): string => `so it did not run (${code}). Reason:`

export const SCENARIOS: readonly Scenario[] = [
  { name: 'allowed', amounts: [30], runs: true, entries: [ALLOW, 'outcome success'], text: 'refunded 30' },
  {
    name: 'denied',
    amounts: [5000],
    runs: false,
    entries: [DENY],
    text: `This call was denied by policy, ${end('POLICY_DENY_HIGH_RISK')} above the limit of 1000. Do not repeat this call unchanged.`,
  },
  {
    name: 'approval refused',
    amounts: [500],
    runs: false,
    entries: [REFUSED],
    text: `This call was not approved, ${end('APPROVAL_DENIED')} the approver denied the call. Do not repeat this call unchanged.`,
  },
  {
    name: 'approval granted',
    amounts: [500],
    approver: new ImmediateApprover(true, { approverId: 'desk' }),
    runs: true,
    entries: [APPROVED, 'outcome success'],
    text: 'refunded 500',
  },
  { name: 'tool throws', amounts: [THROWS], runs: true, entries: [ALLOW, 'outcome error'], text: null },
  {
    name: 'ledger cannot be written',
    amounts: [30],
    ledger: 'broken',
    runs: false,
    entries: [],
    text: `This call was denied because it could not be recorded, ${end('LEDGER_WRITE_FAILED_DECISION')} the decision could not be recorded. Do not repeat this call unchanged.`,
  },
]

/**
 * Simulates a person at another terminal, who waits for the request and answers it while the agent's call is pending.
 */
export function deskFor(answer: 'approved' | 'denied' | 'none') {
  const approvalStore = new MemoryApprovalStore()
  const approver = new PollingApprover({ intervalMs: 10 })
  const asked = async (): Promise<string> => {
    for (let looks = 0; looks < 1_000; looks++) {
      const [open] = await approvalStore.list({ state: 'pending' }, new Date())
      if (open !== undefined) return open.approvalId
      await sleep(10)
    }
    throw new Error('no approval was requested')
  }
  const meanwhile = async (abort: AbortController): Promise<void> => {
    const id = await asked()
    if (answer === 'none') abort.abort(new Error('the user disconnected'))
    else await approvalStore.resolve(id, { state: answer, approverId: 'ada' }, new Date())
  }
  return { approvalStore, approver, meanwhile }
}
