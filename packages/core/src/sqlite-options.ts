// Options of every store in a SQLite file. In a file of their own because `index` entries export them: declarations must not lead to the types of
// better-sqlite3, which users do not have installed.
import { readFields, requireInteger } from './check.js'

/** How long a call waits for another process's transaction. Ours take milliseconds; after this something is stuck. The wait blocks the event loop. */
export const BUSY_TIMEOUT_MS_DEFAULT = 5_000

/** Longer than this no caller should stand still; it would look like a hang. */
export const BUSY_TIMEOUT_MS_MAX = 60_000

export interface SqliteStoreOptions {
  /** Milliseconds to wait for another process's transaction, 0…60,000; 5,000 unless given. */
  readonly busyTimeoutMs?: number
  /**
   * Whether users other than the owner may be able to write to the file. Default: false, and such a file is refused: who can write
   * to it can approve every call, or forget every charge.
   */
  readonly allowOtherWriters?: boolean
}

/** @throws TypeError for unknown or wrong options */
export function readStoreOptions(options: unknown): { readonly timeout: number; readonly allowOtherWriters: boolean } {
  const given = readFields('store options', options, ['busyTimeoutMs', 'allowOtherWriters'])
  const timeout = given.get('busyTimeoutMs')
  const allow = given.get('allowOtherWriters')
  if (allow !== undefined && typeof allow !== 'boolean')
    throw new TypeError('`allowOtherWriters` must be true or false')
  return {
    timeout:
      timeout === undefined
        ? BUSY_TIMEOUT_MS_DEFAULT
        : requireInteger('busyTimeoutMs', timeout, 0, BUSY_TIMEOUT_MS_MAX),
    allowOtherWriters: allow ?? false,
  }
}
