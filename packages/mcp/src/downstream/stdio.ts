// The client's side over stdio: an SDK transport that reads raw lines, so that what is ambiguous is refused before anybody parses it.

import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js'
import { GuardError } from '../error.js'
import { CLIENT_MESSAGE_BYTES_MAX } from '../limits.js'
import { drained } from '../wire/drain.js'
import { stringifyExact } from '../wire/exact-json.js'
import { LineReader, LongLine } from '../wire/line-reader.js'
import { parseMessage, type RefusedMessage, refusedMessage } from '../wire/message.js'
import { RpcError } from '../wire/rpc-error.js'

/** Standard output is the protocol and nothing else; the client is gone when standard input ends. */
export class StdioDownstream implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: <T extends JSONRPCMessage>(message: T) => void
  /** Told of a message that is refused and has an id, so that it is answered. */
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

  /** Resolves when there is room for more, so that whoever waits for it cannot pile up messages here. */
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

  /** Reads no more of the client until `resume`: the server cannot keep up. */
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
      // Where one message ends and the next begins is lost.
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
    // An error that belongs to no request: JSON-RPC gives it a null id, which the SDK's type does not know.
    if (!this.#closed) this.#output.write(`${JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } })}\n`)
  }
}
