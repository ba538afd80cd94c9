/** What a witness remembers of a log: the largest checkpoint that it cosigned. */
export interface StoredCheckpoint {
  readonly size: number
  /** 32 bytes. */
  readonly root: Uint8Array
  /** The checkpoint as the log signed it. */
  readonly note: string
  /** Of its last cosignature, in whole seconds since 1970; 0 where a store of an earlier release did not keep it. */
  readonly time: number
}

/**
 * A witness's memory. It is all that keeps a witness from cosigning two histories of a log, so it must not forget: what
 * is on record is durable, and it never goes back.
 */
export interface WitnessStore {
  /** The checkpoint on record for an origin, or null. Rejects when it cannot be read. */
  read(origin: string): Promise<StoredCheckpoint | null>
  /**
   * Puts a checkpoint on record if the one that is has the size `oldSize` (0: also if there is none) and no later `time`
   * than `next`. The comparison and the change are one step, whoever else asks, from whatever process.
   *
   * @returns whether it is on record, durably. Rejects when nobody can tell: then no one may be told that it is.
   * @throws RangeError (as a rejection) when `next` is smaller than `oldSize`, or has a time that is not one.
   */
  swap(origin: string, oldSize: number, next: StoredCheckpoint): Promise<boolean>
  close(): Promise<void>
}

/** @throws RangeError for a change that would shrink a log, or has no time. */
export function requireGrowth(oldSize: number, next: StoredCheckpoint): void {
  if (next.size < oldSize) throw new RangeError('a log on record must not shrink')
  if (!isTime(next.time)) throw new RangeError('the time of a cosignature must be in whole seconds since 1970')
}

/** Whether a number is a time in whole seconds since 1970. */
export const isTime = (seconds: number): boolean => Number.isSafeInteger(seconds) && seconds >= 0

/** Whether a checkpoint may replace the one on record, for a store that compares and changes in one step. */
export function mayReplace(stored: StoredCheckpoint | null, oldSize: number, next: StoredCheckpoint): boolean {
  return (stored?.size ?? 0) === oldSize && (stored?.time ?? 0) <= next.time
}
