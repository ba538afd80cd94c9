/**
 * Recognises values that have the form of a single credential: one word, `Bearer` and a word, cookies, or a private
 * key.
 *
 * Under a name such as `password`, only such a value counts as a declared secret. Otherwise, a model could use
 * the name to hide a command, a path or a document from a policy.
 */
import { findPrivateKeys } from './shape/pem.js'
import { readCookies } from './value.js'

const WORD =
  /^(?:[A-Za-z][\w-]{0,31} )?(?![-/.~])(?:[A-Za-z0-9._~+/=@!#%^*?,:-]|[^\s\p{C}\0-\x7f]|\$(?![({])){1,4096}$/u
/** The known authentication schemes. Two words such as `rm x` are not a credential. */
const SCHEME = /^(?:api-?key|basic|bearer|digest|hawk|negotiate|oauth|token) /i
const URL_START = /^[A-Za-z][A-Za-z0-9+.-]{0,31}:\/\//

export function isCredential(text: string): boolean {
  const value = text.trim()
  if (WORD.test(value)) return isOneSecret(value)
  if (readCookies(value, 0).end === value.length) return true
  const [key, ...more] = value.startsWith('-') ? findPrivateKeys(value) : []
  return key !== undefined && more.length === 0 && key.start === 0 && key.end === value.length
}

function isOneSecret(value: string): boolean {
  const scheme = SCHEME.exec(value)?.[0] ?? ''
  const secret = value.slice(scheme.length)
  if (secret === '' || secret.includes(' ') || URL_START.test(secret)) return false
  // Base64 may contain slashes, too, but a path usually does not mix upper case, lower case and digits.
  return (
    !secret.includes('/') || (secret.length >= 16 && /[A-Z]/.test(secret) && /[a-z]/.test(secret) && /\d/.test(secret))
  )
}
