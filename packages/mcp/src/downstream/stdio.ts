// The client over stdio: an SDK transport that reads raw lines, so that ambiguous messages are refused before they
// are parsed.
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js'
import { GuardError } from '../error.js'
import { CLIENT_MESSAGE_BYTES_MAX } from '../limits.js'
import { drained } from '../wire/drain.js'
import { stringifyExact } from '../wire/exact-json.js'
import { LineReader, LongLine } from '../wire/line-reader.js'
import { parseMessage, type RefusedMessage, refusedMessage } from '../wire/message.js'
import { RpcError } from '../wire/rpc-error.js'

/** Standard output carries only the protocol. The client is gone when standard input ends. */
export class StdioDownstream implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: <T extends JSONRPCMessage>(message: T) => void
  /** Called for a refused message with an id, so that it is answered. */
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

  /** Resolves when the stream can take more data, so that a waiting caller cannot pile up messages. */
  async send(message: JSONRPCMessage): Promise<void> {
    if (this.#closed) throw new GuardError('CLIENT_GONE', 'the client is gone')
    if (this.#output.write(`${stringifyExact(message)}\n`)) return
    await drained(this.#output)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#input.pause()
    this.onclose?.()
  }

  /** Stops reading from the client until `resume`: the server is slower than the client. */
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
      // The boundary between messages is lost.
      const reason = RpcError.invalidRequest(error instanceof Error ? error.message : 'the message is refused')
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
    // An error without a request has the id null in JSON-RPC, which the type of the SDK does not allow.
    if (!this.#closed) this.#output.write(`${JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } })}\n`)
  }
}
