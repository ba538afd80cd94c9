/** `@sudoagent/crypto/text`: makes untrusted text safe to display. */

export { escapeForTerminal, escapeUnseen } from './text/escape-for-terminal.js'
export { hasMixedScript } from './text/mixed-script.js'
