import type { ServerResponse } from 'node:http'
import { stringifyExact } from '../wire/exact-json.js'
import type { MessageId } from '../wire/message-id.js'

/**
 * Answers an HTTP request with a JSON-RPC error, unless the request was already answered.
 *
 * @param id - id of the request in the body; null if unknown
 */
export function refuse(
  response: ServerResponse,
  status: number,
  code: number,
  message: string,
  id: MessageId | null = null,
  data?: unknown,
): void {
  if (response.headersSent || response.destroyed) return
  const { req: request } = response
  response.statusCode = status
  response.setHeader('Content-Type', 'application/json')
  response.setHeader('X-Content-Type-Options', 'nosniff')
  if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer')
  // If the connection stayed open, the rest of the body would have to be read before the next request.
  if (!request.complete) response.setHeader('Connection', 'close')
  response.end(stringifyExact({ jsonrpc: '2.0', id, error: { code, message, data } }))
}
