/** `@sudoagent/crypto/text`: untrusted text, made safe to show. */

export { escapeForTerminal, escapeUnseen } from './text/escape-for-terminal.js'
export { hasMixedScript } from './text/mixed-script.js'
