// Compares a pending call with the caller's own objects, which may have changed since the first step.
import { type Snapshot, sameSnapshot, takeSnapshot } from '../arguments/snapshot.js'
import type { CheckedCallOptions } from '../options.js'
import type { DecisionRequest } from './decision.js'
import { Refusal } from './refusal.js'

/** A pending call: its immutable facts, and the caller's original arguments for the comparison in step five. */
export interface PendingCall {
  readonly request: DecisionRequest
  readonly terms: CheckedCallOptions
  readonly original: readonly unknown[]
  readonly receiver: { readonly value: unknown } | undefined
  readonly snapshot: Snapshot
}

type Unicode = Parameters<typeof takeSnapshot>[1]

/**
 * Step five: reads the caller's arguments again and compares them with the snapshot.
 *
 * @throws Refusal PARAMETERS_CHANGED
 */
export function requireUnchanged({ original, receiver, snapshot }: PendingCall, unicode: Unicode): void {
  let same = false
  let cause: unknown
  try {
    same = sameSnapshot(snapshot, takeSnapshot(original, unicode, receiver))
  } catch (error) {
    cause = error
  }
  if (!same)
    throw new Refusal({ code: 'PARAMETERS_CHANGED', reason: 'the arguments changed after the decision', cause })
}

/** Whether `this` is unchanged, if it is part of the call. */
export function isSameReceiver({ receiver, snapshot }: PendingCall, unicode: Unicode): boolean {
  if (receiver === undefined) return true
  try {
    return sameSnapshot(takeSnapshot([], unicode, receiver), { values: [], receiver: snapshot.receiver })
  } catch {
    // The receiver can no longer be read.
    return false
  }
}
