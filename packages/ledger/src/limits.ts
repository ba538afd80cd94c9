// Every bound of this package, each with its reason. A ledger is untrusted input: nothing here may grow with what it says.

export {
  APPROVAL_USE_GRACE_MS,
  NAME_LENGTH_MAX,
  REASON_LENGTH_MAX,
  REQUEST_ID_LENGTH_MAX,
} from '@sudoagent/crypto'

/** Longest line a reader looks at, in bytes. Real entries have 0.5–5 KB; a longer line is a finding and is never held in memory. */
export const LINE_BYTES_MAX = 4 * 1024 * 1024

/** Longest entry a writer accepts, in bytes, before its chain fields and signature are added: what is written can always be read. */
export const ENTRY_BYTES_MAX = 3 * 1024 * 1024

/** Findings kept in a report. A ledger with 10⁶ broken lines says nothing more than one with 100; the total is counted all the same. */
export const FINDINGS_MAX = 100

/** Open calls listed in a report; all are counted. */
export const OPEN_CALLS_LISTED_MAX = 100

/** Key ids listed in a report: a hostile ledger can name a new one on every line. */
export const REPORT_KEYS_MAX = 100

/** Public keys a caller may give: each unsigned-by-name entry is tried against each of them. */
export const PUBLIC_KEYS_MAX = 64

/** Lines handed over at a time: large enough to make the hand-over cheap, small enough to keep memory flat and the event loop alive. */
export const BATCH_LINES = 256

/** Bytes handed over at a time, give or take one line: 256 lines of the greatest length would be 1 GiB. */
export const BATCH_BYTES_MAX = 8 * 1024 * 1024

/** Longest `outcome.error`, in UTF-16 units (LEDGER-FORMAT §2). */
export const ERROR_LENGTH_MAX = 200

/** How long a signer may take for one signature, in milliseconds: it is asked while the ledger's write lock is held, and others wait for that. */
export const SIGNER_TIMEOUT_MS = 10_000

/** Entries written in one transaction: bounds how long one commit holds the lock. */
export const COMMIT_ENTRIES_MAX = 512

/** Bytes written in one transaction, unless a single entry has more: 512 entries of the largest size would be one text of 1.5 GiB. */
export const COMMIT_BYTES_MAX = 16 * 1024 * 1024

/** Keys that a ledger may name in its whole life: each is parsed, and tried against notes. */
export const LEDGER_KEYS_MAX = 64

/** Longest origin, in bytes: as long as the `log_origin` of C2SP tlog-cosignature may be. */
export const ORIGIN_BYTES_MAX = 255

/** Checkpoints, and receipts, that a caller may give to one verification: each is a signature to check and a place in the ledger to remember. */
export const ANCHORS_MAX = 1_000

/** Calls without an outcome that a saved state may carry over: it must know each one. More of them are no calls that are still running. */
export const STATE_CALLS_MAX = 100_000

/** Longest state that is read, in bytes: 100,000 open calls of the longest request ids, and the rest. */
export const STATE_BYTES_MAX = 64 * 1024 * 1024

/** Positions named in one finding: enough to look at, and a line that can be read. */
export const POSITIONS_TOLD_MAX = 10
