/**
 * `@sudoagent/core/boundary`: for guards that are built on the engine and must read names, arguments, concealed values
 * and commitment keys in the same way.
 */

export { isIntegerText } from './arguments/integer-text.js'
export { AUTHORITY_OPTIONS, traceIn } from './authority/authority.js'
export { readCommitmentKey } from './commitment/key-file.js'
export type { ResumeCall, WaitingEngine, WaitOptions } from './engine-port.js'
export { UNRECORDABLE } from './policy/context.js'
export { foldName } from './policy/fold-name.js'
export { WaitEnded } from './question/pending.js'
export { type Concealment, describeConcealed } from './redaction/concealment.js'
export type { Redacted } from './redaction/redacted.js'
