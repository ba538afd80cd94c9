/**
 * The digest of a tool's definition: SHA-256 over the canonical JSON (RFC 8785) of all that the server says about the tool. Name, title,
 * description, schemas, annotations and `_meta` are text that a model or its client reads, so all of it counts.
 *
 *     {"description":"Reads a file","inputSchema":{"type":"object"},"name":"read_file"}  →  64 hex digits
 */
import { encodeJcs, type Hash, sha256Hex } from '@sudoagent/crypto'
import { TOOL_DEFINITION_BYTES_MAX, TOOL_NAME_LENGTH_MAX } from './limits.js'

export interface ToolDefinition {
  readonly name: string
  readonly digest: Hash
  /** Canonical JSON. */
  readonly text: string
}

/** @returns null for what is no definition that could be pinned: no name, too long, not canonical JSON */
export function readDefinition(tool: unknown): ToolDefinition | null {
  if (typeof tool !== 'object' || tool === null || Array.isArray(tool)) return null
  const { name } = tool as { name?: unknown }
  if (typeof name !== 'string' || name === '' || name.length > TOOL_NAME_LENGTH_MAX) return null
  try {
    const text = encodeJcs(tool)
    if (Buffer.byteLength(text) > TOOL_DEFINITION_BYTES_MAX) return null
    return { name, digest: sha256Hex(text), text }
  } catch {
    return null
  }
}
