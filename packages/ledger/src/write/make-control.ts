// Makes the control entries that a caller asks for. A block is made under the ledger's lock, because it depends on the
// entries before it: two processes that stop the same calls at the same time write one stop.

import type { Signer } from '@sudoagent/crypto'
import { isStopScope, type Stop, type StopScope } from '@sudoagent/crypto/entry'
import { normalScope } from '../authority/stop-scope.js'
import { type ControlBlock, makeKeyAdded } from '../entry/control.js'
import { LedgerError } from '../error.js'
import { CONTROL_BY_LENGTH_MAX, CONTROL_REASON_LENGTH_MAX } from '../limits.js'
import type { ControlNote } from '../port/writer.js'
import type { KeyRing } from '../rules/key-ring.js'
import type { Standing } from '../standing/standing.js'
import { hasRoom, type OpenStop, sameStop } from '../standing/stops.js'
import { signInTime, writeFailed } from './signing.js'

/**
 * Creates the block of a control entry for its position in the ledger.
 *
 * @returns null if there is nothing to record
 */
export type MakeControl = (at: {
  readonly standing: Standing
  readonly signedBy: string | null
  readonly position: number
}) => ControlBlock | null | Promise<ControlBlock | null>

/** The change of a key needs a ledger that has keys. @throws LedgerError ENTRY_REFUSED */
function requireRing({ ring }: Standing): KeyRing {
  if (ring !== null) return ring
  throw new LedgerError('ENTRY_REFUSED', 'the ledger has no entries yet', { hint: 'it starts with the first call' })
}

/** Adds a key. The new key signs a proof of possession, and the writer's own key signs the entry. */
export function addKey(signer: Signer): MakeControl {
  return async ({ standing, signedBy }) => {
    const { origin } = requireRing(standing)
    try {
      const { keyId, publicKey } = signer
      const timed = { keyId, publicKey, sign: (message: Uint8Array) => signInTime(signer, message) }
      return await makeKeyAdded(origin, signedBy ?? '', timed)
    } catch (cause) {
      throw cause instanceof LedgerError ? cause : writeFailed('the new key', cause)
    }
  }
}

/** Retires a key, which may be the key that signs this entry. */
export function retireKey(keyId: string): MakeControl {
  return ({ standing }) => {
    requireRing(standing)
    return { kind: 'key_retired', key_id: keyId }
  }
}

/** Closes the ledger. */
export function sealLedger(): MakeControl {
  return ({ standing, position }) => {
    requireRing(standing)
    return { kind: 'closed', size: position }
  }
}

/** @throws TypeError for an invalid scope, reason or name */
export function stopBlock(scope: StopScope, { reason, by }: ControlNote, stopId: string): Stop {
  const normal = isStopScope(scope) ? normalScope(scope) : null
  if (normal === null || !isStopScope(normal))
    throw new TypeError(
      '`scope` must be { all: true }, or one or more of agent, action, on_behalf_of, tenant, session, each of 1 to 256 characters',
    )
  return { kind: 'stop', stop_id: stopId, scope: normal, ...checkedNote({ reason, by }) }
}

/** Stops calls, unless a stop with the same scope is open. @param found - called with that stop */
export function openStop(block: Stop, found: (stop: OpenStop) => void): MakeControl {
  return ({ standing }) => {
    const same = sameStop(standing.stops, block.scope)
    if (same !== undefined) {
      found(same)
      return null
    }
    if (!hasRoom(standing.stops, block.scope))
      throw new LedgerError('ENTRY_REFUSED', 'the ledger has as many open stops as it can have', {
        hint: 'stop everything with `--all`, or end stops with `sudoagent resume`',
      })
    return block
  }
}

/** Ends a stop. @throws LedgerError STOP_NOT_FOUND if no stop with this id is open; TypeError for an invalid note */
export function endStop(stopId: string, note: ControlNote): MakeControl {
  const checked = checkedNote(note)
  return ({ standing }) => {
    if (!standing.stops.has(stopId))
      throw new LedgerError('STOP_NOT_FOUND', `the ledger has no open stop \`${stopId}\``)
    return { kind: 'resume', stop_id: stopId, ...checked }
  }
}

function checkedNote({ reason, by }: ControlNote): ControlNote {
  const note = { reason: normal('reason', reason), by: normal('by', by) }
  if (note.reason.length > CONTROL_REASON_LENGTH_MAX)
    throw new TypeError(`\`reason\` has more than ${CONTROL_REASON_LENGTH_MAX} characters`)
  if (note.by.length < 1 || note.by.length > CONTROL_BY_LENGTH_MAX)
    throw new TypeError(`\`by\` must have 1 to ${CONTROL_BY_LENGTH_MAX} characters`)
  return note
}

function normal(name: string, text: unknown): string {
  if (typeof text !== 'string' || !text.isWellFormed()) throw new TypeError(`\`${name}\` must be a text`)
  return text.normalize('NFC')
}
