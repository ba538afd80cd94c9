// Finds one approval in a store, by its id or a unique prefix.
import type { ApprovalRecord, ApprovalStore } from '@sudoagent/core'
import { latestEqualUse, SHOWN_CALL_DIFFERS, showsBoundCall } from '@sudoagent/core/terminal'
import { CliError, EXIT } from '../../exit.js'
import { CHANGED_STORE_HINT } from '../../ledger/approval-store.js'
import type { ShownApproval } from '../../text/approval-text.js'

/** Maximum number of approvals that the store lists. */
const APPROVAL_LIST_MAX = 200

/** Minimum length of an id prefix: a shorter prefix is probably a typing mistake. */
const ID_PREFIX_MIN = 4

/**
 * Finds an approval, and computes the hashes of its call again from the values that are shown.
 *
 * @throws CliError with exit code 1 unless exactly one approval matches, and if a hash differs
 */
export async function find(store: ApprovalStore, id: string): Promise<ApprovalRecord> {
  const record = await recordIn(store, id)
  if (showsBoundCall(record)) return record
  throw new CliError(EXIT.no, `nothing changed: ${SHOWN_CALL_DIFFERS}`, CHANGED_STORE_HINT)
}

/** Adds to an approval when an equal call of its agent ran. */
export async function withEqualUse(store: ApprovalStore, record: ApprovalRecord): Promise<ShownApproval> {
  return { record, equalUse: await latestEqualUse(store, record, new Date()) }
}

async function recordIn(store: ApprovalStore, id: string): Promise<ApprovalRecord> {
  // An id longer than the store's limit is treated as unknown, not as an error.
  const record = id === '' || id.length > 128 || !id.isWellFormed() ? undefined : await store.get(id, new Date())
  if (record !== undefined) return record
  const ids = id.length < ID_PREFIX_MIN ? [] : await idsBeginningWith(store, id)
  if (ids.length > 1)
    throw new CliError(EXIT.no, `${ids.length} approvals begin with \`${id}\``, 'give a longer prefix')
  const [only] = ids
  const found = only === undefined ? undefined : await store.get(only, new Date())
  if (found !== undefined) return found
  throw new CliError(EXIT.no, `no approval \`${id}\``, 'run `sudoagent approvals list` to list the approvals')
}

/** Searches only the approvals that `approvals list` shows, and those whose rows were changed: `get` refuses these. */
async function idsBeginningWith(store: ApprovalStore, start: string): Promise<readonly string[]> {
  const changed: string[] = []
  const filter = { limit: APPROVAL_LIST_MAX, onInvalid: (id: string) => void changed.push(id) }
  const records = await store.list(filter, new Date())
  return [...new Set([...records.map(({ approvalId }) => approvalId), ...changed])].filter((id) => id.startsWith(start))
}
