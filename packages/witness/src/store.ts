/** The largest checkpoint of a log that a witness cosigned. */
export interface StoredCheckpoint {
  readonly size: number
  /** 32 bytes. */
  readonly root: Uint8Array
  /** The checkpoint as signed by the log. */
  readonly note: string
  /** Time of the last cosignature, in whole seconds since 1970; 0 if an earlier release did not store it. */
  readonly time: number
}

/**
 * The store of a witness. It is what prevents the witness from cosigning two histories of a log, so a stored
 * checkpoint must be durable and is never replaced by a smaller one.
 */
export interface WitnessStore {
  /** The stored checkpoint of an origin, or null. Rejects if it cannot be read. */
  read(origin: string): Promise<StoredCheckpoint | null>
  /**
   * Stores a checkpoint if the stored one has the size `oldSize` (0: also if there is none) and no later `time`
   * than `next`. The comparison and the change are atomic across processes.
   *
   * @returns whether it is durably stored. Rejects if this is unknown; then no cosignature may be given.
   * @throws RangeError (as a rejection) if `next` is smaller than `oldSize` or has an invalid time
   */
  swap(origin: string, oldSize: number, next: StoredCheckpoint): Promise<boolean>
  close(): Promise<void>
}

/** @throws RangeError for a change that would shrink a log or has no valid time */
export function requireGrowth(oldSize: number, next: StoredCheckpoint): void {
  if (next.size < oldSize) throw new RangeError('a stored log must not shrink')
  if (!isTime(next.time)) throw new RangeError('the time of a cosignature must be in whole seconds since 1970')
}

/** Whether a number is a time in whole seconds since 1970. */
export const isTime = (seconds: number): boolean => Number.isSafeInteger(seconds) && seconds >= 0

/** Whether a checkpoint may replace the stored one, for a store that compares and changes atomically. */
export function mayReplace(stored: StoredCheckpoint | null, oldSize: number, next: StoredCheckpoint): boolean {
  return (stored?.size ?? 0) === oldSize && (stored?.time ?? 0) <= next.time
}
