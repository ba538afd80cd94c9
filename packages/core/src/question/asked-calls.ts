// Keeps the arguments of calls that asked and do not wait, as this process read them: the record has them redacted, and
// a later call attaches to a question only if its arguments are the same.
import type { Hash } from '@sudoagent/crypto'
import { encodeCanonical } from '@sudoagent/crypto/json'
import type { Snapshot } from '../arguments/snapshot.js'
import type { PendingCall } from '../call/unchanged.js'
import { OPEN_QUESTIONS_BYTES_MAX } from '../limits.js'

interface AskedCall {
  readonly snapshot: Snapshot
  readonly decisionHash: Hash
  readonly bytes: number
}

/** The maximum number of kept calls. Their buffers are not part of the recorded parameters, which are counted below. */
const CALLS_MAX = 128

export class AskedCalls {
  readonly #calls = new Map<string, AskedCall>()
  #bytes = 0

  /** Keeps a call until it is forgotten. If there are too many, the oldest are forgotten. */
  keep({ request, snapshot }: PendingCall): void {
    const { context, parameters, decisionHash } = request
    this.forget(context.requestId)
    const bytes = Buffer.byteLength(encodeCanonical(parameters))
    this.#calls.set(context.requestId, { snapshot, decisionHash, bytes })
    this.#bytes += bytes
    for (const oldest of this.#calls.keys()) {
      if (this.#calls.size <= CALLS_MAX && this.#bytes <= OPEN_QUESTIONS_BYTES_MAX) return
      this.forget(oldest)
    }
  }

  /** The arguments of a call; undefined if they are not kept. */
  find(requestId: string, decisionHash: Hash): Snapshot | undefined {
    const call = this.#calls.get(requestId)
    return call?.decisionHash === decisionHash ? call.snapshot : undefined
  }

  forget(requestId: string): void {
    const call = this.#calls.get(requestId)
    if (call === undefined) return
    this.#calls.delete(requestId)
    this.#bytes -= call.bytes
  }
}
