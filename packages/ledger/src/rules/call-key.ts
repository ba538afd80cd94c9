// The key of a call in the tables of `Lifecycle`: its decision hash and its request id as 32-bit words, so that a million calls fit into typed arrays.

export const HASH_WORDS = 8
export const UUID_WORDS = 4
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Whether a request id is a UUID in its usual form, and so fits into words. */
export const isUuid = (requestId: string): boolean => UUID.test(requestId)

/** Words of a call: the decision hash, then the request id where it is a UUID. */
export const CALL_KEY_WORDS = HASH_WORDS + UUID_WORDS

/** The call that an entry is about: `CALL_KEY_WORDS` words, and the request id where it is no UUID. */
export interface CallKey {
  readonly words: Uint32Array
  readonly at: number
  readonly requestId: string | null
}

/** The 32 digits of a UUID in its usual form. */
export function uuidHex(uuid: string): string {
  return uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18) + uuid.slice(19, 23) + uuid.slice(24)
}

/** The request id of a call whose words begin at `at`. */
export function requestIdAt(words: Uint32Array, at: number): string {
  return uuidOf(words.subarray(at + HASH_WORDS, at + CALL_KEY_WORDS))
}

export const requestIdOf = ({ words, at, requestId }: CallKey): string => requestId ?? requestIdAt(words, at)

/** A UUID in its usual form, out of its four words. */
export function uuidOf(words: Uint32Array): string {
  const hex = hexOf(words)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

export const hexOf = (words: Uint32Array): string =>
  Buffer.from(words.buffer, words.byteOffset, words.byteLength).toString('hex')
