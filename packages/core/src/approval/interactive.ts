import { userInfo } from 'node:os'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { readFields, requireInteger, requireText } from '../check.js'
import {
  type ApprovalAnswer,
  type ApprovalRequest,
  type Approver,
  NAME_LENGTH_MAX,
  QUESTION_TTL_MS_MAX,
} from './approval.js'
import { PROMPT_QUESTION, PROMPT_ROWS_DEFAULT, pageQuestion, promptPages, promptRows } from './prompt.js'
import { SHOWN_CALL_DIFFERS, showsBoundCall } from './shown.js'

/** The part of `process.stdin` that the approver uses. */
export type TerminalInput = NodeJS.ReadableStream & {
  readonly isTTY?: boolean
  readonly readableEnded?: boolean
  readonly destroyed?: boolean
  setRawMode?(raw: boolean): unknown
}

/** The part of `process.stderr` that the approver uses. */
export type TerminalOutput = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }

export interface InteractiveApproverOptions {
  /** Default: `process.stdin`. */
  readonly input?: TerminalInput
  /** Default: `process.stderr`, because the program uses stdout for its own output. */
  readonly output?: TerminalOutput
  /**
   * The approver's name in the ledger. Default: the operating system's user name. A name does not authenticate the
   * approver.
   */
  readonly approverId?: string
  /**
   * The number of rows per page, 1…1,000; default: 40. A longer call is shown page by page before the question is
   * asked.
   */
  readonly maxRows?: number
  readonly clock?: () => Date
}

/**
 * Input that arrives during this time before a question is discarded, because it was typed before the question was
 * visible.
 */
const SETTLE_MS = 100

const ROWS_MAX = 1_000

/** Matches an empty line, which shows the next page. */
const NEXT = /^[ \t]*$/

/** Matches the lines that approve. All other lines deny. */
const YES = /^[ \t]*(?:y|yes)[ \t]*$/i

/**
 * The last promise in each input stream's queue. Each keyboard gets one question at a time, across all approvers and
 * engines; otherwise two prompts would read the same `y`.
 */
const queues = new WeakMap<object, Promise<void>>()

/** Events after which a stream cannot deliver an answer. */
const ENDINGS = ['end', 'close', 'error'] as const

type Ending = 'aborted' | 'expired'

/**
 * Asks the person at the terminal. A call is approved only by a line `y` or `yes` that was typed after the question was
 * shown. Any other line, the end of the input, Ctrl-C, an abort or the deadline denies the call. A long call is shown
 * page by page and can be approved only after its last page. If input or output is not a terminal, or if the request
 * does not show the call that its hashes cover, the call is denied immediately. While a question is open, the approver
 * reads the input. Do not use this approver in a program that reads the terminal at the same time.
 */
export class InteractiveApprover implements Approver {
  readonly #input: TerminalInput
  readonly #output: TerminalOutput
  readonly #approverId: string
  readonly #maxRows: number
  readonly #clock: () => Date

  /** @throws TypeError for an unknown or invalid option */
  constructor(options: InteractiveApproverOptions = {}) {
    const known = ['input', 'output', 'approverId', 'maxRows', 'clock']
    const given = readFields('interactive approver', options, known)
    this.#input = (given.get('input') as TerminalInput | undefined) ?? process.stdin
    this.#output = (given.get('output') as TerminalOutput | undefined) ?? process.stderr
    this.#approverId = requireText('approverId', given.get('approverId') ?? userName(), NAME_LENGTH_MAX)
    this.#maxRows = requireInteger('maxRows', given.get('maxRows') ?? PROMPT_ROWS_DEFAULT, 1, ROWS_MAX)
    this.#clock = (given.get('clock') as (() => Date) | undefined) ?? (() => new Date())
  }

  async approve(request: ApprovalRequest, { signal }: { readonly signal: AbortSignal }): Promise<ApprovalAnswer> {
    // Checks for exactly `true`: a stream without `isTTY` is not a terminal.
    if (this.#input.isTTY !== true || this.#output.isTTY !== true)
      return { approved: false, reason: 'no terminal is available' }
    if (!showsBoundCall(request)) return { approved: false, reason: SHOWN_CALL_DIFFERS }
    const leftMs = request.expiresAt.getTime() - this.#clock().getTime()
    const ending = new AbortController()
    const abort = (): void => ending.abort('aborted' satisfies Ending)
    const timer = setTimeout(() => ending.abort('expired' satisfies Ending), Math.min(leftMs, QUESTION_TTL_MS_MAX))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    try {
      return await this.#inTurn(ending.signal, () => this.#ask(request, ending.signal))
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    }
  }

  /**
   * Waits for earlier questions, then asks. If `ending` aborts during the wait, the question is denied immediately
   * and never shown.
   */
  async #inTurn(ending: AbortSignal, ask: () => Promise<ApprovalAnswer>): Promise<ApprovalAnswer> {
    const before = queues.get(this.#input) ?? Promise.resolve()
    let leave = (): void => {}
    const left = new Promise<void>((resolve) => {
      leave = resolve
    })
    queues.set(
      this.#input,
      before.then(() => left),
    )
    try {
      await Promise.race([before, aborted(ending)])
      return ending.aborted ? withdrawn(ending) : await ask()
    } finally {
      leave()
    }
  }

  async #ask(request: ApprovalRequest, ending: AbortSignal): Promise<ApprovalAnswer> {
    const pages = promptPages(promptRows(request, this.#clock(), this.#output.columns), this.#maxRows)
    for (const [index, rows] of pages.entries()) {
      await this.#discardTypedAhead(ending)
      if (ending.aborted) return this.#unanswered(ending, index > 0)
      const head = index === 0 ? '\nsudoagent: an agent asks for approval\n' : '\n'
      this.#output.write(`${head}${rows.join('\n')}\n\n`)
      const isLast = index === pages.length - 1
      const line = await this.#readLine(isLast ? PROMPT_QUESTION : pageQuestion(index + 1, pages.length), ending)
      if (line === null) return this.#unanswered(ending, true)
      if (isLast && YES.test(line)) return { approved: true, approverId: this.#approverId }
      if (!NEXT.test(line)) break
    }
    return { approved: false, approverId: this.#approverId, reason: 'denied at the terminal' }
  }

  /** @param shown - whether any part of the question was shown */
  #unanswered(ending: AbortSignal, shown: boolean): ApprovalAnswer {
    const answer = ending.aborted ? withdrawn(ending) : { approved: false, reason: 'no answer' }
    if (shown && this.#output.writable) this.#output.write(`\nsudoagent: denied: ${answer.reason}\n`)
    return answer
  }

  /**
   * Discards input that was typed before the question. Raw mode is needed because it also delivers an unfinished
   * line; otherwise, the unfinished line would become the beginning of the answer.
   */
  async #discardTypedAhead(ending: AbortSignal): Promise<void> {
    const input = this.#input
    const discard = (): void => {}
    input.setRawMode?.(true)
    input.on('data', discard)
    input.on('error', discard)
    // A listener alone does not resume a stream that the previous question paused.
    input.resume()
    try {
      await sleep(SETTLE_MS, undefined, { signal: ending }).catch(() => {})
    } finally {
      input.pause()
      input.off('data', discard)
      input.off('error', discard)
      input.setRawMode?.(false)
    }
  }

  /** Reads the first line after the question. Returns null if no line will arrive. */
  #readLine(question: string, ending: AbortSignal): Promise<string | null> {
    const input = this.#input
    if (ending.aborted || input.readableEnded === true || input.destroyed === true) return Promise.resolve(null)
    const reader = createInterface({ input, output: this.#output, terminal: true, historySize: 0 })
    return new Promise((resolve) => {
      const finish = (line: string | null): void => {
        resolve(line)
        ending.removeEventListener('abort', stop)
        for (const event of ENDINGS) for (const stream of [input, this.#output]) stream.off(event, stop)
        reader.close()
      }
      const stop = (): void => finish(null)
      ending.addEventListener('abort', stop, { once: true })
      // These listeners run before readline's own listeners, because readline treats a `y` without Enter as a line when
      // the input ends.
      for (const event of ENDINGS) for (const stream of [input, this.#output]) stream.prependListener(event, stop)
      reader.on('SIGINT', stop)
      reader.on('close', stop)
      reader.on('error', stop)
      reader.on('line', finish)
      reader.setPrompt(question)
      reader.prompt()
    })
  }
}

function withdrawn(ending: AbortSignal): { approved: false; reason: string } {
  const expired = ending.reason === ('expired' satisfies Ending)
  return { approved: false, reason: expired ? 'no answer before the deadline' : 'the request was cancelled' }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/**
 * Returns the user name. In containers, a user often has no entry in the password file and therefore only a numeric id.
 */
function userName(): string {
  try {
    return userInfo().username || 'unknown'
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
