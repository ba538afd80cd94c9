// Shared by `approvals approve` and `approvals deny`: shows the approval, asks for confirmation, and resolves the
// approval.
import { type ApprovalRecord, type ApprovalStore, ApprovalStoreError } from '@sudoagent/core'
import { equalUseText } from '@sudoagent/core/terminal'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { withApprovals } from '../../ledger/approval-store.js'
import { isServer } from '../../ledger/password-url.js'
import { confirm, confirmNext } from '../../terminal/confirm.js'
import { APPROVER_VARIABLE, type Io, print } from '../../terminal/io.js'
import { printMessage } from '../../terminal/message.js'
import { approvalJson } from '../../text/approval-json.js'
import { approvalRows, type ShownApproval, stateOf } from '../../text/approval-text.js'
import { find, withEqualUse } from './find.js'
import {
  type RecordedDecision,
  type RecordedOptions,
  RecordedWait,
  recordedText,
  requireRecordedOptions,
  type Verdict,
} from './recorded.js'
import { isWaitedFor, nextText, requireUseOptions, type UseOptions, waitForUse } from './use.js'

/** Ledger limits, in UTF-16 code units. */
const APPROVER_LENGTH_MAX = 256
const REASON_LENGTH_MAX = 4096

export interface ResolveOptions extends RecordedOptions, UseOptions {
  readonly id: string
  readonly approver?: string
  readonly reason?: string
  readonly yes?: boolean
  readonly json?: boolean
}

/**
 * Resolves one pending approval. With `--ledger`, also waits until the decision is recorded.
 *
 * @throws CliError with exit code 1 if the approval is unknown or no longer pending, if it does not show the call that
 *   its hashes cover, or if the user did not confirm
 */
export async function resolveApproval(state: Verdict, options: ResolveOptions, io: Io): Promise<ExitCode> {
  const { id, reason, yes = false, json = false, allowOtherWriters } = options
  const approverId = requireApprover(options.approver ?? io.approver)
  const note = reason === undefined ? null : requireReason(reason)
  requireRecordedOptions(options)
  requireUseOptions(options)
  let wait: RecordedWait | null = null
  try {
    const record = await withApprovals(options.store, { allowOtherWriters }, async (store) => {
      const seen = requirePending(await find(store, id))
      wait = await RecordedWait.open(options, seen, options.store, io)
      const shown = await withEqualUse(store, seen)
      if (!yes) await ask(state, shown, approverId, io)
      else if (state === 'approved' && shown.equalUse !== null)
        await printMessage(io, 'note', equalUseText(shown.equalUse, new Date()))
      return await settle(store, seen, { state, approverId, note }, isServer(options.store))
    })
    await report(state, { record, approverId, wait, json }, io)
    return options.wait === true ? await waitForUse(record, options, io) : EXIT.ok
  } finally {
    await (wait as RecordedWait | null)?.close()
  }
}

interface Answered {
  readonly record: ApprovalRecord
  readonly approverId: string
  readonly wait: RecordedWait | null
  readonly json: boolean
}

/** Prints the answer, which is stored, and waits until the decision is recorded. */
async function report(state: Verdict, { record, approverId, wait, json }: Answered, io: Io): Promise<void> {
  const { escapeForTerminal } = await import('@sudoagent/crypto/text')
  const { action, agentId } = record
  if (!json)
    await print(
      io.stdout,
      `${state}: ${escapeForTerminal(action)} for ${escapeForTerminal(agentId)}, by ${escapeForTerminal(approverId)}\n`,
    )
  const next = state === 'approved' ? nextText(record) : null
  if (!json && next !== null) await printMessage(io, 'note', next)
  let recorded: RecordedDecision | null = null
  try {
    recorded = (await wait?.wait()) ?? null
  } finally {
    // An answer that is stored is printed even if the ledger cannot be read any more.
    if (json) {
      const value = {
        ...approvalJson(record),
        ...(state === 'approved' ? { waiting: isWaitedFor(record) } : {}),
        ...(wait === null ? {} : { recorded }),
      }
      await print(io.stdout, `${JSON.stringify(value, null, 2)}\n`)
    }
  }
  if (wait === null) return
  if (recorded === null) await wait.printMissing(state)
  else if (!json) await print(io.stdout, `${recordedText(recorded, state)}\n`)
}

function requirePending(record: ApprovalRecord): ApprovalRecord {
  if (record.state === 'pending') return record
  throw settledAlready(record)
}

function settledAlready(record: ApprovalRecord): CliError {
  const hint =
    record.state === 'expired' ? 'the call did not run; the agent must repeat it' : 'an approval is resolved only once'
  return new CliError(EXIT.no, `nothing changed: the approval is ${stateOf(record)}`, hint)
}

async function ask(state: Verdict, shown: ShownApproval, approverId: string, io: Io): Promise<void> {
  const { record } = shown
  const { escapeForTerminal } = await import('@sudoagent/crypto/text')
  const verb = state === 'approved' ? 'approve' : 'deny'
  if (io.keyboard() === null) {
    const message = 'the confirmation needs a terminal'
    throw new CliError(EXIT.failed, message, 'check the call with `sudoagent approvals show`, then use --yes')
  }
  await showAll(shown, verb, io)
  const question = `${verb} \`${escapeForTerminal(record.action, 80)}\` for \`${escapeForTerminal(record.agentId, 40)}\` as \`${escapeForTerminal(approverId, 40)}\`? [y/N] `
  if (await confirm(io, question)) return
  throw new CliError(
    EXIT.no,
    `nothing changed: you did not ${verb} the call`,
    'answer `y` or `yes`; the call is still pending',
  )
}

/** Rows per page. The user must see every page before answering. */
const PAGE_ROWS = 40

/** Shows a long approval page by page; ends the command if the user does not continue. */
async function showAll(shown: ShownApproval, verb: string, io: Io): Promise<void> {
  const { pageQuestion, promptPages } = await import('@sudoagent/core/terminal')
  const pages = promptPages(approvalRows(shown, new Date(), io.stderr.columns), PAGE_ROWS)
  for (const [index, rows] of pages.entries()) {
    await io.stderr.write(`${rows.join('\n')}\n\n`)
    if (index === pages.length - 1 || (await confirmNext(io, pageQuestion(index + 1, pages.length)))) continue
    throw new CliError(
      EXIT.no,
      `nothing changed: you did not ${verb} the call`,
      'press Enter for the next page; the call is still pending',
    )
  }
}

interface Answer {
  readonly state: Verdict
  readonly approverId: string
  readonly note: string | null
}

/**
 * Resolves the approval that was shown: the store rejects an answer with a different binding.
 *
 * @param isOnServer - whether the store uses the server's clock
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
    // The store accepts the same answer twice, so that an engine can retry. This command reports an identical earlier
    // answer as already resolved.
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
      '--approver is missing',
      `the ledger records who answered; ${APPROVER_VARIABLE} sets a default`,
    )
  }
  return requireName('--approver', name, APPROVER_LENGTH_MAX)
}

const requireReason = (reason: string): string => requireName('--reason', reason, REASON_LENGTH_MAX)

function requireName(option: string, text: string, maxLength: number): string {
  if (text.trim() === '') throw new CliError(EXIT.usage, `${option} is empty`, 'give the text to record in the ledger')
  if (text.length > maxLength) {
    throw new CliError(EXIT.usage, `${option} is longer than ${maxLength} characters`, 'shorten it')
  }
  if (text.isWellFormed() && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text)) return text
  throw new CliError(EXIT.usage, `${option} contains a control character`, 'use one line of text')
}
