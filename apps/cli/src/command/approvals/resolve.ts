// What `approvals approve` and `approvals deny` have in common: show, ask, settle once.
import { type ApprovalRecord, type ApprovalStore, ApprovalStoreError } from '@sudoagent/core'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { withApprovals } from '../../ledger/approval-store.js'
import { isServer } from '../../ledger/password-url.js'
import { confirm, confirmNext } from '../../terminal/confirm.js'
import { APPROVER_VARIABLE, type Io, print } from '../../terminal/io.js'
import { approvalJson, approvalRows, stateOf } from '../../text/approval-text.js'

/** As many as the store lists at once. */
const APPROVAL_LIST_MAX = 200

/** As in the ledger. */
const APPROVER_CHARACTERS_MAX = 256
const REASON_CHARACTERS_MAX = 4096

export interface ResolveOptions {
  readonly store: string
  readonly id: string
  readonly approver?: string
  readonly reason?: string
  readonly yes?: boolean
  readonly allowOtherWriters?: boolean
  readonly json?: boolean
}

/**
 * Answers one pending approval.
 *
 * @throws CliError with exit code 1 for an approval that is unknown, expired, or answered already, and for one that the
 *   person did not confirm
 */
export async function resolveApproval(
  state: 'approved' | 'denied',
  options: ResolveOptions,
  io: Io,
): Promise<ExitCode> {
  const { id, reason, yes = false, json = false, allowOtherWriters } = options
  const approverId = requireApprover(options.approver ?? io.approver)
  const note = reason === undefined ? null : requireReason(reason)
  const record = await withApprovals(options.store, { allowOtherWriters }, async (store) => {
    const seen = requirePending(await find(store, id))
    if (!yes) await ask(state, seen, approverId, io)
    return await settle(store, seen, { state, approverId, note }, isServer(options.store))
  })
  if (json) {
    await print(io.stdout, `${JSON.stringify(approvalJson(record), null, 2)}\n`)
    return EXIT.ok
  }
  const { printable } = await import('@sudoagent/ledger')
  await print(
    io.stdout,
    `${state}: ${printable(record.action)} for ${printable(record.agentId)}, by ${printable(approverId)}\n`,
  )
  return EXIT.ok
}

/** @throws CliError with exit code 1 when there is none */
export async function find(store: ApprovalStore, id: string): Promise<ApprovalRecord> {
  // The bound of the store's own ids: a longer one is unknown, not wrong.
  const record = id === '' || id.length > 128 || !id.isWellFormed() ? undefined : await store.get(id, new Date())
  if (record !== undefined) return record
  const [one, ...more] = id.length < ID_PREFIX_MIN ? [] : await beginningWith(store, id)
  if (one !== undefined && more.length === 0) return one
  if (one !== undefined) {
    throw new CliError(EXIT.no, `${more.length + 1} approvals begin with \`${id}\``, 'give more of the id')
  }
  throw new CliError(EXIT.no, `there is no approval \`${id}\``, '`sudoagent approvals list` shows those that there are')
}

/** Fewer characters are a slip of the finger. */
const ID_PREFIX_MIN = 4

/** Among as many as `approvals list` shows. */
async function beginningWith(store: ApprovalStore, start: string): Promise<readonly ApprovalRecord[]> {
  const records = await store.list({ limit: APPROVAL_LIST_MAX }, new Date())
  return records.filter(({ approvalId }) => approvalId.startsWith(start))
}

function requirePending(record: ApprovalRecord): ApprovalRecord {
  if (record.state === 'pending') return record
  throw settledAlready(record)
}

function settledAlready(record: ApprovalRecord): CliError {
  const hint =
    record.state === 'expired' ? 'the call was not made; the agent has to ask again' : 'an answer is given once'
  return new CliError(EXIT.no, `nothing was changed: it is ${stateOf(record)}`, hint)
}

async function ask(state: 'approved' | 'denied', record: ApprovalRecord, approverId: string, io: Io): Promise<void> {
  const { printable } = await import('@sudoagent/ledger')
  const verb = state === 'approved' ? 'approve' : 'deny'
  if (io.keyboard() === null) {
    const message = `there is no terminal to ask on whether to ${verb} it`
    throw new CliError(EXIT.failed, message, `look at it with \`sudoagent approvals show\`, then ${verb} it with --yes`)
  }
  await showAll(record, verb, io)
  const question = `${verb} \`${printable(record.action, 80)}\` for \`${printable(record.agentId, 40)}\` as \`${printable(approverId, 40)}\`? [y/N] `
  if (await confirm(io, question)) return
  throw new CliError(EXIT.no, `nothing was changed: you did not ${verb} it`, 'only `y` or `yes` does; it is still open')
}

/** Rows that are shown at a time: what was not shown cannot be approved, and what rushed by was not read. */
const PAGE_ROWS = 40

/** Page by page where it is long; ends the command where the person does not go on. */
async function showAll(record: ApprovalRecord, verb: string, io: Io): Promise<void> {
  const { pageQuestion, promptPages } = await import('@sudoagent/core/terminal')
  const pages = promptPages(approvalRows(record, new Date(), io.stderr.columns), PAGE_ROWS)
  for (const [index, rows] of pages.entries()) {
    await io.stderr.write(`${rows.join('\n')}\n\n`)
    if (index === pages.length - 1 || (await confirmNext(io, pageQuestion(index + 1, pages.length)))) continue
    throw new CliError(
      EXIT.no,
      `nothing was changed: you did not ${verb} it`,
      'Enter shows the next page; it is still open',
    )
  }
}

interface Answer {
  readonly state: 'approved' | 'denied'
  readonly approverId: string
  readonly note: string | null
}

/**
 * Bound to what was shown: an answer about anything else does not count.
 *
 * @param isOnServer - whether the store has a clock of its own
 */
async function settle(
  store: ApprovalStore,
  seen: ApprovalRecord,
  answer: Answer,
  isOnServer: boolean,
): Promise<ApprovalRecord> {
  const now = new Date()
  try {
    const record = await store.resolve(seen.approvalId, { ...answer, binding: seen.binding }, now)
    // The store says yes to the same answer twice, so that an engine can repeat itself. Here the second one is not the answer.
    const isOurs =
      record.approverId === answer.approverId &&
      (isOnServer ? record.note === answer.note : record.resolvedAt?.getTime() === now.getTime())
    if (!isOurs) throw settledAlready(record)
    return record
  } catch (error) {
    if (!(error instanceof ApprovalStoreError) || error.code === 'APPROVAL_STORE_FAILED') throw error
    throw settledAlready(await find(store, seen.approvalId))
  }
}

function requireApprover(name: string | undefined): string {
  if (name === undefined) {
    throw new CliError(
      EXIT.usage,
      'no --approver is given',
      `the ledger names who answered; set ${APPROVER_VARIABLE} to save typing`,
    )
  }
  return requireName('--approver', name, APPROVER_CHARACTERS_MAX)
}

const requireReason = (reason: string): string => requireName('--reason', reason, REASON_CHARACTERS_MAX)

function requireName(option: string, text: string, charactersMax: number): string {
  if (text.trim() === '') throw new CliError(EXIT.usage, `${option} is empty`, 'it stands in the ledger')
  if (text.length > charactersMax) {
    throw new CliError(EXIT.usage, `${option} is longer than ${charactersMax} characters`, 'shorten it')
  }
  if (text.isWellFormed() && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text)) return text
  throw new CliError(EXIT.usage, `${option} has a control character in it`, 'it is one line of text')
}
