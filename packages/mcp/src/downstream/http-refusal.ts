import type { ServerResponse } from 'node:http'
import { stringifyExact } from '../wire/exact-json.js'
import type { MessageId } from '../wire/message-id.js'

/**
 * Answers an HTTP request with a JSON-RPC error, if it has no answer yet.
 *
 * @param id - of the request in the body; null when there is none that could be told
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
  // A body that was not read would otherwise have to be, before the next request on the connection.
  if (!request.complete) response.setHeader('Connection', 'close')
  response.end(stringifyExact({ jsonrpc: '2.0', id, error: { code, message, data } }))
}
