// The report that `verify` returns (LEDGER-FORMAT §6): plain data with snake_case names, used for both text and JSON
// output.
import type { Hash } from '@sudoagent/crypto'
import type { StopScope } from '@sudoagent/crypto/entry'
import type { Finding } from '../entry/finding.js'
import type { ListedCall } from '../rules/open-calls.js'

/**
 * A condition that does not change the verdict but that the owner of the ledger should know about. The text is safe
 * to print, as in a finding.
 */
export interface Warning {
  readonly code: 'STORE_FOREIGN_OBJECT' | 'STORE_NEWER_TABLE' | 'STORE_WRITABLE_BY_OTHERS'
  readonly message: string
  readonly hint?: string
}

/**
 * The degree of assurance. The verdict never claims more than the run checked:
 *
 * - `broken`: there is a finding
 * - `unverified`: every entry is signed by a key that the caller did not give, so no signature could be checked;
 *   there are no other findings, but tampering cannot be ruled out
 * - `intact`: hash chain, Merkle tree and call rules check out; the author is unproven
 * - `signed`: intact, and every entry and the head are signed by keys that the caller gave, or by keys that
 *   those keys added
 * - `anchored`: signed, and consistent with all evidence that the caller kept elsewhere: checkpoints, receipts,
 *   a state
 * - `witnessed`: signed, and the quorum of the witness policy cosigned a checkpoint of the ledger; see
 *   `anchors` for the results of other evidence
 */
export type Verdict = 'broken' | 'unverified' | 'intact' | 'signed' | 'anchored' | 'witnessed'

/** The result of comparing an anchor with the ledger. */
export interface AnchorReport {
  readonly kind: 'checkpoint' | 'receipt' | 'state'
  /** Number of entries that the anchor covers. */
  readonly size: number
  /** Position of the receipt's entry; null for other evidence. */
  readonly position: number | null
  /** Ids of known keys that signed the anchor's checkpoint. */
  readonly signed_by: readonly string[]
  readonly holds: boolean
}

/** A stop that has not been ended: no call that it covers was allowed after it. */
export interface StopReport {
  readonly stop_id: string
  readonly position: number
  readonly scope: StopScope
  /**
   * Number of allowed calls without an outcome before the stop. A stop does not end calls that are already allowed;
   * calls whose process died are counted, too.
   */
  readonly in_flight: number
}

export interface Report {
  readonly ok: boolean
  readonly verdict: Verdict
  readonly entries: number
  readonly decisions: number
  readonly outcomes: number
  /**
   * Number of allowed decisions without an outcome: the call is still running, or the process crashed during the
   * call.
   */
  readonly open: number
  /** The open stops, in the order of their entries. */
  readonly stops: readonly StopReport[]
  /** Number of questions without a decision: those that may still be answered, and those whose time is over. */
  readonly questions: { readonly open: number; readonly expired: number }
  /**
   * Number of calls that are allowed under an approval, by how it is proven who gave it, and the number of these calls
   * of which something is recorded as something other than itself, such as a replaced secret.
   */
  readonly approvals: {
    readonly signed: { readonly webauthn: number; readonly sshsig: number; readonly ed25519: number }
    readonly asserted: number
    readonly redacted: number
  }
  /** The origin of the trust in the keys of the approvers; null if no approval is signed. */
  readonly approvers_by: 'your keys' | 'your registrar' | 'operator' | null
  /** Number of stops that were ended, by how the end is proven. */
  readonly resumes: { readonly signed: number; readonly operator: number }
  /** Number of control entries of kinds that this version does not know; their rules were not checked. */
  readonly controls_unknown: number
  /** The first 100 open calls. Each open call may have run. */
  readonly open_calls: readonly ListedCall[]
  readonly signed_entries: number
  /** Name of the log; null if the first entry cannot be read. */
  readonly origin: string | null
  /** The end of the ledger as read by the walk. `root` is in base64, or null after an unreadable entry. */
  readonly head: { readonly size: number; readonly entry_hash: Hash | null; readonly root: string | null }
  /**
   * The checkpoint stored with the ledger, and the ids of known keys that signed it; null if there is no readable
   * checkpoint.
   */
  readonly checkpoint: { readonly size: number; readonly signed_by: readonly string[] } | null
  /** Number of entries after the last matching checkpoint from any source. */
  readonly tail: number
  readonly anchors: readonly AnchorReport[]
  /** Number of entries that the largest matching anchor covers; null if there is no matching anchor. */
  readonly anchored_to: number | null
  /** The largest matching checkpoint that the quorum cosigned, and the names of the witnesses. */
  readonly witnesses: { readonly size: number; readonly names: readonly string[] } | null
  /**
   * Number of entries that the largest checkpoint cosigned by the quorum covers; null if there is no such checkpoint.
   */
  readonly witnessed_to: number | null
  /** Position of the entry after which this run resumed; null if the run started with the first entry. */
  readonly resumed_from: number | null
  /** Whether the ledger has a `closed` entry. */
  readonly closed: boolean
  readonly first_created_at: string | null
  readonly last_created_at: string | null
  /**
   * Number of call entries whose `created_at` is more than a minute after `recorded_at`, which shows that clocks
   * disagreed.
   */
  readonly created_after_recorded: number
  /**
   * Number of lines in this run that the fast recogniser did not accept, because they differ from the form in which
   * this package writes calls.
   */
  readonly read_in_full: number
  /**
   * Key ids: the keys that entries name, the keys that the caller gave, and the active and retired keys of the
   * ledger.
   */
  readonly keys: {
    readonly in_ledger: readonly string[]
    readonly given: readonly string[]
    readonly active: readonly string[]
    readonly retired: readonly string[]
  }
  /**
   * The first findings in ledger order, then the findings about the whole ledger. `findings_total` counts all
   * findings.
   */
  readonly findings: readonly Finding[]
  readonly findings_total: number
  /** Conditions that do not change the verdict, such as objects in a database file that do not belong in a ledger. */
  readonly warnings: readonly Warning[]
}
