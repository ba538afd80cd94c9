// pay_server.mjs <file>: runs a small MCP server over stdio, without an SDK. Its tool `pay` appends each call that it
// receives to the file, as one line, so that the runs are counted by the server itself.
import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const [, , file] = process.argv
const PAY = {
  name: 'pay',
  description: 'Pays an amount.',
  inputSchema: {
    type: 'object',
    properties: { iban: { type: 'string' }, amount: { type: 'integer' } },
    required: ['iban', 'amount'],
  },
}
const HELLO = {
  protocolVersion: '2025-11-25',
  capabilities: { tools: {} },
  serverInfo: { name: 'bank', version: '1' },
}

const resultOf = {
  initialize: () => HELLO,
  'tools/list': () => ({ tools: [PAY] }),
  'tools/call': ({ arguments: args }, line) => {
    appendFileSync(file, `${line}\n`)
    return { content: [{ type: 'text', text: `paid ${args.amount}` }] }
  },
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line)
  if (id === undefined || method === undefined) return
  const result = resultOf[method]?.(params, line) ?? {}
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`)
})
