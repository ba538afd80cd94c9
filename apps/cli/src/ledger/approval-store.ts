// An approval store for the length of one command, beside the engine that waits in it.
import { statSync } from 'node:fs'
import { type ApprovalStore, ApprovalStoreError } from '@sudoagent/core'
import { SqliteApprovalStore } from '@sudoagent/core/sqlite'
import { CliError, EXIT } from '../exit.js'
import { errnoHint, errnoOf, errnoWords } from '../terminal/errno.js'
import { isServer } from './password-url.js'

/** Whether a file is opened that users other than its owner can write to. */
export interface StoreAccess {
  readonly allowOtherWriters?: boolean | undefined
}

/**
 * Opens the store at a place, a file or a URL (`postgres://…`), hands it to `use`, and closes it.
 *
 * @throws CliError when it is not there, no approval store, or fails; whatever else `use` throws
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
    throw new CliError(EXIT.failed, error.message, 'try again when the other process is done', error)
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
    throw new CliError(EXIT.failed, error.message, '`sudoagent postgres check` says what the database lacks', error)
  }
}

function requireFile(path: string): void {
  try {
    if (statSync(path).isFile()) return
  } catch (error) {
    const hint = errnoOf(error) === 'ENOENT' ? 'check the path of the approval store' : errnoHint(error)
    throw new CliError(EXIT.failed, `approval store \`${path}\` cannot be read: ${errnoWords(error)}`, hint, error)
  }
  throw new CliError(EXIT.failed, `approval store \`${path}\` is no file`, 'name the SQLite file of the approval store')
}

function openFile(path: string, allowOtherWriters: boolean): SqliteApprovalStore {
  requireFile(path)
  try {
    return SqliteApprovalStore.openExisting(path, { allowOtherWriters })
  } catch (error) {
    if (!(error instanceof ApprovalStoreError || error instanceof TypeError)) throw error
    const { message, hint } = accessAdvice(error.message)
    throw new CliError(
      EXIT.failed,
      message,
      hint ?? 'name the SQLite file that the engine was given as its approval store',
      error,
    )
  }
}

/**
 * A refusal of a store that others can write to, in the terms of the command line: the store names the option of the library.
 *
 * @returns the message as it is, without a hint, for every other refusal
 */
export function accessAdvice(refusal: string): { readonly message: string; readonly hint: string | undefined } {
  const [, message, advice] =
    /^(.*(?:can write to it|can replace it) \(.*?\)): (run `.*`.*?), or open the store with .*$/.exec(refusal) ?? []
  return message === undefined
    ? { message: refusal, hint: undefined }
    : { message, hint: `${advice}, or give --allow-other-writers` }
}
