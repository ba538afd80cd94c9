/** `@sudoagent/crypto/text`: makes untrusted text safe to display, and matches text with wildcards. */

export { escapeForTerminal, escapeUnseen } from './text/escape-for-terminal.js'
export { hasMixedScript } from './text/mixed-script.js'
export { matchesText, matchesWildcard } from './text/wildcard.js'
