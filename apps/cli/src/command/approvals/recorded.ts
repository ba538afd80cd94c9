// Waits until the decision of an answered call is recorded in its ledger: by the process that waits for the answer, or
// by the next process that opens the ledger and the store.
import { setTimeout as sleep } from 'node:timers/promises'
import type { ApprovalRecord } from '@sudoagent/core'
import { escapeForTerminal } from '@sudoagent/crypto/text'
import { type LedgerReader, makeReceipt, select } from '@sudoagent/ledger'
import { isCallEntry } from '@sudoagent/ledger/entry'
import { CliError, EXIT } from '../../exit.js'
import { withLedger } from '../../ledger/ledger-file.js'
import { batchOf, type Lines, linesReader } from '../../ledger/lines-reader.js'
import { isServer } from '../../ledger/password-url.js'
import type { Io } from '../../terminal/io.js'
import { printMessage } from '../../terminal/message.js'
import { type Output, openOutput } from '../../terminal/output.js'
import { requireNotOfLedger } from '../../terminal/same-file.js'
import { requireAskedEntry } from './asked-entry.js'

/** Interval between two looks at the ledger, in milliseconds. Each look at a server needs a new connection. */
const POLL_FILE_MS = 250
const POLL_SERVER_MS = 1_000

/** Interval between two looks at a file or a server, in milliseconds. */
export const pollMs = (place: string): number => (isServer(place) ? POLL_SERVER_MS : POLL_FILE_MS)

const WAIT_SECONDS_DEFAULT = '10'
const WAIT_SECONDS_MAX = 3_600

/** The decision that the ledger has recorded for a call. */
export interface RecordedDecision {
  readonly position: number
  readonly effect: string
  readonly reason_code: string | null
}

export interface RecordedOptions {
  readonly ledger?: string
  readonly timeout?: string
  readonly receipt?: string
}

/** @throws CliError for options that need `--ledger`, and for an invalid time limit */
export function requireRecordedOptions({ ledger, timeout, receipt }: RecordedOptions): void {
  if (ledger === undefined && receipt !== undefined)
    throw new CliError(EXIT.usage, '--receipt needs --ledger', 'give the ledger that records the decision')
  if (ledger === undefined && timeout !== undefined)
    throw new CliError(EXIT.usage, '--timeout needs --ledger', 'without --ledger, the command does not wait')
  if (receipt === '' || receipt === '-')
    throw new CliError(EXIT.usage, '--receipt must name a file', 'standard output has the answer')
  if (timeout !== undefined) waitMs(timeout)
}

function waitMs(timeout: string): number {
  const seconds = /^\d+(?:\.\d+)?$/.test(timeout) ? Number(timeout) : Number.POSITIVE_INFINITY
  if (seconds <= WAIT_SECONDS_MAX) return Math.round(seconds * 1_000)
  const hint = `from 0 to ${WAIT_SECONDS_MAX}, digits without a unit`
  throw new CliError(EXIT.usage, `--timeout \`${timeout}\` is not a number of seconds`, hint)
}

/**
 * The wait for one decision. The ledger is opened before the answer is stored, so that an answer is stored only if its
 * decision can be looked for.
 */
export class RecordedWait {
  readonly #ledger: string
  readonly #record: ApprovalRecord
  readonly #waitMs: number
  readonly #receipt: { readonly path: string; readonly output: Output } | null
  readonly #io: Io
  /** The position of the last entry that was read, in a ledger without an index. */
  #seen: number

  private constructor(
    options: { readonly ledger: string; readonly timeout: string },
    record: ApprovalRecord,
    receipt: { readonly path: string; readonly output: Output } | null,
    io: Io,
  ) {
    this.#ledger = options.ledger
    this.#waitMs = waitMs(options.timeout)
    this.#record = record
    this.#receipt = receipt
    this.#io = io
    // The decision follows the question.
    this.#seen = record.asked?.position ?? 0
  }

  /**
   * @param store - the approval store, which the receipt must not replace
   * @returns null without `--ledger`
   * @throws CliError with exit code 1 unless the ledger has recorded the question as it is stored; LedgerError if the
   *   ledger cannot be read; CliError if the receipt cannot be written
   */
  static async open(
    { ledger, timeout = WAIT_SECONDS_DEFAULT, receipt }: RecordedOptions,
    record: ApprovalRecord,
    store: string,
    io: Io,
  ): Promise<RecordedWait | null> {
    if (ledger === undefined) return null
    await withLedger(ledger, io, true, ({ reader }) => requireAskedEntry(reader, record, ledger))
    if (receipt === undefined) return new RecordedWait({ ledger, timeout }, record, null, io)
    if (!isServer(store)) await requireNotOfLedger(receipt, store, '--receipt')
    const output = await openOutput(receipt, ledger, io, '--receipt')
    return new RecordedWait({ ledger, timeout }, record, { path: receipt, output }, io)
  }

  /** Waits up to the time limit, and writes the receipt. @returns null if the decision was not recorded in time */
  async wait(): Promise<RecordedDecision | null> {
    for (const deadline = performance.now() + this.#waitMs; ; ) {
      const found = await withLedger(this.#ledger, this.#io, true, ({ reader }) => this.#look(reader))
      const leftMs = deadline - performance.now()
      if (found !== null || leftMs <= 0) return found
      await sleep(Math.min(pollMs(this.#ledger), leftMs))
    }
  }

  /** Discards a receipt that was not written. */
  async close(): Promise<void> {
    await this.#receipt?.output.discard()
  }

  /** Prints that the decision was not recorded in time. */
  async printMissing(verdict: Verdict): Promise<void> {
    await printMessage(this.#io, 'note', notRecorded(this.#record, verdict))
    if (this.#receipt !== null) await printMessage(this.#io, 'note', `\`${this.#receipt.path}\` was not written`)
  }

  async #look(reader: LedgerReader): Promise<RecordedDecision | null> {
    const requestId = this.#record.approvalId
    const found = await this.#decisionIn(reader)
    if (found === null || this.#receipt === null) return found
    const { text, proof } = await makeReceipt(reader, { requestId })
    await this.#receipt.output.write(text)
    await this.#receipt.output.finish()
    if (proof === null)
      await printMessage(this.#io, 'note', 'the receipt has no proof: the ledger has no signed checkpoint')
    return found
  }

  /** Looks in the call index, or in the entries since the last look. */
  async #decisionIn(reader: LedgerReader): Promise<RecordedDecision | null> {
    const requestId = this.#record.approvalId
    const ofCall = await reader.linesOfCall(requestId)
    const entries = linesReader(reader, () => (ofCall === null ? this.#linesSince(reader) : batchOf(ofCall)))
    for await (const { position, entry } of select(entries, { requestId, event: 'decision' })) {
      if (!isCallEntry(entry)) continue
      return { position, effect: entry.decision.effect ?? 'deny', reason_code: entry.decision.reason_code ?? null }
    }
    return null
  }

  async *#linesSince(reader: LedgerReader): AsyncGenerator<Lines, void, undefined> {
    for await (const batch of reader.batches(this.#seen)) {
      yield batch
      this.#seen = batch.at(-1)?.position ?? this.#seen
    }
  }
}

export type Verdict = 'approved' | 'denied'

/** The decision in words, and what it says if it is not the answer: another process may have answered first. */
export function recordedText({ position, effect, reason_code: code }: RecordedDecision, verdict: Verdict): string {
  const text = `recorded as entry ${position}`
  if ((effect === 'allow') === (verdict === 'approved')) return text
  return `${text}: the call was ${effect === 'allow' ? 'allowed' : 'denied'}${code === null ? '' : ` (${escapeForTerminal(code)})`}`
}

function notRecorded({ asked }: ApprovalRecord, verdict: Verdict): string {
  if (asked === undefined) return 'not recorded yet: the process that asked records it'
  return verdict === 'denied'
    ? 'not recorded yet: the next process that opens the ledger and this store records it'
    : 'not recorded yet: the process that waits for the answer, or resumes the call, records it'
}
