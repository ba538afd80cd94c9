/**
 * The commitments of a call: HMAC-SHA256, under a key that the operator keeps, over values that the ledger does not
 * contain.
 *
 *     decision.commitment   the parameters before redaction: {"parameters":{"args":[…],"kwargs":{…}},"request_id":"…"}
 *     outcome.result        the result, profile `jcs`: {"request_id":"…","result":…}
 *                           the result, profile `bytes`: the request id, a line feed, and the text of the result
 *
 * JSON is encoded by RFC 8785 without normalisation, so the bound strings are the strings as given. Without the key,
 * neither value can be guessed from its commitment.
 */
import { sha256Hex } from '../bytes/hash.js'
import { hmacSha256Hex } from '../bytes/hmac.js'
import { CryptoError } from '../error.js'
import { canonicalText } from '../json/canonical-text.js'
import { encodeJcs } from '../json/encode.js'
import { closedMisfit, oneOf, shapeOf } from './fields.js'

/** The member `commitment` of a decision and of its question. */
export interface Commitment {
  /** The first 16 hex digits of SHA-256 of the key. */
  readonly key_id: string
  /** HMAC-SHA256, in lower-case hex. */
  readonly hmac: string
}

/** The member `result` of an outcome. */
export interface ResultCommitment extends Commitment {
  /** `jcs`: the result has a canonical form; `bytes`: it has none, and its exact text was hashed. */
  readonly profile: 'jcs' | 'bytes'
  /** The length of the hashed form of the result, in bytes: of its canonical form, or of its text. */
  readonly bytes: number
}

/** The digits in the `key_id` of a commitment. */
const KEY_ID_CHARS = 16

/** Returns the `key_id` of the commitments under a key. */
export function commitmentKeyId(key: Uint8Array): string {
  return sha256Hex(key).slice(0, KEY_ID_CHARS)
}

/**
 * Commits to the parameters of a call.
 *
 * @param requestId - as the entry has it
 * @param parameters - `{args, kwargs}` before redaction, with strings as given
 * @throws CryptoError `VALUE_REFUSED` for a value without a canonical form
 */
export function commitCall(key: Uint8Array, requestId: string, parameters: unknown): Commitment {
  const hmac = hmacSha256Hex(key, encodeJcs({ parameters, request_id: requestId }))
  return { hmac, key_id: commitmentKeyId(key) }
}

/**
 * Commits to the result of a call.
 *
 * @param requestId - as the entry has it
 * @param text - the JSON text of the result
 * @param profile - default: `jcs` if the text has a canonical form, otherwise `bytes`
 * @throws CryptoError `VALUE_REFUSED` if the text is not well-formed, or has no canonical form and `profile` is `jcs`
 */
export function commitResult(
  key: Uint8Array,
  requestId: string,
  text: string,
  profile?: ResultCommitment['profile'],
): ResultCommitment {
  if (!text.isWellFormed()) throw new CryptoError('VALUE_REFUSED', 'the result contains a lone surrogate')
  const canonical = profile === 'bytes' ? null : canonicalText(text)
  if (canonical === null && profile === 'jcs')
    throw new CryptoError('VALUE_REFUSED', 'the result does not have a canonical form')
  const hashed = new TextEncoder().encode(canonical ?? text)
  const around =
    canonical === null ? [`${requestId}\n`, hashed] : [`{"request_id":${encodeJcs(requestId)},"result":`, hashed, '}']
  return {
    bytes: hashed.length,
    hmac: hmacSha256Hex(key, ...around),
    key_id: commitmentKeyId(key),
    profile: canonical === null ? 'bytes' : 'jcs',
  }
}

const isHex =
  (digits: number) =>
  (value: unknown): boolean =>
    typeof value === 'string' && value.length === digits && /^[0-9a-f]+$/.test(value)

const COMMITMENT = shapeOf({ key_id: isHex(KEY_ID_CHARS), hmac: isHex(64) })
const RESULT = [
  ...COMMITMENT,
  ...shapeOf({
    profile: oneOf('jcs', 'bytes'),
    bytes: (value) => Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0),
  }),
]

/** The path of the first invalid member; null if the commitment is valid or absent. */
export const commitmentMisfit = (value: unknown): string | null =>
  value === undefined ? null : closedMisfit(value, COMMITMENT, 'commitment')

/** Like `commitmentMisfit`, for the result of an outcome. */
export const resultMisfit = (value: unknown): string | null =>
  value === undefined ? null : closedMisfit(value, RESULT, 'outcome.result')
