// Encodes and parses the saved state of a verification, from which the next run resumes. A state is one line of JSON.
// The next run trusts the state, so store the file where the ledger's writer cannot change it.
//
//   {"kind":"sudoagent/verified-state","version":3,"origin":"sudoagent.dev/ledger/94ee…","size":4096,
//    "entry_hash":"5f1b…","root":"rKbD…","frontier":"AAAAAAAAEAC…","recorded_at":"2026-…Z",
//    "created_at":["2026-…Z","2026-…Z"],"counts":{"decisions":2048,…},
//    "keys":{"given":["8708…"],"trusted":["8708…"],"named":["8708…"]},
//    "ring":{"entries_signed":true,"genesis":true,"closed_at":null,
//     "keys":[{"key_id":"8708…","pem":"…","added_at":1,"retired_at":null,"added_by":null}]},
//    "open":[[4095,"083a0f8c-…","0566c2b9…","2026-…Z","bot"]],
//    "stops":[["1f0d…",4001,{"agent":"billing-*"},3]],"resumes":0,
//    "checkpoint":"sudoagent.dev/ledger/94ee…\n4096\n…\n\n— …\n"}
//
// Parsing is strict: only the exact output of `encodeState` is accepted.
import { CryptoError, type Hash, isHash, parsePublicKey } from '@sudoagent/crypto'
import { decodeBase64, decodeUtf8, encodeBase64 } from '@sudoagent/crypto/bytes'
import { isStopScope } from '@sudoagent/crypto/entry'
import { parseJson } from '@sudoagent/crypto/json'
import { encodeFrontier, type Frontier, frontierRoot, parseFrontier } from '@sudoagent/crypto/tree'
import { normalScope } from '../authority/stop-scope.js'
import { isOrigin } from '../entry/control.js'
import { isTimestamp } from '../entry/timestamp.js'
import { LedgerError } from '../error.js'
import {
  LEDGER_KEYS_MAX,
  NAME_LENGTH_MAX,
  PUBLIC_KEYS_MAX,
  QUESTIONS_MAX,
  REPORT_KEYS_MAX,
  REQUEST_ID_LENGTH_MAX,
  STATE_BYTES_MAX,
  STATE_CALLS_MAX,
  STOPS_MAX,
} from '../limits.js'
import type { KeyRing, RingKey } from '../rules/key-ring.js'
import type { OpenCall } from '../rules/lifecycle.js'
import { questionFields, questionOf } from '../standing/question-fields.js'
import type { OpenQuestion } from '../standing/questions.js'
import type { WalkedStop } from '../standing/stop-walk.js'
import {
  Fields,
  type Is,
  invalid,
  isAnything,
  isBoolean,
  isCount,
  isKeyId,
  isPosition,
  isText,
  orNull,
} from './state-fields.js'
import { type GivenKey, publicKeyOf } from './trust.js'
import { readUnverifiedCheckpoint } from './unverified-checkpoint.js'

/** Counts of entries so far. */
export interface EntryCounts {
  readonly decisions: number
  readonly outcomes: number
  readonly signed: number
  /** Entries that are signed by a trusted key. */
  readonly trusted: number
  /** Call entries whose `created_at` is well after `recorded_at`. */
  readonly createdLate: number
  /** Calls that are allowed under an approval, and those of them with something redacted. */
  readonly approved: number
  readonly approvedRedacted: number
  /** Control entries of kinds that this version does not know. */
  readonly controlsUnknown: number
}

export const NO_COUNTS: EntryCounts = {
  decisions: 0,
  outcomes: 0,
  signed: 0,
  trusted: 0,
  createdLate: 0,
  approved: 0,
  approvedRedacted: 0,
  controlsUnknown: 0,
}

/** The state of a ledger after `size` entries, which were verified without findings. */
export interface VerifiedState {
  readonly entryHash: Hash
  /** The tree of the first `size` entries. */
  readonly size: number
  readonly frontier: Frontier
  /** The latest `recorded_at`; null if no entry has that member. */
  readonly recordedAt: string | null
  readonly createdAt: readonly [first: string | null, last: string | null]
  readonly counts: EntryCounts
  readonly ring: KeyRing
  /** Ids of the keys that the caller gave, the keys that were trusted at the end, and the keys that entries named. */
  readonly given: readonly string[]
  readonly trusted: readonly string[]
  readonly named: readonly string[]
  readonly openCalls: readonly OpenCall[]
  readonly stops: readonly WalkedStop[]
  /** Number of resumes that ended a stop. */
  readonly resumes: number
  /** The questions that are open, and the number of those that expired. */
  readonly questions: readonly OpenQuestion[]
  readonly questionsExpired: number
  /** The text of the stored head. */
  readonly checkpoint: string | null
}

const KIND = 'sudoagent/verified-state'
const VERSION = 3

/**
 * Encodes a state, with a final line feed.
 *
 * @throws LedgerError STATE_REFUSED if more than 100,000 calls are open, since the state lists every open call
 */
export function encodeState(state: VerifiedState): string {
  const { ring, counts, openCalls } = state
  if (openCalls.length > STATE_CALLS_MAX) {
    throw new LedgerError('STATE_REFUSED', `the state cannot be saved: ${openCalls.length} calls have no outcome`, {
      hint: `a state lists at most ${STATE_CALLS_MAX} open calls; verify the whole ledger each time`,
    })
  }
  const fields = {
    kind: KIND,
    version: VERSION,
    origin: ring.origin,
    size: state.size,
    entry_hash: state.entryHash,
    root: encodeBase64(frontierRoot(state.frontier)),
    frontier: encodeBase64(encodeFrontier(state.frontier)),
    recorded_at: state.recordedAt,
    created_at: state.createdAt,
    counts: {
      decisions: counts.decisions,
      outcomes: counts.outcomes,
      signed: counts.signed,
      trusted: counts.trusted,
      created_late: counts.createdLate,
      approved: counts.approved,
      approved_redacted: counts.approvedRedacted,
      controls_unknown: counts.controlsUnknown,
    },
    keys: { given: state.given, trusted: state.trusted, named: state.named },
    ring: {
      entries_signed: ring.entriesSigned,
      genesis: ring.hasGenesis,
      closed_at: ring.closedAt,
      keys: [...ring.keys].map(([key_id, { publicKey, addedAt, retiredAt, addedBy }]) => ({
        key_id,
        pem: publicKey.pem,
        added_at: addedAt,
        retired_at: retiredAt,
        added_by: addedBy,
      })),
    },
    open: openCalls.map((call) => [call.position, call.requestId, call.decisionHash, call.createdAt, call.agentId]),
    stops: state.stops.map(({ stopId, position, scope, inFlight }) => [stopId, position, normalScope(scope), inFlight]),
    resumes: state.resumes,
    questions: state.questions.map(questionFields),
    questions_expired: state.questionsExpired,
    checkpoint: state.checkpoint,
  }
  return `${JSON.stringify(fields)}\n`
}

/**
 * Parses a state. A state is not signed, so the caller must ensure that it is authentic.
 *
 * @throws LedgerError STATE_INVALID for text that `encodeState` cannot have written
 */
export function parseState(text: string | Uint8Array): VerifiedState {
  if (text.length > STATE_BYTES_MAX) throw invalid('is too long')
  try {
    const whole = typeof text === 'string' ? text : decodeUtf8(text)
    const state = readState(new Fields(parseJson(whole)))
    if (encodeState(state) !== whole) throw invalid('is not in the form that this program writes')
    return state
  } catch (error) {
    if (error instanceof CryptoError) throw invalid(`cannot be read: ${error.message}`)
    throw error
  }
}

function readState(fields: Fields): VerifiedState {
  if (fields.get('kind', isText) !== KIND) throw invalid('is not a saved state')
  if (fields.get('version', isCount) !== VERSION) throw invalid('was written by another version of this program')
  const size = fields.get('size', isPosition)
  const counts = fields.object('counts')
  const keys = fields.object('keys')
  const isRef = (value: unknown): value is number => isPosition(value) && value <= size
  const frontier = parseFrontier(decodeBase64(fields.get('frontier', isText)) ?? new Uint8Array())
  if (frontier.size !== size) throw invalid('contradicts itself')
  return {
    size,
    frontier,
    entryHash: fields.get('entry_hash', isHash),
    recordedAt: fields.get('recorded_at', orNull(isTimestamp)),
    createdAt: readPair(fields.list('created_at', 2, orNull(isTimestamp))),
    counts: {
      decisions: counts.get('decisions', isCount),
      outcomes: counts.get('outcomes', isCount),
      signed: counts.get('signed', isCount),
      trusted: counts.get('trusted', isCount),
      createdLate: counts.get('created_late', isCount),
      approved: counts.get('approved', isCount),
      approvedRedacted: counts.get('approved_redacted', isCount),
      controlsUnknown: counts.get('controls_unknown', isCount),
    },
    ring: readRing(fields.object('ring'), fields.get('origin', isOrigin), isRef),
    given: keys.list('given', PUBLIC_KEYS_MAX, isKeyId),
    trusted: keys.list('trusted', PUBLIC_KEYS_MAX + LEDGER_KEYS_MAX, isKeyId),
    named: keys.list('named', REPORT_KEYS_MAX, isKeyId),
    openCalls: fields.list('open', STATE_CALLS_MAX, Array.isArray).map((call) => readCall(call, isRef)),
    stops: fields.list('stops', 2 * STOPS_MAX, Array.isArray).map((stop) => readStop(stop, isRef)),
    resumes: fields.get('resumes', isCount),
    questions: fields.list('questions', QUESTIONS_MAX, Array.isArray).map((list) => readQuestion(list, size)),
    questionsExpired: fields.get('questions_expired', isCount),
    checkpoint: readCheckpointText(fields.get('checkpoint', orNull(isText))),
  }
}

function readRing(fields: Fields, origin: string, isRef: Is<number>): KeyRing {
  const keys = fields.list('keys', LEDGER_KEYS_MAX, isAnything).map((value): [string, RingKey] => {
    const key = new Fields(value)
    const publicKey = parsePublicKey(key.get('pem', isText))
    if (publicKey.keyId !== key.get('key_id', isKeyId)) throw invalid('contradicts itself')
    const [addedAt, retiredAt] = [key.get('added_at', isRef), key.get('retired_at', orNull(isRef))]
    return [publicKey.keyId, { publicKey, addedAt, retiredAt, addedBy: key.get('added_by', orNull(isKeyId)) }]
  })
  return {
    origin,
    entriesSigned: fields.get('entries_signed', isBoolean),
    hasGenesis: fields.get('genesis', isBoolean),
    keys: new Map(keys),
    closedAt: fields.get('closed_at', orNull(isRef)),
  }
}

function readCall(call: readonly unknown[], isRef: Is<number>): OpenCall {
  const [position, requestId, decisionHash, createdAt, agentId, ...rest] = call
  const fits =
    isRef(position) &&
    isText(requestId) &&
    requestId.length <= REQUEST_ID_LENGTH_MAX &&
    isHash(decisionHash) &&
    isTimestamp(createdAt) &&
    isText(agentId) &&
    agentId.length <= NAME_LENGTH_MAX
  if (!fits || rest.length > 0) throw invalid('has an invalid open call')
  return { position, requestId, decisionHash, createdAt, agentId }
}

function readStop(stop: readonly unknown[], isRef: Is<number>): WalkedStop {
  const [stopId, position, scope, inFlight, ...rest] = stop
  const fits = isText(stopId) && isRef(position) && isStopScope(scope) && isCount(inFlight)
  if (!fits || rest.length > 0) throw invalid('has an invalid open stop')
  return { stopId, position, scope, inFlight }
}

function readQuestion(list: readonly unknown[], size: number): OpenQuestion {
  const question = questionOf(list)
  if (question === null || question.position > size) throw invalid('has an invalid open question')
  return question
}

function readCheckpointText(text: string | null): string | null {
  return text === null ? null : readUnverifiedCheckpoint(text).text
}

const readPair = ([first = null, last = null]: readonly (string | null)[]): [string | null, string | null] => [
  first,
  last,
]

/** Whether a run with these keys may use this state: every key that was given to the earlier run must be trusted. */
export function areKeysOf({ given }: VerifiedState, publicKeys: readonly GivenKey[]): boolean {
  const ids = new Set<string>(publicKeys.map((key) => publicKeyOf(key).keyId))
  return given.length > 0 === ids.size > 0 && given.every((id) => ids.has(id))
}
