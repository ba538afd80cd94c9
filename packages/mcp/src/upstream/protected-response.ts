import { EventRewriter } from './event-rewriter.js'
import { protectNumbers } from './number-placeholder.js'

/**
 * Returns the response with its numbers protected from the SDK's parser.
 *
 * @param note - called with the reason when a message in a stream is dropped
 */
export function protectedResponse(response: Response, note: (why: string) => void): Response {
  const type = response.headers.get('content-type') ?? ''
  if (!response.ok || response.body === null) return response
  if (type.includes('text/event-stream')) return withBody(response, response.body.pipeThrough(eventProtector(note)))
  return type.includes('json') ? withBody(response, response.body.pipeThrough(textProtector())) : response
}

function withBody({ status, statusText, headers }: Response, body: ReadableStream<Uint8Array>): Response {
  return new Response(body, { status, statusText, headers })
}

/** Protects one complete JSON text. Invalid JSON is returned unchanged and refused later. */
function textProtector(): TransformStream<Uint8Array, Uint8Array> {
  const chunks: Uint8Array[] = []
  return new TransformStream({
    transform: (chunk) => void chunks.push(chunk),
    flush(controller) {
      const text = Buffer.concat(chunks).toString('utf8')
      controller.enqueue(Buffer.from(protectedText(text) ?? text))
    },
  })
}

function eventProtector(note: (why: string) => void): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder()
  const rewriter = new EventRewriter((data) => {
    try {
      return protectedText(data) ?? data
    } catch (error) {
      note(error instanceof Error ? error.message : 'a server message was dropped')
      return null
    }
  })
  return new TransformStream({
    transform(chunk, controller) {
      const text = rewriter.push(decoder.decode(chunk, { stream: true }))
      if (text !== '') controller.enqueue(Buffer.from(text))
    },
  })
}

/**
 * @returns null for invalid JSON
 * @throws RangeError if the nesting is too deep
 */
function protectedText(text: string): string | null {
  try {
    return protectNumbers(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
