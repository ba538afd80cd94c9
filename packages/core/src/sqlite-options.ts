// Defines the options of every SQLite store. The options are in a separate file because `index` entries export them:
// the declarations must not refer to the types of better-sqlite3, which users do not have installed.
import { readFields, requireInteger } from './check.js'

/**
 * The default time limit for waiting for the transaction of a different process. Our transactions take milliseconds.
 * The wait blocks the event loop.
 */
export const BUSY_TIMEOUT_MS_DEFAULT = 5_000

/** The maximum time limit. A longer wait would look like a hang. */
export const BUSY_TIMEOUT_MS_MAX = 60_000

export interface SqliteStoreOptions {
  /** The maximum time to wait for the transaction of a different process, in milliseconds, 0…60,000. Default: 5,000. */
  readonly busyTimeoutMs?: number
  /**
   * Whether to accept a file that users other than its owner can write to. Default: false, because these users could
   * approve every call or delete every charge.
   */
  readonly allowOtherWriters?: boolean
}

/** @throws TypeError for unknown or invalid options */
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
