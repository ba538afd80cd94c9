/**
 * Computes the digest of a tool definition: SHA-256 of the canonical JSON (RFC 8785) of everything that the server
 * sends about the tool. The model or its client reads name, title, description, schemas, annotations and `_meta`,
 * so the digest covers all these members.
 *
 *   {"description":"Reads a file","inputSchema":{"type":"object"},"name":"read_file"}  →  64 hex digits
 */

import { type Hash, sha256Hex } from '@sudoagent/crypto'
import { encodeJcs } from '@sudoagent/crypto/json'
import { TOOL_DEFINITION_BYTES_MAX, TOOL_NAME_LENGTH_MAX } from '../limits.js'

export interface ToolDefinition {
  readonly name: string
  readonly digest: Hash
  /** Canonical JSON. */
  readonly text: string
  /** The argument schema; absent if unknown. */
  readonly inputSchema?: unknown
}

/**
 * Whether the name is valid. A name that is not in Unicode NFC is refused, because the policy and the ledger would
 * contain a different name than the server receives.
 */
export const isToolName = (name: unknown): name is string =>
  typeof name === 'string' &&
  name !== '' &&
  name.length <= TOOL_NAME_LENGTH_MAX &&
  name.isWellFormed() &&
  name === name.normalize('NFC')

/** Returns the name in a tool definition; null if the name is missing or invalid. */
export function readToolName(tool: unknown): string | null {
  if (typeof tool !== 'object' || tool === null || Array.isArray(tool)) return null
  const { name } = tool as { name?: unknown }
  return isToolName(name) ? name : null
}

/**
 * @returns null if the definition cannot be pinned, because it lacks a valid name, is too long, or lacks a canonical
 * form
 */
export function readDefinition(tool: unknown): ToolDefinition | null {
  const name = readToolName(tool)
  const definition = name === null ? null : define(name, tool)
  return definition === null ? null : { ...definition, inputSchema: (tool as { inputSchema?: unknown }).inputSchema }
}

/** The name under which the server's instructions and name are pinned; it is not a valid tool name. */
export const SERVER_ENTRY = ''

/**
 * Returns the text about the server in `initialize` that a model or a person reads: `instructions`, and
 * `serverInfo` without the version, which may change with every release.
 *
 * @returns null if the text is too long or has no canonical form
 */
export function readServerDefinition(answer: object): ToolDefinition | null {
  const { instructions = null, serverInfo = null } = answer as { instructions?: unknown; serverInfo?: unknown }
  const { version: _, ...info } = (serverInfo ?? {}) as Record<string, unknown>
  return define(SERVER_ENTRY, { instructions, serverInfo: info })
}

function define(name: string, value: unknown): ToolDefinition | null {
  try {
    const text = encodeJcs(value)
    if (Buffer.byteLength(text) > TOOL_DEFINITION_BYTES_MAX) return null
    return { name, digest: sha256Hex(text), text }
  } catch {
    return null
  }
}
