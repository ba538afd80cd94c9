// What one HTTP request of a client gets: one JSON text, or a stream of events.
import type { ServerResponse } from 'node:http'
import { ANSWER_AS_JSON_MS, STREAM_KEEPALIVE_MS } from '../limits.js'

/**
 * A response that becomes a stream with the first message that is not the answer, and is one JSON text when the answer comes before any.
 * Clients put a bound on one event of a stream (the Python SDK: 1 MiB) that they do not put on a JSON text.
 */
export class HttpAnswer {
  readonly #response: ServerResponse
  readonly #headers: Readonly<Record<string, string>>
  readonly #start: NodeJS.Timeout
  #keepalive: NodeJS.Timeout | undefined
  #ended = false

  /** @param asStream - begin the stream at once: there is no answer to wait for */
  constructor(response: ServerResponse, headers: Readonly<Record<string, string>>, asStream = false) {
    this.#response = response
    this.#headers = headers
    // Proxies and clients end a connection that shows no sign of life.
    this.#start = setTimeout(() => this.#stream(), ANSWER_AS_JSON_MS).unref()
    response.once('close', () => this.#stop())
    if (asStream) this.#stream()
  }

  /** A message in front of the answer. @param text - JSON, on one line */
  message(text: string): void {
    this.#stream()
    if (!this.#ended) this.#response.write(eventOf(text))
  }

  /** The answer, and the end. */
  end(text: string): void {
    if (this.#ended) return
    if (this.#response.headersSent) this.#response.end(eventOf(text))
    else this.#response.writeHead(200, { ...this.#headers, 'Content-Type': 'application/json' }).end(text)
    this.#stop()
  }

  /** The end without an answer: it was cancelled, or the session is over. */
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
