/**
 * The limits of the boundary, with their reasons.
 *
 * The arguments of a call come from a model, so their size is not under the program's control. Together these
 * limits keep the longest entry of one call below the 3 MiB that a ledger accepts: each of 256 Ki UTF-16 code units
 * becomes at most 6 bytes (an escaped control character, or a letter that normalisation decomposes), each of 10,000
 * values adds at most 66 bytes, and the metadata adds at most a quarter of that.
 */

/** The limits of a call's arguments. A call beyond one of them is refused with `PARAMETERS_INVALID`. */
export interface SnapshotLimits {
  /** The nesting of objects, arrays, maps and sets. */
  readonly maxDepth: number
  /** The total number of values: every member, element, map key and map value counts as one. */
  readonly maxNodes: number
  /** UTF-16 code units in all strings and keys together, and the digits of very large integers. */
  readonly maxStringLength: number
  /** Bytes in all buffers and typed arrays together. */
  readonly maxBinaryBytes: number
}

/**
 * Depth 32: JSON that people or models write seldom exceeds 10. A Map is written as three levels, so 32 nested Maps
 * still fit into the 128 levels that a ledger line may have.
 *
 * 10,000 values: enough for a page of rows, and a call is still read in milliseconds. Pass larger data by a
 * reference that the policy can check.
 *
 * 256 Ki code units: enough for a long document; six bytes for each of them fit into an entry.
 *
 * 1 MiB of bytes: the record contains only their length, but they are copied and compared for every call.
 */
export const ARGUMENT_LIMITS: SnapshotLimits = Object.freeze({
  maxDepth: 32,
  maxNodes: 10_000,
  maxStringLength: 256 * 1024,
  maxBinaryBytes: 1024 * 1024,
})

/** Metadata is recorded in the same ledger line as the arguments. It is meant for labels, not for payload. */
export const METADATA_LIMITS: SnapshotLimits = Object.freeze({
  maxDepth: 32,
  maxNodes: 1_000,
  maxStringLength: 64 * 1024,
  maxBinaryBytes: 64 * 1024,
})

/** 4,096 bits are enough for any RSA modulus in use. The time to write a bigint as decimal digits is quadratic. */
export const BIGINT_BITS_MAX = 4096

/** A longer class name is probably data, not a name from source code, so it is not recorded. */
export const CLASS_NAME_LENGTH_MAX = 64

/**
 * The maximum number of redaction passes for one string. The first pass redacts and the second usually finds
 * nothing; a string that still changes in the fourth pass was built to do so and is replaced as a whole.
 */
export const REDACTION_PASSES_MAX = 4

/**
 * The total size of the arguments of calls that wait for an approval, in bytes of canonical JSON: enough for 160
 * calls of 200 KB. Each byte needs about five bytes of memory (the copy, the redacted form, the record in the
 * store).
 */
export const OPEN_QUESTIONS_BYTES_MAX = 32 * 1024 * 1024

/**
 * The maximum time that the ledger may be ahead of the writer's clock when an approval is requested: the tolerance
 * for late approvals.
 */
export const LEDGER_AHEAD_MS_MAX = 60_000
