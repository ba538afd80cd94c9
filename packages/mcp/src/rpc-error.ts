import { ErrorCode } from '@modelcontextprotocol/sdk/types.js'

/** A JSON-RPC error: what one side is told instead of a result. */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly code: number
  readonly data: unknown

  constructor(code: number, message: string, data?: unknown) {
    super(message)
    this.code = code
    this.data = data
  }

  static methodNotFound(method: string): RpcError {
    return new RpcError(ErrorCode.MethodNotFound, `\`${method.slice(0, 100)}\` is refused: the guard does not pass it`)
  }

  static invalidParams(message: string): RpcError {
    return new RpcError(ErrorCode.InvalidParams, message)
  }

  static invalidRequest(message: string): RpcError {
    return new RpcError(ErrorCode.InvalidRequest, message)
  }
}
