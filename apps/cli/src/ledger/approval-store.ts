// Opens an approval store for one command while the engine also uses the store.
import { statSync } from 'node:fs'
import { type ApprovalStore, ApprovalStoreError } from '@sudoagent/core'
import { SqliteApprovalStore } from '@sudoagent/core/sqlite'
import { SHOWN_CALL_DIFFERS } from '@sudoagent/core/terminal'
import { LedgerError } from '@sudoagent/ledger'
import { NATIVE_MODULE_HINT, nativeModuleProblem } from '@sudoagent/ledger/sqlite-file'
import { CliError, EXIT } from '../exit.js'
import { errnoHint, errnoOf, errnoWords } from '../terminal/errno.js'
import { isServer } from './password-url.js'

/** Whether to open a file that users other than its owner can write to. */
export interface StoreAccess {
  readonly allowOtherWriters?: boolean | undefined
}

export const CHANGED_STORE_HINT =
  'another program changed the request in the store: find out who can write to the store, and repeat the call'

/**
 * Opens the store, a file or a URL (`postgres://…`), passes it to `use`, and closes it.
 *
 * @throws CliError if the store does not exist, is not an approval store or fails; with exit code 1 if a question in it
 *   does not show the call that its hashes cover; any error from `use`
 */
export async function withApprovals<T>(
  place: string,
  { allowOtherWriters = false }: StoreAccess,
  use: (store: ApprovalStore) => Promise<T>,
): Promise<T> {
  const store = isServer(place) ? await openOnServer(place) : openFile(place, allowOtherWriters)
  try {
    return await use(store)
  } catch (error) {
    if (!(error instanceof ApprovalStoreError) || error.code !== 'APPROVAL_STORE_FAILED') throw error
    // The store has computed the hashes of a question again.
    if (error.cause instanceof Error && error.cause.message === SHOWN_CALL_DIFFERS)
      throw new CliError(EXIT.no, `nothing changed: ${SHOWN_CALL_DIFFERS}`, CHANGED_STORE_HINT, error)
    throw new CliError(EXIT.failed, error.message, 'try again when the other process has finished', error)
  } finally {
    await store.close()
  }
}

async function openOnServer(url: string): Promise<ApprovalStore> {
  const { PostgresApprovalStore } = await import('@sudoagent/postgres')
  try {
    return await PostgresApprovalStore.open(url)
  } catch (error) {
    if (!(error instanceof ApprovalStoreError)) throw error
    throw new CliError(EXIT.failed, error.message, 'run `sudoagent postgres check`', error)
  }
}

function requireFile(path: string): void {
  try {
    if (statSync(path).isFile()) return
  } catch (error) {
    const hint = errnoOf(error) === 'ENOENT' ? 'check the path of the approval store' : errnoHint(error)
    throw new CliError(EXIT.failed, `approval store \`${path}\` cannot be read: ${errnoWords(error)}`, hint, error)
  }
  throw new CliError(
    EXIT.failed,
    `approval store \`${path}\` is not a file`,
    'give the SQLite file of the approval store',
  )
}

function openFile(path: string, allowOtherWriters: boolean): SqliteApprovalStore {
  requireFile(path)
  try {
    return SqliteApprovalStore.openExisting(path, { allowOtherWriters })
  } catch (error) {
    if (!(error instanceof ApprovalStoreError || error instanceof TypeError)) throw error
    const hint = accessAdvice(error) ?? 'give the SQLite file that the engine uses as its approval store'
    throw new CliError(EXIT.failed, error.message, hint, error)
  }
}

/**
 * Returns a hint for a store that cannot be opened. The hint names the command line option; the store's message names
 * the library option.
 *
 * @returns undefined if the cause is not the file mode, the file content or the native module
 */
export function accessAdvice(error: unknown): string | undefined {
  if (nativeModuleProblem(error) !== null) return NATIVE_MODULE_HINT
  if (error instanceof LedgerError && error.code.startsWith('FILE_'))
    return error.hint?.replace('open the store with `allowOtherWriters: true`', 'give --allow-other-writers')
  return error instanceof Error && error.cause !== undefined ? accessAdvice(error.cause) : undefined
}
