/** The largest checkpoint of a log that the witness has cosigned. */
export interface StoredCheckpoint {
  readonly size: number
  /** 32 bytes. */
  readonly root: Uint8Array
  /** The checkpoint as signed by the log. */
  readonly note: string
  /** Time of the last cosignature, as Unix time in whole seconds; 0 if an earlier release did not store the time. */
  readonly time: number
}

/**
 * The store of a witness. The store prevents the witness from cosigning two histories of a log. A stored checkpoint
 * must therefore be durable, and must never be replaced by a smaller checkpoint.
 */
export interface WitnessStore {
  /** Returns the stored checkpoint of an origin, or null. Rejects if the checkpoint cannot be read. */
  read(origin: string): Promise<StoredCheckpoint | null>
  /**
   * Stores `next` if the stored checkpoint has the size `oldSize` and its `time` is not later than that of `next`.
   * An `oldSize` of 0 also matches if no checkpoint is stored. The comparison and the change are atomic across
   * processes.
   *
   * @returns whether `next` is durably stored. Rejects if this is unknown; the witness must then not return a
   *   cosignature.
   * @throws RangeError (as a rejection) if `next` is smaller than `oldSize` or has an invalid time
   */
  swap(origin: string, oldSize: number, next: StoredCheckpoint): Promise<boolean>
  close(): Promise<void>
}

/** @throws RangeError if the change would shrink the log or its time is invalid */
export function requireGrowth(oldSize: number, next: StoredCheckpoint): void {
  if (next.size < oldSize) throw new RangeError('a stored log must not shrink')
  if (!isTime(next.time)) throw new RangeError('the time of a cosignature must be a Unix time in whole seconds')
}

/** Whether a number is a Unix time in whole seconds. */
export const isTime = (seconds: number): boolean => Number.isSafeInteger(seconds) && seconds >= 0

/** Whether `next` may replace the stored checkpoint. Used by stores in their atomic comparison and change. */
export function mayReplace(stored: StoredCheckpoint | null, oldSize: number, next: StoredCheckpoint): boolean {
  return (stored?.size ?? 0) === oldSize && (stored?.time ?? 0) <= next.time
}
