// Functions for programs that show approvals to a person themselves: the check that a request shows the call that its
// hashes cover, and functions that show untrusted text on a terminal. The prompt in this package uses the same.
export { pageQuestion, promptPages } from './approval/prompt.js'
export { NOT_SIGNED, redactedText, SHOWN_CALL_DIFFERS, showsBoundCall } from './approval/shown.js'
export { equalUseText, latestEqualUse } from './question/equal-use.js'
export { breakRows, usableColumns } from './terminal/rows.js'
