// Runs an allowed call: checks the tool again, sends the call to the server, and records the outcome.
import type { Authorization, Engine } from '@sudoagent/core'
import type { Catalogue, ToolStatus } from '../tool/catalogue.js'
import { stringifyExact } from '../wire/exact-json.js'
import type { Incoming, Params } from '../wire/peer.js'
import { RpcError } from '../wire/rpc-error.js'
import { CallFailure, failureOf, notSent, ToolError, wordsOf } from './call-failure.js'
import { denialResult, failureResult } from './denial-result.js'
import { type CallSubject, sentParams } from './sent-call.js'

export interface RunnerParts {
  readonly engine: Engine
  readonly catalogue: Catalogue
  readonly forward: (params: Params, request: Incoming) => Promise<object>
  readonly note: (text: string) => void
}

export class CallRunner {
  readonly #parts: RunnerParts

  constructor(parts: RunnerParts) {
    this.#parts = parts
  }

  /** The status of the called tool. */
  async standing(params: Params): Promise<ToolStatus> {
    try {
      return await this.#parts.catalogue.standing(String(params.name))
    } catch (error) {
      this.#parts.note(`a tool definition could not be read: ${error instanceof Error ? error.message : 'unknown'}`)
      return { digest: null, refusal: UNREADABLE }
    }
  }

  /** @returns the unchanged server result, or a result that explains why there is no server result */
  async run(authorization: Authorization, subject: CallSubject, request: Incoming): Promise<object> {
    const { engine, forward, note } = this.#parts
    const fail = async (error: Error, resultText?: () => string): Promise<void> => {
      await engine.record(authorization, { status: 'error', error, resultText })
    }
    // The server may have changed the tool while the approval was pending. If the server reported a change, the guard
    // lists the server's tools again.
    const { refusal } = await this.standing(subject.params)
    if (request.signal.aborted) {
      await fail(notSent(request.signal.reason))
      return {}
    }
    // An `await` between this check and `forward` would allow the tool to change in between.
    const now = refusal ?? this.#changeOf(subject)
    if (now !== null) {
      await fail(new CallFailure(now.code, `${now.reason}; the call did not run`))
      const { requestId, decisionHash } = authorization
      return denialResult({ status: 'denied', ...now, retryable: false, requestId, decisionHash })
    }
    const sent = sentParams(authorization, subject, request)
    try {
      const result = await forward(sent, request)
      // The text that the client gets.
      const resultText = (): string => stringifyExact(result)
      if ((result as { isError?: unknown }).isError === true) await fail(new ToolError(wordsOf(result)), resultText)
      else await engine.record(authorization, { status: 'success', resultText })
      return result
    } catch (error) {
      if (error instanceof RpcError) {
        await fail(error)
        throw error
      }
      const failure = failureOf(error, request.signal)
      await fail(failure)
      note(`a call ended without a result: ${failure.message}`)
      return failureResult(failure)
    }
  }

  /**
   * Checks the tool right before the call is sent.
   *
   * @returns the refusal; null if the tool definition has not changed since the decision
   */
  #changeOf({ params, definition }: CallSubject): ToolStatus['refusal'] {
    try {
      const { digest, refusal } = this.#parts.catalogue.lookUp(String(params.name))
      if (refusal !== null || digest === definition) return refusal
      return { code: 'TOOL_DEFINITION_CHANGED', reason: 'the tool definition changed after the decision' }
    } catch {
      return UNREADABLE
    }
  }
}

const UNREADABLE: ToolStatus['refusal'] = {
  code: 'TOOL_UNKNOWN',
  reason: 'the tool definition could not be read',
}
