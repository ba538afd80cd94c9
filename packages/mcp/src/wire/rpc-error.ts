import { ErrorCode } from '@modelcontextprotocol/sdk/types.js'

/** A JSON-RPC error, sent instead of a result. */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly code: number
  readonly data: unknown
  /** The error as the other side wrote it, for forwarding; null if the guard created the error. */
  readonly written: object | null

  constructor(code: number, message: string, data?: unknown, written: object | null = null) {
    super(message)
    this.code = code
    this.data = data
    this.written = written
  }

  static methodNotFound(method: string): RpcError {
    return new RpcError(ErrorCode.MethodNotFound, `the guard does not forward \`${method.slice(0, 100)}\``)
  }

  static invalidParams(message: string): RpcError {
    return new RpcError(ErrorCode.InvalidParams, message)
  }

  static tooLong(maxBytes: number): RpcError {
    return RpcError.invalidRequest(`the message is longer than ${maxBytes} bytes`)
  }

  static invalidRequest(message: string): RpcError {
    return new RpcError(ErrorCode.InvalidRequest, message)
  }
}
