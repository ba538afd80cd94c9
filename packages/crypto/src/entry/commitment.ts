/** The commitment of a call to its parameters before redaction: an HMAC under a key that the operator keeps. */
import { closedMisfit, shapeOf } from './fields.js'

/** The member `commitment` of a decision and of its question. */
export interface Commitment {
  /** The first 16 hex digits of SHA-256 of the key. */
  readonly key_id: string
  /** HMAC-SHA256, in lower-case hex. */
  readonly hmac: string
}

const COMMITMENT = shapeOf({
  key_id: (value) => typeof value === 'string' && /^[0-9a-f]{16}$/.test(value),
  hmac: (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value),
})

/** The path of the first invalid member; null if the commitment is valid or absent. */
export const commitmentMisfit = (value: unknown): string | null =>
  value === undefined ? null : closedMisfit(value, COMMITMENT, 'commitment')
