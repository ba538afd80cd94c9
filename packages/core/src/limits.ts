/**
 * The boundary's limits, with reasons.
 *
 * Call arguments come from a model, so the program does not control their size. Together, these limits keep the longest
 * entry of one call below the 3 MiB that a ledger accepts. Each of 256 Ki UTF-16 code units becomes at most 6 bytes (an
 * escaped control character, or a letter that normalisation decomposes). Each of 10,000 values adds at most 66 bytes.
 * The metadata adds at most a quarter of the total.
 */

/** The limits for the arguments of a call. A call that exceeds a limit is refused with `PARAMETERS_INVALID`. */
export interface SnapshotLimits {
  /** The nesting depth of objects, arrays, maps and sets. */
  readonly maxDepth: number
  /** The total number of values. Every member, element, map key and map value counts as one value. */
  readonly maxNodes: number
  /** The total number of UTF-16 code units in all strings and keys, plus the digits of very large integers. */
  readonly maxStringLength: number
  /** The total number of bytes in all buffers and typed arrays. */
  readonly maxBinaryBytes: number
}

/**
 * Depth 32: JSON that people or models write rarely exceeds depth 10. A Map is written as three levels, so 32 nested
 * Maps still fit into the 128 levels that a ledger line may have.
 *
 * 10,000 values: enough for a page of rows, but few enough to read a call in milliseconds. Pass larger data by a
 * reference that the policy can check.
 *
 * 256 Ki code units: enough for a long document, and still within a ledger entry at six bytes per code unit.
 *
 * 1 MiB of binary data: the record contains only the length, but the data is copied and compared for every call.
 */
export const ARGUMENT_LIMITS: SnapshotLimits = Object.freeze({
  maxDepth: 32,
  maxNodes: 10_000,
  maxStringLength: 256 * 1024,
  maxBinaryBytes: 1024 * 1024,
})

/**
 * The limits for metadata. Metadata is recorded in the same ledger line as the arguments and is intended for labels,
 * not for payloads.
 */
export const METADATA_LIMITS: SnapshotLimits = Object.freeze({
  maxDepth: 32,
  maxNodes: 1_000,
  maxStringLength: 64 * 1024,
  maxBinaryBytes: 64 * 1024,
})

/** Limits of the authority of a call, which has at most eight delegates and a few strings of 256 characters. */
export const AUTHORITY_LIMITS: SnapshotLimits = Object.freeze({
  maxDepth: 4,
  maxNodes: 100,
  maxStringLength: 1_024,
  maxBinaryBytes: 0,
})

/**
 * The maximum size of a bigint. 4,096 bits are enough for any RSA modulus in use. Writing a bigint as decimal digits
 * takes quadratic time.
 */
export const BIGINT_BITS_MAX = 4096

/** The maximum length of a recorded class name. A longer name is probably data, not a name from source code. */
export const CLASS_NAME_LENGTH_MAX = 64

/**
 * The maximum number of redaction passes for one string. The first pass redacts, and the second usually finds nothing.
 * A string that still changes in the fourth pass was crafted to do so and is replaced as a whole.
 */
export const REDACTION_PASSES_MAX = 4

/**
 * The maximum total size of the arguments of all calls that wait for an approval, in bytes of canonical JSON. It is
 * enough for 160 calls of 200 KB each. Each byte needs about five bytes of memory, for the copy, the redacted form and
 * the record in the store.
 */
export const OPEN_QUESTIONS_BYTES_MAX = 32 * 1024 * 1024
