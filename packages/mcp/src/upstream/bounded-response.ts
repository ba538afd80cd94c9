import { SERVER_MESSAGE_BYTES_MAX } from '../limits.js'

const NEWLINE = 0x0a
const RETURN = 0x0d

/**
 * Number of bytes at the start of a stream that are searched for an event id. A stream with event ids starts with
 * an id.
 */
const BEGINNING_BYTES = 512

/**
 * Limits the size of each message in a response. A message is an event if the response is a stream, and the whole
 * body otherwise. A longer message makes the body fail.
 *
 * @param ended - called when the body ends, for any reason; `resumable` is true for a stream with event ids
 */
export function boundedResponse(response: Response, ended: (resumable: boolean) => void): Response {
  if (!response.ok || response.body === null) return response
  const reader = response.body.getReader()
  const isStream = (response.headers.get('content-type') ?? '').includes('text/event-stream')
  const size = new EventSize(isStream)
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (done) {
          ended(size.hasIds)
          controller.close()
          return
        }
        if (size.add(value) > SERVER_MESSAGE_BYTES_MAX) {
          await reader.cancel().catch(() => {})
          throw new RangeError(`a server message is longer than ${SERVER_MESSAGE_BYTES_MAX} bytes`)
        }
        controller.enqueue(value)
      } catch (error) {
        ended(size.hasIds)
        controller.error(error)
      }
    },
    cancel: (reason) => reader.cancel(reason),
  })
  const { status, statusText, headers } = response
  return new Response(body, { status, statusText, headers })
}

/** Counts the bytes of the current event, which ends with an empty line. Any other body is one message. */
class EventSize {
  readonly #isStream: boolean
  #bytes = 0
  #lineBytes = 0
  #afterReturn = false
  #beginning = ''

  constructor(isStream: boolean) {
    this.#isStream = isStream
  }

  get hasIds(): boolean {
    return /(?:^|[\r\n])id:/.test(this.#beginning)
  }

  /** Adds a chunk. @returns the size of the largest event that this chunk completes or continues */
  add(chunk: Uint8Array): number {
    if (!this.#isStream) {
      this.#bytes += chunk.length
      return this.#bytes
    }
    if (this.#beginning.length < BEGINNING_BYTES)
      this.#beginning += Buffer.from(chunk.subarray(0, BEGINNING_BYTES)).toString('latin1')
    let longest = 0
    for (const byte of chunk) {
      this.#take(byte)
      if (this.#bytes > longest) longest = this.#bytes
    }
    return longest
  }

  #take(byte: number): void {
    const isPairEnd = byte === NEWLINE && this.#afterReturn
    this.#afterReturn = byte === RETURN
    if (isPairEnd) return
    this.#bytes += 1
    if (byte !== NEWLINE && byte !== RETURN) {
      this.#lineBytes += 1
      return
    }
    if (this.#lineBytes === 0) this.#bytes = 0
    this.#lineBytes = 0
  }
}
