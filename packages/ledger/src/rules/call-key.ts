// The key of a call in the tables of `Lifecycle`: the decision hash and the request id as 32-bit words. In typed
// arrays, the keys of a million calls need little memory.

export const HASH_WORDS = 8
export const UUID_WORDS = 4
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Whether a request id is a lower-case UUID, which can be stored as words. */
export const isUuid = (requestId: string): boolean => UUID.test(requestId)

/** Number of words in a call key: the decision hash, then the request id if it is a UUID. */
export const CALL_KEY_WORDS = HASH_WORDS + UUID_WORDS

/** The key of a call: `CALL_KEY_WORDS` words from `at`, and the request id if it is not a UUID. */
export interface CallKey {
  readonly words: Uint32Array
  readonly at: number
  readonly requestId: string | null
}

/** The 32 hex digits of a UUID. */
export function uuidHex(uuid: string): string {
  return uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18) + uuid.slice(19, 23) + uuid.slice(24)
}

/** The request id of the call whose words begin at `at`. */
export function requestIdAt(words: Uint32Array, at: number): string {
  return uuidOf(words.subarray(at + HASH_WORDS, at + CALL_KEY_WORDS))
}

export const requestIdOf = ({ words, at, requestId }: CallKey): string => requestId ?? requestIdAt(words, at)

/** Decodes a UUID from four words. */
export function uuidOf(words: Uint32Array): string {
  const hex = hexOf(words)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

export const hexOf = (words: Uint32Array): string =>
  Buffer.from(words.buffer, words.byteOffset, words.byteLength).toString('hex')
