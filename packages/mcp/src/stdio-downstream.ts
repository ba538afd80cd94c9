// The client's side over stdio: an SDK transport that reads raw lines, so that what is ambiguous is refused before anybody parses it.
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js'
import { drained } from './drain.js'
import { CLIENT_MESSAGE_BYTES_MAX } from './limits.js'
import { LineReader } from './line-reader.js'
import { parseMessage } from './message.js'
import { RpcError } from './rpc-error.js'

/** Standard output is the protocol and nothing else; the client is gone when standard input ends. */
export class StdioDownstream implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: <T extends JSONRPCMessage>(message: T) => void
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
    if (this.#closed) throw new Error('the client is gone')
    if (this.#output.write(`${JSON.stringify(message)}\n`)) return
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
        if (line.length > 0) this.#take(line)
      }
    } catch (error) {
      // Where one message ends and the next begins is lost.
      this.#refuse(RpcError.invalidRequest(error instanceof Error ? error.message : 'the message is refused'))
      void this.close()
    }
  }

  #take(line: Uint8Array): void {
    let message: JSONRPCMessage
    try {
      message = parseMessage(line)
    } catch (error) {
      this.#refuse(error as RpcError)
      return
    }
    this.onmessage?.(message)
  }

  /** An error that belongs to no request: JSON-RPC gives it a null id, which the SDK's type does not know. */
  #refuse({ code, message }: RpcError): void {
    this.onerror?.(new Error(message))
    if (this.#closed) return
    this.#output.write(`${JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } })}\n`)
  }
}
