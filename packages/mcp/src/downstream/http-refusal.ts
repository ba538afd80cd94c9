import type { ServerResponse } from 'node:http'
import { stringifyExact } from '../wire/exact-json.js'
import type { MessageId } from '../wire/message-id.js'

/**
 * Answers an HTTP request with a JSON-RPC error, unless it already has an answer.
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
  // An unread body would have to be read before the next request on the connection.
  if (!request.complete) response.setHeader('Connection', 'close')
  response.end(stringifyExact({ jsonrpc: '2.0', id, error: { code, message, data } }))
}
