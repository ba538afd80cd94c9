/** `@sudoagent/crypto/text`: untrusted text, made safe to show. */

export { hasMixedScript } from './text/mixed-script.js'
export { escapeUnseen, printable } from './text/printable.js'
