/**
 * Checks arguments against the accepted `inputSchema` of the tool, without changing the arguments. Without this
 * check, an allowed call would also forward arguments that no rule mentions.
 *
 *   names    refuses an argument that is not listed in `properties`, unless the schema has `additionalProperties` or
 *            `patternProperties`; the same for nested objects
 *   schema   also checks the arguments against the whole schema; if the schema cannot be read, the check is the same
 *            as for `names`
 */
import { SchemaReader, TooMuchWork, UnreadableSchema } from './schema-reader.js'

export const ARGUMENT_CHECKS = ['names', 'schema', 'off'] as const

export type ArgumentCheck = (typeof ARGUMENT_CHECKS)[number]

/**
 * @param schema - `inputSchema` of the tool, unvalidated
 * @returns why the arguments are refused, in one line; null if they are accepted
 * @example checkArguments({ properties: { path: {} } }, { path: 'a', force: true }, 'names')
 *   // '`force` is not an argument of the tool'
 */
export function checkArguments(schema: unknown, args: object, check: ArgumentCheck): string | null {
  if (check === 'off') return null
  try {
    const size = sizeOf(args)
    const unlisted = readable(
      () => new SchemaReader(schema, size).unlisted(args),
      () => unlistedAtTop(schema, args),
    )
    if (unlisted !== null) return `\`${unlisted}\` is not an argument of the tool`
    if (check === 'names') return null
    const misfit = readable(
      () => new SchemaReader(schema, size).misfit(args),
      () => null,
    )
    return misfit === null ? null : `\`${misfit.path}\` does not match the tool schema: ${misfit.keyword}`
  } catch (error) {
    if (error instanceof TooMuchWork) return 'the arguments are too complex to check against the tool schema'
    throw error
  }
}

function readable<T>(read: () => T, otherwise: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof UnreadableSchema) return otherwise()
    throw error
  }
}

/** The fallback for a schema that cannot be read: checks only the top-level names. */
function unlistedAtTop(schema: unknown, args: object): string | null {
  const { properties, additionalProperties, patternProperties } = (schema ?? {}) as Record<string, unknown>
  if (typeof properties !== 'object' || properties === null || patternProperties !== undefined) return null
  if (additionalProperties !== undefined && additionalProperties !== false) return null
  return Object.keys(args).some((name) => !Object.hasOwn(properties, name)) ? '[…]' : null
}

/** Approximate size in characters; a bigint counts as one character. */
const sizeOf = (args: object): number =>
  JSON.stringify(args, (_, value: unknown) => (typeof value === 'bigint' ? 0 : value)).length
