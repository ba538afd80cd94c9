import type { IncomingMessage } from 'node:http'
import { CLIENT_MESSAGE_BYTES_MAX, HTTP_SKIPPED_BYTES_MAX } from '../limits.js'
import { type FoundId, MessageIdScanner } from '../wire/message-id.js'

const NO_ID: FoundId = { id: null, kind: 'other' }

/**
 * Reads a request body.
 *
 * @returns the body. If the body is larger than the message limit, only the message id is returned; if it is also
 *   larger than HTTP_SKIPPED_BYTES_MAX, not even the id
 */
export async function readBody(request: IncomingMessage): Promise<Uint8Array | FoundId> {
  if (Number(request.headers['content-length'] ?? 0) > HTTP_SKIPPED_BYTES_MAX) return NO_ID
  const chunks: Buffer[] = []
  let length = 0
  let skipping: MessageIdScanner | null = null
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > HTTP_SKIPPED_BYTES_MAX) return NO_ID
    if (length > CLIENT_MESSAGE_BYTES_MAX && skipping === null) {
      skipping = new MessageIdScanner()
      for (const held of chunks.splice(0)) skipping.push(held)
    }
    if (skipping === null) chunks.push(chunk)
    else skipping.push(chunk)
  }
  return skipping?.found() ?? Buffer.concat(chunks, length)
}
