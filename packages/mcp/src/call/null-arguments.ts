// Some clients send null for every optional argument that the model left out, also where the tool takes no null. These
// nulls can be dropped before the policy, the approver, the record and the server see the call.
import { copySpelling } from '../wire/exact-json.js'
import { readCallArguments } from './call-arguments.js'
import { SchemaReader, TooMuchWork, UnreadableSchema } from './schema-reader.js'
import type { GivenCall } from './sent-call.js'

/**
 * Returns the arguments without the nulls of optional arguments whose schema does not allow null. Only the arguments
 * themselves are looked at, not their members. Where the schema cannot be read, a null stays.
 *
 * @param schema - `inputSchema` of the tool, unvalidated
 * @returns `given` if nothing is dropped
 * @example omitNulls({ properties: { path: { type: 'string' } } }, { path: null }) // {}
 */
export function omitNulls(schema: unknown, given: object): object {
  const dropped = Object.entries(given)
    .filter(([name, value]) => value === null && forbidsNull(schema, name))
    .map(([name]) => name)
  if (dropped.length === 0) return given
  return copySpelling(given, Object.fromEntries(Object.entries(given).filter(([name]) => !dropped.includes(name))))
}

/** Whether an argument is optional, and its own schema does not allow null. */
function forbidsNull(schema: unknown, name: string): boolean {
  if (typeof schema !== 'object' || schema === null) return false
  const { properties, required = [] } = schema as Record<string, unknown>
  if (typeof properties !== 'object' || properties === null || !Object.hasOwn(properties, name)) return false
  if (!Array.isArray(required) || required.includes(name)) return false
  try {
    // The rest of the schema stays, because a reference may lead to it. The argument is required here, because the
    // reader accepts null for an optional one.
    const alone = { ...schema, required: [name], properties: { [name]: Reflect.get(properties, name) } }
    const misfit = new SchemaReader(alone, 0).misfit({ [name]: null })
    return misfit !== null && misfit.path !== 'arguments'
  } catch (error) {
    if (error instanceof UnreadableSchema || error instanceof TooMuchWork) return false
    throw error
  }
}

/** The call without these nulls. */
export function withoutNulls(asked: GivenCall, inputSchema: unknown): GivenCall {
  const { arguments: given } = asked.params
  if (typeof given !== 'object' || given === null) return asked
  const kept = omitNulls(inputSchema, given)
  if (kept === given) return asked
  return { ...asked, params: { ...asked.params, arguments: kept }, args: readCallArguments(kept) }
}
