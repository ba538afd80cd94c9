// Writes the response to one HTTP request, as a JSON text or as an event stream.
import type { ServerResponse } from 'node:http'
import { ANSWER_AS_JSON_MS, STREAM_KEEPALIVE_MS } from '../limits.js'

/**
 * The response becomes an event stream if any other message is sent before the answer. Otherwise, the response is one
 * JSON text, because clients limit the size of an event (1 MiB in the Python SDK) but not the size of a JSON text.
 */
export class HttpAnswer {
  readonly #response: ServerResponse
  readonly #headers: Readonly<Record<string, string>>
  readonly #start: NodeJS.Timeout
  #keepalive: NodeJS.Timeout | undefined
  #ended = false

  /** @param asStream - start the stream immediately, for a GET request, which has no answer */
  constructor(response: ServerResponse, headers: Readonly<Record<string, string>>, asStream = false) {
    this.#response = response
    this.#headers = headers
    // Proxies and clients close idle connections.
    this.#start = setTimeout(() => this.#stream(), ANSWER_AS_JSON_MS).unref()
    response.once('close', () => this.#stop())
    if (asStream) this.#stream()
  }

  /** Sends a message before the answer. @param text - JSON without line breaks */
  message(text: string): void {
    this.#stream()
    if (!this.#ended) this.#response.write(eventOf(text))
  }

  /** Sends the answer and ends the response. */
  end(text: string): void {
    if (this.#ended) return
    if (this.#response.headersSent) this.#response.end(eventOf(text))
    else this.#response.writeHead(200, { ...this.#headers, 'Content-Type': 'application/json' }).end(text)
    this.#stop()
  }

  /** Ends the response without an answer: the request was cancelled, or the session ended. */
  abandon(): void {
    this.#stream()
    if (!this.#ended) this.#response.end()
    this.#stop()
  }

  #stream(): void {
    if (this.#ended || this.#response.headersSent) return
    clearTimeout(this.#start)
    this.#response.writeHead(200, {
      ...this.#headers,
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-cache, no-transform',
      'X-Accel-Buffering': 'no',
    })
    this.#response.flushHeaders()
    this.#keepalive = setInterval(() => void this.#response.write(': keepalive\n\n'), STREAM_KEEPALIVE_MS).unref()
  }

  #stop(): void {
    this.#ended = true
    clearTimeout(this.#start)
    clearInterval(this.#keepalive)
  }
}

const eventOf = (text: string): string => `event: message\ndata: ${text}\n\n`
