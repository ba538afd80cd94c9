// Replaces `globSync`, for older Node versions; loaded with `node --import`. The conformance suite imports `globSync`,
// which exists since Node 22, for a command that these tests do not use.
import { register } from 'node:module'

const replaced = `export * from 'node:fs'
export { default } from 'node:fs'
export const globSync = () => []`
const hooks = `export async function resolve(specifier, context, next) {
  if (specifier !== 'fs' || !context.parentURL?.includes('@modelcontextprotocol/conformance')) return next(specifier, context)
  return { url: ${JSON.stringify(`data:text/javascript,${encodeURIComponent(replaced)}`)}, format: 'module', shortCircuit: true }
}`
register(`data:text/javascript,${encodeURIComponent(hooks)}`)
