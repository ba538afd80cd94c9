// Connects a client over stdio. The class implements the SDK's transport interface but reads raw lines, so that it
// can refuse ambiguous messages before they are parsed.
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js'
import { GuardError } from '../error.js'
import { CLIENT_MESSAGE_BYTES_MAX } from '../limits.js'
import { drained } from '../wire/drain.js'
import { stringifyExact } from '../wire/exact-json.js'
import { LineReader, LongLine } from '../wire/line-reader.js'
import { parseMessage, type RefusedMessage, refusedMessage } from '../wire/message.js'
import { RpcError } from '../wire/rpc-error.js'

/** Standard output carries only protocol messages. The end of standard input means that the client disconnected. */
export class StdioDownstream implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: <T extends JSONRPCMessage>(message: T) => void
  /** Called for a refused message that has an id, so that the client receives an error. */
  onrefused?: (refused: RefusedMessage) => void
  readonly #input: NodeJS.ReadableStream
  readonly #output: NodeJS.WritableStream
  readonly #lines = new LineReader(CLIENT_MESSAGE_BYTES_MAX)
  #closed = false

  constructor(input: NodeJS.ReadableStream = process.stdin, output: NodeJS.WritableStream = process.stdout) {
    this.#input = input
    this.#output = output
  }

  async start(): Promise<void> {
    this.#input.on('data', (chunk: Buffer) => this.#read(chunk))
    this.#input.on('end', () => void this.close())
    for (const stream of [this.#input, this.#output]) {
      stream.on('error', () => void this.close())
      stream.on('close', () => void this.close())
    }
  }

  /** Resolves when the stream can accept more data, so that a caller that awaits it cannot accumulate messages. */
  async send(message: JSONRPCMessage): Promise<void> {
    if (this.#closed) throw new GuardError('CLIENT_GONE', 'the client disconnected')
    if (this.#output.write(`${stringifyExact(message)}\n`)) return
    await drained(this.#output)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#input.pause()
    this.onclose?.()
  }

  /**
   * Stops reading from the client until `resume` is called. Used when the server reads more slowly than the client
   * sends.
   */
  pause(): void {
    this.#input.pause()
  }

  resume(): void {
    if (!this.#closed) this.#input.resume()
  }

  #read(chunk: Buffer): void {
    try {
      for (const line of this.#lines.push(chunk)) {
        if (this.#closed) return
        if (line instanceof LongLine) this.#refuse({ ...line.found, error: RpcError.tooLong(CLIENT_MESSAGE_BYTES_MAX) })
        else if (line.length > 0) this.#take(line)
      }
    } catch (error) {
      // After a line that is too long to skip, the next message boundary is unknown.
      const reason = RpcError.invalidRequest(error instanceof Error ? error.message : 'invalid message')
      this.#refuse({ id: null, kind: 'other', error: reason })
      void this.close()
    }
  }

  #take(line: Uint8Array): void {
    let message: JSONRPCMessage
    try {
      message = parseMessage(line)
    } catch (error) {
      this.#refuse(refusedMessage(line, error))
      return
    }
    this.onmessage?.(message)
  }

  #refuse(refused: RefusedMessage): void {
    const { code, message } = refused.error
    this.onerror?.(new Error(message))
    if (refused.kind !== 'other') {
      this.onrefused?.(refused)
      return
    }
    // In JSON-RPC, an error without a request has the id null, which the SDK type does not allow.
    if (!this.#closed) this.#output.write(`${JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } })}\n`)
  }
}
