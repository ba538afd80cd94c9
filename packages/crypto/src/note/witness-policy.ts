/**
 * Witness policies (https://c2sp.org/tlog-policy): the known logs, the witnesses, and the quorum of witnesses
 * required to trust a checkpoint.
 *
 *     # two of ours, and one of theirs
 *     log example.com/log+3ed2a8c6+AYqI...
 *     witness ours-1 witness.example/w1+1c7f...+BMqT... https://witness.example/w1
 *     witness ours-2 witness.example/w2+9a02...+BOw1...
 *     witness theirs other.example/w+77d0...+BEmx...
 *     group ours any ours-1 ours-2
 *     group both all ours theirs
 *     quorum both
 *
 * Lines end in a line feed, items are separated by spaces and tabs, and comments are on separate lines. Names are
 * local to the file and are compared byte by byte, without normalisation. A line may refer only to earlier lines,
 * so cycles are impossible. A name may be a member of only one group, so each witness counts only once.
 */
import { bytesEqual, isBytes } from '../bytes/bytes.js'
import { parseDecimal } from '../bytes/decimal.js'
import { CryptoError } from '../error.js'
import type { SignatureProvider } from '../key/signature.js'
import { createCosignatureVerifier } from './cosignature.js'
import type { NoteVerifier, VerifiedSignature } from './note.js'
import { type NoteKey, type NoteKeyType, parseVkey } from './note-key.js'
import { noteBytes } from './note-text.js'

/** A log or witness: its key and its address. The address is not validated. */
export interface PolicyParty {
  readonly key: NoteKey
  readonly url: string | null
}

/** A group of witnesses. The group has witnessed a checkpoint if at least `threshold` of its members have. */
export interface PolicyGroup {
  /** From 1 to the number of members. */
  readonly threshold: number
  /** The names of witnesses and groups. None of these names is a member of another group. */
  readonly members: readonly string[]
}

/** A parsed and validated policy. */
export interface WitnessPolicy {
  /**
   * The known logs. May be empty if the log is known from a different source. The name of each key is the origin of
   * the log.
   */
  readonly logs: readonly PolicyParty[]
  /** The witnesses by policy name, which differs from the key name. No two witnesses share a key. */
  readonly witnesses: ReadonlyMap<string, PolicyParty>
  readonly groups: ReadonlyMap<string, PolicyGroup>
  /**
   * The witness or group that must have witnessed the checkpoint. Null for `quorum none`, which does not require
   * any witness.
   */
  readonly quorum: string | null
}

/** The policy name of a witness, and the verifier for its signatures. */
export interface PolicyVerifier {
  readonly name: string
  readonly verifier: NoteVerifier
}

/**
 * The maximum size of a policy in bytes: four times the size of a policy with 100 logs, witnesses and groups that
 * have long names and addresses.
 */
const POLICY_BYTES_MAX = 256 * 1024

/**
 * The maximum number of lines: more than ten times the maximum number of definitions, to allow comments and empty
 * lines.
 */
const LINES_MAX = 4096

/**
 * The maximum number of logs, of witnesses and of groups. C2SP requires support for 32 of each. A note has at most
 * 100 signatures, and checking each key costs a scalar multiplication.
 */
const DEFINITIONS_MAX = 100

const NONE = 'none'
const FORBIDDEN = /[^\t\n\x20-\x7e\u0080-\u{10ffff}]/u
const BLANK = /[ \t]+/

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Parses a witness policy.
 *
 * @param text - the policy as UTF-8 bytes or as a decoded string. Bytes that are not UTF-8 are refused, although
 *   C2SP allows them in names.
 * @throws CryptoError `POLICY_INVALID` with the line number, for a threshold of 0 or above the number of members, a
 *   duplicate name or key, a key shared by a log and a witness, a member that is unknown, already in a group or
 *   defined on a later line, a missing or second quorum, a control character, or a missing final line feed (all
 *   refused by C2SP); also for two keys with the same name and key hash, and for a policy above 256 KiB, 4096
 *   lines, or 100 logs, witnesses or groups
 * @example
 * const policy = parseWitnessPolicy(await readFile('witnesses.policy'))
 */
export function parseWitnessPolicy(text: Uint8Array | string): WitnessPolicy {
  const draft: Draft = { logs: [], witnesses: new Map(), groups: new Map(), grouped: new Set(), quorum: undefined }
  const lines = readLines(text)
  for (const [i, line] of lines.entries()) {
    const [keyword, ...items] = line.split(BLANK).filter((item) => item !== '')
    if (keyword === undefined || keyword.startsWith('#')) continue
    const fault = readDefinition(draft, keyword, items)
    if (fault !== null) throw invalid(`line ${i + 1} of the policy ${fault}`)
  }
  const { logs, witnesses, groups, quorum } = draft
  if (quorum === undefined) {
    throw invalid(`the policy has no quorum after line ${lines.length}`, 'add a last line: quorum <name>')
  }
  return { logs, witnesses, groups, quorum }
}

/**
 * Reports whether the given witnesses reach the quorum of a policy. With `quorum none`, even an empty set reaches
 * the quorum: before calling a checkpoint "witnessed", also check that `policy.quorum` is not null.
 *
 * @param names - the policy names of the witnesses with valid cosignatures (`cosignerNames`). Unknown names are
 *   ignored.
 */
export function quorumReached(policy: WitnessPolicy, names: ReadonlySet<string>): boolean {
  // The recursion depth is at most the number of groups, and each member is visited once.
  const isWitnessed = (name: string): boolean => {
    const group = policy.groups.get(name)
    if (group === undefined) return policy.witnesses.has(name) && names.has(name)
    return group.members.filter(isWitnessed).length >= group.threshold
  }
  return policy.quorum === null || isWitnessed(policy.quorum)
}

/**
 * Creates verifiers for all witnesses in a policy, for `openCheckpoint` and `openTlogProof`.
 *
 * @example
 * const witnesses = policyVerifiers(policy)
 * const { cosignatures } = openCheckpoint(signed, logs, witnesses.map(({ verifier }) => verifier))
 * quorumReached(policy, cosignerNames(witnesses, cosignatures))
 */
export function policyVerifiers(policy: WitnessPolicy, provider?: SignatureProvider): PolicyVerifier[] {
  return [...policy.witnesses].map(([name, { key }]) => ({ name, verifier: createCosignatureVerifier(key, provider) }))
}

/** Returns the policy names of the witnesses with verified cosignatures. */
export function cosignerNames(
  witnesses: readonly PolicyVerifier[],
  cosignatures: readonly VerifiedSignature[],
): ReadonlySet<string> {
  const signed = witnesses.filter((witness) => cosignatures.some(({ verifier }) => verifier === witness.verifier))
  return new Set(signed.map(({ name }) => name))
}

interface Draft {
  readonly logs: PolicyParty[]
  readonly witnesses: Map<string, PolicyParty>
  readonly groups: Map<string, PolicyGroup>
  /** All names that are members of a group. */
  readonly grouped: Set<string>
  /** Undefined until the quorum line has been read. */
  quorum: string | null | undefined
}

/** Adds the definition on one line. Returns null, or the fault as a phrase to append to "line 7 of the policy ". */
function readDefinition(draft: Draft, keyword: string, items: readonly string[]): string | null {
  if (keyword === 'log') return readLog(draft, items)
  if (keyword === 'witness') return readWitness(draft, items)
  if (keyword === 'group') return readGroup(draft, items)
  if (keyword === 'quorum') return readQuorum(draft, items)
  return 'does not start with `log`, `witness`, `group`, `quorum` or `#`'
}

function readLog(draft: Draft, [vkey, url, ...rest]: readonly string[]): string | null {
  if (vkey === undefined || rest.length > 0) return 'does not have the form: log <vkey> [<url>]'
  if (draft.logs.length >= DEFINITIONS_MAX) return `exceeds the limit of ${DEFINITIONS_MAX} logs`
  const key = readKey(vkey, 'ed25519', draft.logs, [...draft.witnesses.values()])
  if (typeof key === 'string') return key
  draft.logs.push({ key, url: url ?? null })
  return null
}

function readWitness(draft: Draft, [name, vkey, url, ...rest]: readonly string[]): string | null {
  if (name === undefined || vkey === undefined || rest.length > 0)
    return 'does not have the form: witness <name> <vkey> [<url>]'
  if (draft.witnesses.size >= DEFINITIONS_MAX) return `exceeds the limit of ${DEFINITIONS_MAX} witnesses`
  if (isTaken(draft, name)) return 'uses a name that is already taken'
  const key = readKey(vkey, 'cosignature', [...draft.witnesses.values()], draft.logs)
  if (typeof key === 'string') return key
  draft.witnesses.set(name, { key, url: url ?? null })
  return null
}

function readGroup(draft: Draft, [name, count, ...members]: readonly string[]): string | null {
  if (name === undefined || count === undefined || members.length === 0) {
    return 'does not have the form: group <name> <number>|all|any <members>'
  }
  if (draft.groups.size >= DEFINITIONS_MAX) return `exceeds the limit of ${DEFINITIONS_MAX} groups`
  if (isTaken(draft, name)) return 'uses a name that is already taken'
  for (const member of members) {
    if (!isDefined(draft, member)) return 'has a member that is not defined on an earlier line'
    if (draft.grouped.has(member)) return 'has a member that is already in a group'
    draft.grouped.add(member)
  }
  const threshold = count === 'any' ? 1 : count === 'all' ? members.length : parseDecimal(count)
  if (threshold === null) return 'has a threshold other than a decimal number, `all` or `any`'
  if (threshold < 1 || threshold > members.length) return `has a threshold outside the range 1 to ${members.length}`
  draft.groups.set(name, { threshold, members })
  return null
}

function readQuorum(draft: Draft, [name, ...rest]: readonly string[]): string | null {
  if (name === undefined || rest.length > 0) return 'does not have the form: quorum <name>'
  if (draft.quorum !== undefined) return 'defines a second quorum'
  if (name !== NONE && !isDefined(draft, name)) return 'names a quorum that is not defined on an earlier line'
  draft.quorum = name === NONE ? null : name
  return null
}

const isDefined = (draft: Draft, name: string): boolean => draft.witnesses.has(name) || draft.groups.has(name)
const isTaken = (draft: Draft, name: string): boolean => name === NONE || isDefined(draft, name)

/** Parses a vkey and checks that its key is not already used. Returns the key or the fault. */
function readKey(
  vkey: string,
  type: NoteKeyType,
  others: readonly PolicyParty[],
  otherKind: readonly PolicyParty[],
): NoteKey | string {
  const key = parseKey(vkey)
  if (typeof key === 'string') return `has an invalid key: ${key}`
  if (key.type !== type) {
    return type === 'ed25519' ? "uses a witness's key for a log" : "uses a log's key for a witness"
  }
  const isKeyOf = (other: PolicyParty): boolean => bytesEqual(other.key.publicKey.bytes, key.publicKey.bytes)
  if (others.some(isKeyOf)) return 'repeats a public key'
  // A log cannot witness itself.
  if (otherKind.some(isKeyOf)) return 'uses one public key for a log and a witness'
  // The key hash has only 32 bits, so collisions are easy to find. Signatures by two keys with the same name and
  // key hash could not be distinguished.
  if (others.some((other) => other.key.name === key.name && other.key.keyHash === key.keyHash)) {
    return 'has a key with the same name and key hash as an earlier key'
  }
  return key
}

function parseKey(vkey: string): NoteKey | string {
  try {
    return parseVkey(vkey)
  } catch (error) {
    if (error instanceof CryptoError) return error.message
    throw error
  }
}

function readLines(input: Uint8Array | string): string[] {
  if (typeof input !== 'string' && !isBytes(input)) throw new TypeError('text must be a string or a Uint8Array')
  if (input.length > POLICY_BYTES_MAX) throw tooLong()
  const text = typeof input === 'string' ? input : decode(input)
  if (!text.isWellFormed()) throw invalid('the policy contains a lone surrogate')
  if (noteBytes(text).length > POLICY_BYTES_MAX) throw tooLong()
  const lines = text.split('\n', LINES_MAX + 2)
  if (lines.length > LINES_MAX + 1) throw invalid(`the policy has more than ${LINES_MAX} lines`)
  const bad = lines.findIndex((line) => FORBIDDEN.test(line))
  if (bad >= 0) {
    const fault = lines[bad]?.endsWith('\r') ? 'ends in a carriage return' : 'contains a control character'
    throw invalid(`line ${bad + 1} of the policy ${fault}`, 'end each line with only a line feed (LF)')
  }
  if (lines.pop() !== '') throw invalid(`line ${lines.length + 1} of the policy does not end in a line feed`)
  return lines
}

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw invalid('the policy is not UTF-8')
  }
}

const tooLong = (): CryptoError => invalid(`the policy is longer than ${POLICY_BYTES_MAX} bytes`)

const invalid = (message: string, hint?: string): CryptoError => new CryptoError('POLICY_INVALID', message, hint)
