// Runs an MCP client as an agent's host does. The client connects to the server through `sudoagent mcp guard`.
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { onTestFinished } from 'vitest'
import { BIN, type Sandbox } from './sandbox.js'

/** JSON of any shape. Each test asserts the members that it needs. */
// biome-ignore lint/suspicious/noExplicitAny: tests read members of any JSON
export type Json = any

const { resolve } = createRequire(import.meta.url)
export const EVERYTHING = [process.execPath, resolve('@modelcontextprotocol/server-everything/dist/index.js'), 'stdio']
export const MEMORY = [process.execPath, resolve('@modelcontextprotocol/server-memory/dist/index.js')]
/**
 * Returns the command that starts `hostile-server.mjs` from the tests of @sudoagent/mcp, a server that misbehaves in
 * one way.
 */
export const hostile = (mode: string, file: string): string[] => [
  process.execPath,
  fileURLToPath(new URL('../../../../packages/mcp/test/fixtures/hostile-server.mjs', import.meta.url)),
  mode,
  file,
]

/** A policy that allows a call, denies it or requires approval, depending on the last part of the action. */
export const POLICY = `const rule = (action) => action.split('/').at(-1)
export const policy = {
  policyId: 'test',
  version: '1',
  evaluate: ({ action }) =>
    ['drop', 'get-env'].includes(rule(action)) ? { decision: 'deny', reason: 'not on the list' }
    : rule(action) === 'write' ? { decision: 'require_approval', reason: 'writes are looked at' }
    : { decision: 'allow', reason: 'fine' },
}
`

export const guardArgs = (options: readonly string[], server: readonly string[]): string[] => [
  ...['mcp', 'guard', '--policy', 'policy.mjs', '--ledger', 'ledger.sqlite', ...options],
  ...(server.length === 0 ? [] : ['--', ...server]),
]

export interface Guarded {
  readonly client: Client
  readonly pid: number
  /** The guard's stderr so far. */
  said(): string
}

/** Connects through a guard, which exits when the test ends. */
export async function connect(
  box: Sandbox,
  server: readonly string[],
  {
    options = [],
    capabilities = {},
    env = {},
  }: { options?: readonly string[]; capabilities?: object; env?: Record<string, string> } = {},
): Promise<Guarded> {
  const client = new Client({ name: 'tester', version: '1' }, { capabilities })
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [BIN, ...guardArgs(options, server)],
    cwd: box.folder,
    env: { ...getDefaultEnvironment(), ...env },
    stderr: 'pipe',
  })
  let stderr = ''
  transport.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  onTestFinished(() => client.close())
  await client.connect(transport)
  return { client, pid: transport.pid ?? 0, said: () => stderr }
}

export const textOf = (result: Json): string => result.content[0].text
