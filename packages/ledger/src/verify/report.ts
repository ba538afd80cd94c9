// What `verify` reports (LEDGER-FORMAT §6). A report is a value, and the same value whether it is printed as text or as JSON; its
// names are snake_case like the ledger's.
import type { Hash } from '@sudoagent/crypto'
import type { Finding } from '../entry/finding.js'
import type { ListedCall } from '../rules/open-calls.js'

/** Something that does not change the verdict, and that the owner of the ledger should know. Safe to print, like a finding. */
export interface Warning {
  readonly code: 'STORE_FOREIGN_OBJECT' | 'STORE_NEWER_TABLE' | 'STORE_WRITABLE_BY_OTHERS'
  readonly message: string
  readonly hint?: string
}

/**
 * How much was shown, and never more than was checked:
 *
 * - `broken`: there is a finding
 * - `unverified`: no signature could be checked, because no given key made one; nothing else was found. Whether anything was
 *   changed is unknown
 * - `intact`: chain, tree and rules hold; nobody vouches for them
 * - `signed`: and every entry and the head are signed by keys that the caller gave, or that one of those has added
 * - `anchored`: signed, and the ledger begins with everything that the caller kept elsewhere: checkpoints, receipts, a state
 * - `witnessed`: signed, and enough of the witnesses that the caller named have seen the same log; `anchors` says what else held
 */
export type Verdict = 'broken' | 'unverified' | 'intact' | 'signed' | 'anchored' | 'witnessed'

/** Something that the caller kept elsewhere, held against the ledger. */
export interface AnchorReport {
  readonly kind: 'checkpoint' | 'receipt' | 'state'
  /** Entries that it vouches for. */
  readonly size: number
  /** The entry that a receipt is of. */
  readonly position: number | null
  /** Ids of known keys that signed its checkpoint. */
  readonly signed_by: readonly string[]
  readonly holds: boolean
}

export interface Report {
  readonly ok: boolean
  readonly verdict: Verdict
  readonly entries: number
  readonly decisions: number
  readonly outcomes: number
  /** Allowed decisions without an outcome: still running, or the process died in the call. */
  readonly open: number
  /** The first 100 of them. Each may have run. */
  readonly open_calls: readonly ListedCall[]
  readonly signed_entries: number
  /** The log's name; null when the first entry cannot be read. */
  readonly origin: string | null
  /** Where the ledger ends, as it was walked; `root` in base64, null behind an entry that cannot be read. */
  readonly head: { readonly size: number; readonly entry_hash: Hash | null; readonly root: string | null }
  /** The checkpoint that is kept with the ledger, and the ids of known keys that signed it; null when there is none that can be read. */
  readonly checkpoint: { readonly size: number; readonly signed_by: readonly string[] } | null
  /** Entries behind the last checkpoint that holds, whoever kept it. */
  readonly tail: number
  readonly anchors: readonly AnchorReport[]
  /** Entries up to the largest of `anchors` that the ledger begins with; null without one. */
  readonly anchored_to: number | null
  /** The largest checkpoint in the ledger that enough witnesses have cosigned, and who they are. */
  readonly witnesses: { readonly size: number; readonly names: readonly string[] } | null
  /** Entries up to the largest checkpoint that enough witnesses have cosigned; null without one. */
  readonly witnessed_to: number | null
  /** The entry behind which this run began; null when it began at the beginning. */
  readonly resumed_from: number | null
  /** Whether the ledger says of itself that it ended. */
  readonly closed: boolean
  readonly first_created_at: string | null
  readonly last_created_at: string | null
  /** Entries about calls whose `created_at` is more than a minute after their `recorded_at`: the clocks did not agree. */
  readonly created_after_recorded: number
  /** Lines of this run that were read in full, because they are not in the form in which this package writes calls. */
  readonly read_in_full: number
  /** Ids of the keys that the entries name, of those that the caller gave, and of the ledger's own that may sign now or may not any more. */
  readonly keys: {
    readonly in_ledger: readonly string[]
    readonly given: readonly string[]
    readonly active: readonly string[]
    readonly retired: readonly string[]
  }
  /** The first findings, in the order of the ledger, then those about all of it; `findings_total` counts them all. */
  readonly findings: readonly Finding[]
  readonly findings_total: number
  /** What does not change the verdict: objects in a database file that no ledger has. */
  readonly warnings: readonly Warning[]
}
