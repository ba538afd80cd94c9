/**
 * One JSON-RPC message, read strictly from its own text.
 *
 * Two parsers must not see two calls: of `{"path":"a","path":"b"}` a policy could judge one and a server run the other. So the text is
 * scanned before it is parsed, and duplicate keys, lone surrogates and endless nesting are refused, wherever they stand. Batches, which
 * MCP had for one version only, are refused as a whole.
 */
import { ErrorCode, type JSONRPCMessage, JSONRPCMessageSchema } from '@modelcontextprotocol/sdk/types.js'
import { CryptoError, scanJson } from '@sudoagent/crypto'
import { MESSAGE_DEPTH_MAX } from './limits.js'
import { RpcError } from './rpc-error.js'

/** Fatal, because a replaced byte is a changed message. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * @throws RpcError ParseError or InvalidRequest: what was sent is no single, unambiguous message
 * @example parseMessage(Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping"}'))
 */
export function parseMessage(bytes: Uint8Array): JSONRPCMessage {
  const value = parseStrictly(bytes)
  if (Array.isArray(value)) throw RpcError.invalidRequest('batches are refused: send each message by itself')
  // What is handed on is the parsed text itself: the schema checks, and would leave out what it does not know.
  if (!JSONRPCMessageSchema.safeParse(value).success) throw RpcError.invalidRequest('this is no JSON-RPC message')
  return value as JSONRPCMessage
}

function parseStrictly(bytes: Uint8Array): unknown {
  try {
    const text = utf8.decode(bytes)
    scanJson(text, MESSAGE_DEPTH_MAX)
    return JSON.parse(text)
  } catch (error) {
    const why = error instanceof CryptoError ? error.message : 'it is not UTF-8'
    throw new RpcError(ErrorCode.ParseError, `the message is refused: ${why}`)
  }
}
