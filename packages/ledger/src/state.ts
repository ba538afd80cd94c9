/** `@sudoagent/ledger/state`: a verification that resumes where an earlier one ended. */

export { encodeState, parseState, type VerifiedState } from './verify/saved-state.js'
export { verifyFrom } from './verify/verify.js'
