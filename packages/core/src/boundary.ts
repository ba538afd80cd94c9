/** `@sudoagent/core/boundary`: names, arguments and concealed values as the engine reads them, for guards based on it. */

export { isIntegerText } from './arguments/integer-text.js'
export { foldName } from './fold-name.js'
export { UNRECORDABLE } from './policy/context.js'
export { type Concealment, describeConcealed } from './redaction/concealment.js'
export type { Redacted } from './redaction/json.js'
