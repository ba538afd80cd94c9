/** `@sudoagent/ledger/state`: verification that resumes where an earlier run ended. */

export { encodeState, parseState, type VerifiedState } from './verify/saved-state.js'
export { verifyFrom } from './verify/verify.js'
