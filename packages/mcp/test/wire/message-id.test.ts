import { describe, expect, it } from 'vitest'
import { type FoundId, MessageIdScanner } from '../../src/wire/message-id.js'

const long = 'x'.repeat(2_000)

describe('the id in a text that is not parsed', () => {
  it.each<[string, string, FoundId]>([
    ['of a request', '{"jsonrpc":"2.0","id":7,"method":"x","params":{"a":1,"a":2}}', { id: 7, kind: 'request' }],
    ['behind the params', `{"method":"x","params":{"id":1,"t":"${long}"},"id":"a"}`, { id: 'a', kind: 'request' }],
    ['of an answer', '{"result":{"id":1,"method":"no"},"id":9}', { id: 9, kind: 'response' }],
    ['of an error', '{"id":9,"error":{"code":1}}', { id: 9, kind: 'response' }],
    ['with white space', '\n{ "id" :\t 7 , "method" : "x" }', { id: 7, kind: 'request' }],
    ['under an escaped key', '{"\\u0069d":7,"method":"x"}', { id: 7, kind: 'request' }],
    ['with escapes in it', '{"id":"a\\"},\\u00e9","method":"x"}', { id: 'a"},é', kind: 'request' }],
    ['beyond a double', '{"id":9007199254740993,"method":"x"}', { id: 9007199254740993n, kind: 'request' }],
    ['written as 1.0', '{"id":1.0,"method":"x"}', { id: 1, kind: 'request' }],
    ['in a batch of one', '[{"id":7,"method":"x"}]', { id: 7, kind: 'request' }],
    ['beside a lone surrogate', '{"id":7,"method":"x","params":{"t":"\\ud83d"}}', { id: 7, kind: 'request' }],
    ['before the text breaks off', '{"id":7,"method":"x","params":{', { id: 7, kind: 'request' }],
  ])('%s', (_, text, found) => {
    expect(MessageIdScanner.find(Buffer.from(text))).toEqual(found)
    const scanner = new MessageIdScanner()
    for (const byte of Buffer.from(text)) scanner.push(Uint8Array.of(byte))
    expect(scanner.found()).toEqual(found)
  })

  it.each([
    ['two of them', '{"id":7,"id":8,"method":"x"}'],
    ['the same twice', '{"id":7,"id":7,"method":"x"}'],
    ['two, one escaped', '{"id":7,"i\\u0064":8,"method":"x"}'],
    ['a batch of two', '[{"id":7,"method":"x"},{"id":8,"method":"x"}]'],
    ['none', '{"method":"x","params":{"id":7}}'],
    ['null', '{"id":null,"method":"x"}'],
    ['an object', '{"id":{"id":7},"method":"x"}'],
    ['a fraction', '{"id":1.5,"method":"x"}'],
    ['beyond any double', '{"id":1e400,"method":"x"}'],
    ['too long', `{"id":"${long}","method":"x"}`],
    ['half a character', '{"id":"\\ud800","method":"x"}'],
    ['in a list of lists', '[["id",7,"method"]]'],
    ['no JSON', 'id: 7, method: x'],
    ['nothing', ''],
  ])('is not told for %s', (_, text) => {
    expect(MessageIdScanner.find(Buffer.from(text)).id).toBe(null)
  })

  it('of a message that is neither is no request', () => {
    expect(MessageIdScanner.find(Buffer.from('{"id":7}'))).toEqual({ id: 7, kind: 'other' })
  })
})
