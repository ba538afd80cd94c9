/**
 * The digest of a tool's definition: SHA-256 over the canonical JSON (RFC 8785) of all that the server says about the tool. Name, title,
 * description, schemas, annotations and `_meta` are text that a model or its client reads, so all of it counts.
 *
 *     {"description":"Reads a file","inputSchema":{"type":"object"},"name":"read_file"}  →  64 hex digits
 */
import { encodeJcs, type Hash, sha256Hex } from '@sudoagent/crypto'
import { TOOL_DEFINITION_BYTES_MAX, TOOL_NAME_LENGTH_MAX } from '../limits.js'

export interface ToolDefinition {
  readonly name: string
  readonly digest: Hash
  /** Canonical JSON. */
  readonly text: string
  /** What arguments are checked against. Absent: nothing is known of them. */
  readonly inputSchema?: unknown
}

/**
 * Whether a tool can be called by this name. One that is not in Unicode's NFC is refused: policy and record would read another name than
 * the server does.
 */
export const isToolName = (name: unknown): name is string =>
  typeof name === 'string' &&
  name !== '' &&
  name.length <= TOOL_NAME_LENGTH_MAX &&
  name.isWellFormed() &&
  name === name.normalize('NFC')

/** The name of a tool that a server shows; null when there is none that it could be called by. */
export function readToolName(tool: unknown): string | null {
  if (typeof tool !== 'object' || tool === null || Array.isArray(tool)) return null
  const { name } = tool as { name?: unknown }
  return isToolName(name) ? name : null
}

/** @returns null for what is no definition that could be pinned: no name, too long, not canonical JSON */
export function readDefinition(tool: unknown): ToolDefinition | null {
  const name = readToolName(tool)
  const definition = name === null ? null : define(name, tool)
  return definition === null ? null : { ...definition, inputSchema: (tool as { inputSchema?: unknown }).inputSchema }
}

/** Under this name, which no tool can have, it is pinned what a server says of itself. */
export const SERVER_ENTRY = ''

/**
 * What a server says of itself in `initialize` and a model or a person reads: `instructions` and `serverInfo`, without the version, which
 * may change with every release.
 *
 * @returns null when it is too long or has no canonical form
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
