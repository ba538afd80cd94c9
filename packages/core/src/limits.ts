/**
 * Every bound of the boundary, with its reason.
 *
 * The arguments of a call come from a model, so their size is in a stranger's hands. Together these bounds keep the
 * longest entry that one call can cause below the 3 MiB that a ledger accepts: 256 Ki string units become at most 6 bytes each
 * (an escaped control character, or a letter that normalisation takes apart), 10,000 values at most 66 bytes each on
 * top, and the metadata a quarter of that.
 */

/** How much of a call's arguments is read. Beyond any of these the call is refused with `PARAMETERS_INVALID`. */
export interface SnapshotLimits {
  /** Objects, arrays, maps and sets inside one another. */
  readonly depthMax: number
  /** Values in all: every member, element, map key and map value counts one. */
  readonly nodesMax: number
  /** UTF-16 code units in all strings and keys together, and the digits of very large integers. */
  readonly stringUnitsMax: number
  /** Bytes in all buffers and typed arrays together. */
  readonly binaryBytesMax: number
}

/**
 * Depth 32: JSON that people or models write seldom passes 10. A Map is written as three levels, so 32 of them still
 * fit into the 128 levels that a ledger line may have.
 *
 * 10,000 values: a page of rows fits, and a call is still read in milliseconds. What is larger belongs behind a
 * reference that the policy can see.
 *
 * 256 Ki units: a long document fits; six bytes for each of them fit into an entry.
 *
 * 1 MiB of bytes: the record holds only their length, but they are copied and compared for every call.
 */
export const ARGUMENT_LIMITS: SnapshotLimits = Object.freeze({
  depthMax: 32,
  nodesMax: 10_000,
  stringUnitsMax: 256 * 1024,
  binaryBytesMax: 1024 * 1024,
})

/** Metadata stands in the same ledger line as the arguments and is labels, not payload. */
export const METADATA_LIMITS: SnapshotLimits = Object.freeze({
  depthMax: 32,
  nodesMax: 1_000,
  stringUnitsMax: 64 * 1024,
  binaryBytesMax: 64 * 1024,
})

/** A bigint of 4,096 bits holds any RSA modulus in use; writing one as decimal takes time that grows with its square. */
export const BIGINT_BITS_MAX = 4096

/** Longer names of classes are not names that somebody wrote; they are data on its way into the record. */
export const CLASS_NAME_LENGTH_MAX = 64

/**
 * How often the rules go over one text until nothing changes. One pass is the rule, a second confirms; a text that is
 * still changing after four was built to do so, and all of it is replaced.
 */
export const REDACTION_PASSES_MAX = 4

/**
 * Arguments of calls that wait for an approval, in bytes of canonical JSON, in all: room for 160 calls of 200 KB. Each
 * byte of them costs about five of memory (the copy, the redacted form, the record in the store).
 */
export const OPEN_QUESTIONS_BYTES_MAX = 32 * 1024 * 1024

/** How far the ledger may be ahead of the writer's clock when a person is asked: the grace that a late approval has. */
export const LEDGER_AHEAD_MS_MAX = 60_000
