/**
 * Parses one JSON-RPC message. Numbers keep their spelling (`exact-json.ts`).
 *
 * Two parsers must not see two different calls: for `{"path":"a","path":"b"}`, a policy could evaluate one value
 * and a server could use the other. Client input is therefore scanned before it is parsed, and duplicate keys, lone
 * surrogates and deep nesting are refused at every level. Server messages do not need this scan: only the client
 * reads them, and the client receives the text that the guard wrote after parsing. Batches, which only one MCP
 * version allowed, are refused.
 */
import { ErrorCode, type JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js'
import { CryptoError } from '@sudoagent/crypto'
import { scanJson } from '@sudoagent/crypto/json'
import { MESSAGE_DEPTH_MAX, SERVER_MESSAGE_DEPTH_MAX } from '../limits.js'
import { parseExact, spellingOf } from './exact-json.js'
import { type FoundId, type MessageId, MessageIdScanner, readId } from './message-id.js'
import { RpcError } from './rpc-error.js'

/** Fatal, because replacing an invalid byte would change the message. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The id of a refused message and the reason. */
export interface RefusedMessage extends FoundId {
  readonly error: RpcError
}

/**
 * @throws RpcError ParseError or InvalidRequest if the bytes are not one unambiguous message
 * @example parseMessage(Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping"}'))
 */
export function parseMessage(bytes: Uint8Array): JSONRPCMessage {
  return readMessage(parseStrictly(bytes))
}

/** Parses a server message; invalid UTF-8 is replaced. @throws RpcError like `parseMessage` */
export function parseServerMessage(bytes: Uint8Array): JSONRPCMessage {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  return readMessage(parsed(() => parseExact(text, SERVER_MESSAGE_DEPTH_MAX)))
}

/** Finds the id of a refused message, so that its sender receives the error. */
export function refusedMessage(bytes: Uint8Array, error: unknown): RefusedMessage {
  const reason = error instanceof RpcError ? error : RpcError.invalidRequest('invalid message')
  return { ...MessageIdScanner.find(bytes), error: reason }
}

/** Returns the id at `key`; an integer beyond ±(2^53−1) is a bigint. Undefined if there is no valid id. */
export function idAt(holder: object | undefined, key: string): MessageId | undefined {
  const value = (holder as Readonly<Record<string, unknown>> | undefined)?.[key]
  if (typeof value === 'string') return value
  if (typeof value === 'bigint') return value
  if (holder === undefined || typeof value !== 'number') return undefined
  return readId(spellingOf(holder, key) ?? String(value)) ?? undefined
}

function parseStrictly(bytes: Uint8Array): unknown {
  return parsed(() => {
    const text = utf8.decode(bytes)
    scanJson(text, MESSAGE_DEPTH_MAX)
    return parseExact(text, MESSAGE_DEPTH_MAX)
  })
}

function parsed(parse: () => unknown): unknown {
  try {
    return parse()
  } catch (error) {
    throw new RpcError(ErrorCode.ParseError, `invalid message: ${whyNot(error)}`)
  }
}

function whyNot(error: unknown): string {
  if (error instanceof CryptoError || error instanceof RangeError) return error.message
  // The error message of JSON.parse quotes the untrusted text.
  return error instanceof SyntaxError ? 'not JSON' : 'not UTF-8'
}

const MEMBERS: readonly string[] = ['jsonrpc', 'id', 'method', 'params', 'result', 'error']

/**
 * @returns the value itself; an integer id beyond ±(2^53−1) is replaced by a bigint
 * @throws RpcError InvalidRequest
 */
function readMessage(value: unknown): JSONRPCMessage {
  if (Array.isArray(value)) throw RpcError.invalidRequest('batches are not supported: send each message separately')
  if (!isObject(value) || value.jsonrpc !== '2.0' || !Object.keys(value).every((key) => MEMBERS.includes(key)))
    throw RpcError.invalidRequest('this is not a JSON-RPC message')
  const { method, result, error } = value
  const hasId = Object.hasOwn(value, 'id')
  const id = idAt(value, 'id')
  if (hasId && id === undefined && !(isObject(error) && value.id === null))
    throw RpcError.invalidRequest('the message `id` must be a string or an integer')
  // Some clients send `null` in place of missing parameters. A notification cannot be answered with an error, so
  // null is accepted.
  if (!hasId && value.params === null) delete value.params
  const isCall = typeof method === 'string' && result === undefined && error === undefined
  const isAnswer = method === undefined && value.params === undefined && (isObject(result) || isObject(error))
  if (isCall && value.params !== undefined && !isObject(value.params))
    throw RpcError.invalidRequest('`params` must be an object or omitted')
  if (!isCall && !(isAnswer && (isObject(result) ? hasId && error === undefined : isError(error))))
    throw RpcError.invalidRequest('this is not a JSON-RPC message')
  if (typeof id === 'bigint') value.id = id
  // The SDK type does not allow a bigint id; this package handles ids as `MessageId`.
  return value as unknown as JSONRPCMessage
}

const isError = (error: unknown): boolean =>
  isObject(error) && Number.isSafeInteger(error.code) && typeof error.message === 'string'

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
