// Functions that show untrusted text on a terminal, for the prompt in this package and for programs that show approvals
// themselves.
export { pageQuestion, promptPages } from './approval/prompt.js'
export { breakRows, usableColumns } from './terminal/rows.js'
