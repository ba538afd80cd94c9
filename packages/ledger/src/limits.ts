// All limits of this package, with their reasons. A ledger is untrusted input, so nothing may grow without
// limit with its content.

export {
  CONTROL_BY_LENGTH_MAX,
  CONTROL_REASON_LENGTH_MAX,
  NAME_LENGTH_MAX,
  QUESTION_TTL_MS_MAX,
  REASON_LENGTH_MAX,
  REQUEST_ID_LENGTH_MAX,
} from '@sudoagent/crypto/entry'

/**
 * Maximum length of a line that a reader parses, in bytes. Typical entries have 0.5–5 KB. A longer line is reported
 * as a finding and is never held in memory.
 */
export const LINE_BYTES_MAX = 4 * 1024 * 1024

/**
 * Maximum length of an entry that a writer accepts, in bytes, before the chain fields and the signature are added.
 * This limit is lower than LINE_BYTES_MAX, so every written entry can be read.
 */
export const ENTRY_BYTES_MAX = 3 * 1024 * 1024

/** Maximum number of findings in a report. All findings are counted, but more than 100 give no further information. */
export const FINDINGS_MAX = 100

/** Maximum number of open calls listed in a report; all open calls are counted. */
export const OPEN_CALLS_LISTED_MAX = 100

/** Maximum number of key ids listed in a report: a hostile ledger can name a new key id on every line. */
export const REPORT_KEYS_MAX = 100

/** Maximum number of public keys that a caller may give: an entry without a key id is checked with each key. */
export const PUBLIC_KEYS_MAX = 64

/**
 * Number of lines in a batch: enough to make a transfer cheap, and few enough to limit memory and not to block the
 * event loop.
 */
export const BATCH_LINES = 256

/**
 * Maximum length of a batch in bytes, not counting the last line. Without this limit, 256 lines of maximum length
 * would take 1 GiB.
 */
export const BATCH_BYTES_MAX = 8 * 1024 * 1024

/** Maximum length of `outcome.error`, in UTF-16 units (LEDGER-FORMAT §2). */
export const ERROR_LENGTH_MAX = 200

/**
 * Timeout for one signature, in milliseconds. The signer is called under the ledger's write lock, so other writers
 * wait for the signature.
 */
export const SIGNER_TIMEOUT_MS = 10_000

/** Maximum number of entries in one transaction. This limits how long a commit holds the lock. */
export const COMMIT_ENTRIES_MAX = 512

/**
 * Maximum number of bytes in one transaction, unless a single entry is larger. Without this limit, 512 entries of
 * maximum length would make a string of 1.5 GiB.
 */
export const COMMIT_BYTES_MAX = 16 * 1024 * 1024

/**
 * Maximum number of open stops that do not cover everything, and of those that do: every decision is compared with
 * each of them.
 */
export const STOPS_MAX = 255

/** Maximum number of open questions, and of one agent: faults that ask without end do not fill the ledger's state. */
export const QUESTIONS_MAX = 10_000
export const QUESTIONS_OF_AGENT_MAX = 100

/**
 * Maximum time that the ledger time may be ahead of the clock of a writer that asks, in milliseconds. Beyond it, an
 * approval that is in time by the writer's clock could have expired by the ledger's.
 */
export const LEDGER_AHEAD_MS_MAX = 60_000

/** Maximum number of keys in the lifetime of a ledger: each key is parsed, and tried on signed notes. */
export const LEDGER_KEYS_MAX = 64

/** Maximum length of an origin, in bytes: the limit of `log_origin` in C2SP tlog-cosignature. */
export const ORIGIN_BYTES_MAX = 255

/**
 * Maximum number of checkpoints, and of receipts, in one verification. For each of them, the verifier checks a
 * signature and stores the tree at the stated size.
 */
export const ANCHORS_MAX = 1_000

/**
 * Maximum number of open calls in a saved state, which lists each open call. Real systems have far fewer calls in
 * progress.
 */
export const STATE_CALLS_MAX = 100_000

/**
 * Maximum length of a saved state, in bytes: 100,000 open calls with request ids of maximum length, plus the other
 * fields.
 */
export const STATE_BYTES_MAX = 64 * 1024 * 1024

/** Maximum number of positions in one finding, so that its message stays readable. */
export const POSITIONS_TOLD_MAX = 10
