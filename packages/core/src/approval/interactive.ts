import { userInfo } from 'node:os'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { readFields, requireInteger, requireText } from '../check.js'
import {
  APPROVAL_TTL_MS_MAX,
  type ApprovalAnswer,
  type ApprovalRequest,
  type Approver,
  NAME_CHARACTERS_MAX,
} from './approval.js'
import { PROMPT_QUESTION, PROMPT_ROWS_DEFAULT, pageQuestion, promptPages, promptRows } from './prompt.js'

/** What the approver needs of `process.stdin`. */
export type TerminalInput = NodeJS.ReadableStream & {
  readonly isTTY?: boolean
  readonly readableEnded?: boolean
  readonly destroyed?: boolean
  setRawMode?(raw: boolean): unknown
}

/** What the approver needs of `process.stderr`. */
export type TerminalOutput = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }

export interface InteractiveApproverOptions {
  /** `process.stdin` unless given. */
  readonly input?: TerminalInput
  /** `process.stderr` unless given: stdout belongs to the program. */
  readonly output?: TerminalOutput
  /** Who the ledger says has answered; the operating system's user name unless given. A name, not a proof of it. */
  readonly approverId?: string
  /** How many rows are shown at a time, 1…1,000; default: 40. A longer call is shown page by page, to its end, before the question. */
  readonly rowsMax?: number
  readonly clock?: () => Date
}

/** Before the question, input is thrown away for this long: what the terminal holds already was typed for something else. */
const SETTLE_MS = 100

const ROWS_MAX = 1_000

/** Enter alone goes on to the next page. */
const NEXT = /^[ \t]*$/

/** Nothing else approves. */
const YES = /^[ \t]*(?:y|yes)[ \t]*$/i

/**
 * The end of the queue for each input: one question at a time on one keyboard, whatever number of approvers and engines
 * share it. Otherwise two prompts would hear the same `y`.
 */
const queues = new WeakMap<object, Promise<void>>()

/** What a stream says when no answer can come through it any more. */
const ENDINGS = ['end', 'close', 'error'] as const

type Ending = 'aborted' | 'expired'

/**
 * Asks the person at the terminal. Only a line `y` or `yes`, typed after the question was shown, approves; an empty
 * line, anything else, the end of input, Ctrl-C, an abort and the deadline deny. A call of more rows than fit is shown
 * page by page, and nothing can be approved before the last one. Without a terminal on both sides it
 * denies at once. It reads the input while it asks: do not use it in a program that reads the terminal at the same time.
 */
export class InteractiveApprover implements Approver {
  readonly #input: TerminalInput
  readonly #output: TerminalOutput
  readonly #approverId: string
  readonly #rowsMax: number
  readonly #clock: () => Date

  /** @throws TypeError for an unknown or wrong option */
  constructor(options: InteractiveApproverOptions = {}) {
    const known = ['input', 'output', 'approverId', 'rowsMax', 'clock']
    const given = readFields('interactive approver', options, known)
    this.#input = (given.get('input') as TerminalInput | undefined) ?? process.stdin
    this.#output = (given.get('output') as TerminalOutput | undefined) ?? process.stderr
    this.#approverId = requireText('approverId', given.get('approverId') ?? userName(), NAME_CHARACTERS_MAX)
    this.#rowsMax = requireInteger('rowsMax', given.get('rowsMax') ?? PROMPT_ROWS_DEFAULT, 1, ROWS_MAX)
    this.#clock = (given.get('clock') as (() => Date) | undefined) ?? (() => new Date())
  }

  async approve(request: ApprovalRequest, { signal }: { readonly signal: AbortSignal }): Promise<ApprovalAnswer> {
    // Exactly true: a stream that does not know is no terminal.
    if (this.#input.isTTY !== true || this.#output.isTTY !== true)
      return { approved: false, reason: 'no terminal to ask on' }
    const leftMs = request.expiresAt.getTime() - this.#clock().getTime()
    const ending = new AbortController()
    const abort = (): void => ending.abort('aborted' satisfies Ending)
    const timer = setTimeout(() => ending.abort('expired' satisfies Ending), Math.min(leftMs, APPROVAL_TTL_MS_MAX))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    try {
      return await this.#inTurn(ending.signal, () => this.#ask(request, ending.signal))
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    }
  }

  /** Waits for the questions before this one; one that ends while it waits is answered at once and never shown. */
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
    const pages = promptPages(promptRows(request, this.#clock(), this.#output.columns), this.#rowsMax)
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
    return { approved: false, approverId: this.#approverId, reason: 'refused at the terminal' }
  }

  /** @param shown - whether the person has seen anything of the question */
  #unanswered(ending: AbortSignal, shown: boolean): ApprovalAnswer {
    const answer = ending.aborted ? withdrawn(ending) : { approved: false, reason: 'no answer' }
    if (shown && this.#output.writable) this.#output.write(`\nsudoagent: denied: ${answer.reason}\n`)
    return answer
  }

  /** In raw mode the terminal hands over the unfinished line too, which would otherwise become the start of the answer. */
  async #discardTypedAhead(ending: AbortSignal): Promise<void> {
    const input = this.#input
    const discard = (): void => {}
    input.setRawMode?.(true)
    input.on('data', discard)
    input.on('error', discard)
    // A listener alone does not wake a stream that the previous question has paused.
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

  /** The first line after the question, or null when there will be none. */
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
      // In front of readline's own, which at the end of input takes a `y` without Enter for a line.
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
  return { approved: false, reason: expired ? 'nobody answered in time' : 'the request was withdrawn' }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** A user without an entry in the password file (usual in containers) has a number only. */
function userName(): string {
  try {
    return userInfo().username || 'unknown'
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
