import { describe, expect, it } from 'vitest'
import { MESSAGE_DEPTH_MAX } from '../../src/limits.js'
import { parseMessage } from '../../src/wire/message.js'
import { RpcError } from '../../src/wire/rpc-error.js'

const parse = (text: string): unknown => parseMessage(Buffer.from(text))
const codeOf = (bytes: Uint8Array): unknown => {
  try {
    parseMessage(bytes)
  } catch (error) {
    return error instanceof RpcError ? error.code : error
  }
  return 'was read'
}
const nested = (depth: number): string =>
  `{"jsonrpc":"2.0","id":1,"method":"x","params":${'{"a":'.repeat(depth - 2)}{}${'}'.repeat(depth - 2)}}`

describe('a message', () => {
  it('is handed on as it was written', () => {
    expect(parse('{"jsonrpc":"2.0","id":1,"method":"x","params":{"own":[1,{"__proto__":2}]}}')).toEqual(
      JSON.parse('{"jsonrpc":"2.0","id":1,"method":"x","params":{"own":[1,{"__proto__":2}]}}'),
    )
    expect(parse(' {"jsonrpc" : "2.0", "method":"x"} ')).toEqual({ jsonrpc: '2.0', method: 'x' })
    // The parser accepts this notification, because a notification cannot be answered with an error.
    expect(parse('{"jsonrpc":"2.0","method":"x","params":null}')).toEqual({ jsonrpc: '2.0', method: 'x' })
    expect(() => parse(nested(MESSAGE_DEPTH_MAX))).not.toThrow()
  })

  it.each<[string, string, number]>([
    ['no JSON', '{', -32700],
    ['nothing', '', -32700],
    ['a duplicate key on top', '{"jsonrpc":"2.0","id":1,"id":2,"method":"x"}', -32700],
    [
      'a duplicate key in the arguments',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"r","arguments":{"path":"a","path":"b"}}}',
      -32700,
    ],
    ['a duplicate key deep down', '{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":[{"b":{"c":1,"c":1}}]}}', -32700],
    ['a duplicate key behind an escape', '{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":1,"\\u0061":2}}', -32700],
    ['half a character', '{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":"\\ud800"}}', -32700],
    ['too deep', nested(MESSAGE_DEPTH_MAX + 1), -32700],
    ['NaN', '{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":NaN}}', -32700],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"x"}]', -32600],
    ['an empty batch', '[]', -32600],
    ['another version', '{"jsonrpc":"1.0","id":1,"method":"x"}', -32600],
    ['no version', '{"id":1,"method":"x"}', -32600],
    ['an id that is none', '{"jsonrpc":"2.0","id":{"a":1},"method":"x"}', -32600],
    ['a fraction as id', '{"jsonrpc":"2.0","id":1.5,"method":"x"}', -32600],
    ['params that are a list', '{"jsonrpc":"2.0","id":1,"method":"x","params":[1]}', -32600],
    ['a text', '"tools/call"', -32600],
    ['null', 'null', -32600],
  ])('is not %s', (_, text, code) => {
    expect(codeOf(Buffer.from(text))).toBe(code)
  })

  it('is not other bytes than UTF-8', () => {
    expect(codeOf(Buffer.from('{"jsonrpc":"2.0","id":1,"method":"\xff"}', 'latin1'))).toBe(-32700)
    expect(codeOf(Buffer.from('\ufeff{"jsonrpc":"2.0","id":1,"method":"x"}'))).toBe(-32700)
  })
})
