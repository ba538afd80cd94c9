/**
 * Witness policies (https://c2sp.org/tlog-policy): which logs are known, which witnesses, and which of them together are
 * enough to believe a checkpoint.
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
 * A line ends in a line feed, items are apart by spaces and tabs, and a comment takes a line of its own. Names are the
 * file's own, compared octet by octet: nothing is normalised. A line may only use what stands above it, so there is no
 * cycle; a name is a member at most once, so a witness counts in one way.
 */
import { bytesEqual, isBytes } from '../bytes/bytes.js'
import { parseDecimal } from '../bytes/decimal.js'
import { CryptoError } from '../error.js'
import type { SignatureProvider } from '../key/signature.js'
import { createCosignatureVerifier } from './cosignature.js'
import type { NoteVerifier, VerifiedSignature } from './note.js'
import { type NoteKey, type NoteKeyType, parseVkey } from './note-key.js'
import { noteBytes } from './note-text.js'

/** A key with the address behind it, as written: nobody has looked at the address. */
export interface PolicyParty {
  readonly key: NoteKey
  readonly url: string | null
}

/** Witnessed when at least `threshold` of its members are. */
export interface PolicyGroup {
  /** From 1 to the number of members. */
  readonly threshold: number
  /** Names of witnesses and groups, each in no other group. */
  readonly members: readonly string[]
}

/** What `parseWitnessPolicy` found to be sound. */
export interface WitnessPolicy {
  /** Perhaps none, where it is known from elsewhere which log is meant. Each key's name is the log's origin. */
  readonly logs: readonly PolicyParty[]
  /** By their names in the policy, which are not those of their keys. No two of them share a key. */
  readonly witnesses: ReadonlyMap<string, PolicyParty>
  readonly groups: ReadonlyMap<string, PolicyGroup>
  /** The witness or group that must have witnessed; null for `quorum none`: no witness is needed then. */
  readonly quorum: string | null
}

/** The verifier of a witness beside the witness's name in the policy. */
export interface PolicyVerifier {
  readonly name: string
  readonly verifier: NoteVerifier
}

/** A hundred logs, witnesses and groups, all with long names and addresses, take a quarter of this. */
const POLICY_BYTES_MAX = 256 * 1024

/** Ten times as many comments and empty lines as there can be definitions. */
const LINES_MAX = 4096

/**
 * Of logs, of witnesses and of groups. C2SP asks for 32 of each; a note has at most 100 signatures, and to check a key
 * takes a multiplication on the curve.
 */
const DEFINITIONS_MAX = 100

const NONE = 'none'
const FORBIDDEN = /[^\t\n\x20-\x7e\u0080-\u{10ffff}]/u
const BLANK = /[ \t]+/

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads a policy.
 *
 * @param text bytes, or text that was UTF-8. Octets that are no UTF-8 are refused, though C2SP lets them into names.
 * @throws CryptoError `POLICY_INVALID` with the number of the line, for anything that C2SP refuses (a threshold of 0 or
 * above the number of members, a name twice, a key twice, a key of both a log and a witness, a member that is unknown, is in a group already or stands
 * further down, no quorum or two, a control character, a last line without its line feed), for two keys with one name and
 * key hash, and for more than 256 KiB, 4096 lines or 100 logs, witnesses or groups.
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
    throw invalid(`the policy has no quorum after line ${lines.length}`, 'end it with a line: quorum <name>')
  }
  return { logs, witnesses, groups, quorum }
}

/**
 * Whether witnesses are enough for a policy. With `quorum none`, no witness is: whoever says "witnessed" because of this
 * must look at `policy.quorum` too.
 *
 * @param names of the witnesses, in the policy, whose cosignatures hold (`cosignerNames`). Others count for nothing.
 */
export function quorumReached(policy: WitnessPolicy, names: ReadonlySet<string>): boolean {
  // As deep as there are groups, at most; each member is looked at once.
  const isWitnessed = (name: string): boolean => {
    const group = policy.groups.get(name)
    if (group === undefined) return policy.witnesses.has(name) && names.has(name)
    return group.members.filter(isWitnessed).length >= group.threshold
  }
  return policy.quorum === null || isWitnessed(policy.quorum)
}

/**
 * Verifiers of all witnesses of a policy, for `openCheckpoint` and `openTlogProof`.
 *
 * @example
 * const witnesses = policyVerifiers(policy)
 * const { cosignatures } = openCheckpoint(signed, logs, witnesses.map(({ verifier }) => verifier))
 * quorumReached(policy, cosignerNames(witnesses, cosignatures))
 */
export function policyVerifiers(policy: WitnessPolicy, provider?: SignatureProvider): PolicyVerifier[] {
  return [...policy.witnesses].map(([name, { key }]) => ({ name, verifier: createCosignatureVerifier(key, provider) }))
}

/** The names, in the policy, of those who made verified cosignatures. */
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
  /** Names that are members of some group. */
  readonly grouped: Set<string>
  /** Undefined before the quorum line. */
  quorum: string | null | undefined
}

/** Adds what one line defines. Returns what is wrong with it, to go on "line 7 of the policy ", or null. */
function readDefinition(draft: Draft, keyword: string, items: readonly string[]): string | null {
  if (keyword === 'log') return readLog(draft, items)
  if (keyword === 'witness') return readWitness(draft, items)
  if (keyword === 'group') return readGroup(draft, items)
  if (keyword === 'quorum') return readQuorum(draft, items)
  return 'does not start with log, witness, group, quorum or #'
}

function readLog(draft: Draft, [vkey, url, ...rest]: readonly string[]): string | null {
  if (vkey === undefined || rest.length > 0) return 'is not: log <vkey> [<url>]'
  if (draft.logs.length >= DEFINITIONS_MAX) return `is one log more than ${DEFINITIONS_MAX}`
  const key = readKey(vkey, 'ed25519', draft.logs, [...draft.witnesses.values()])
  if (typeof key === 'string') return key
  draft.logs.push({ key, url: url ?? null })
  return null
}

function readWitness(draft: Draft, [name, vkey, url, ...rest]: readonly string[]): string | null {
  if (name === undefined || vkey === undefined || rest.length > 0) return 'is not: witness <name> <vkey> [<url>]'
  if (draft.witnesses.size >= DEFINITIONS_MAX) return `is one witness more than ${DEFINITIONS_MAX}`
  if (isTaken(draft, name)) return 'gives a name that is taken'
  const key = readKey(vkey, 'cosignature', [...draft.witnesses.values()], draft.logs)
  if (typeof key === 'string') return key
  draft.witnesses.set(name, { key, url: url ?? null })
  return null
}

function readGroup(draft: Draft, [name, count, ...members]: readonly string[]): string | null {
  if (name === undefined || count === undefined || members.length === 0) {
    return 'is not: group <name> <number>|all|any <members>'
  }
  if (draft.groups.size >= DEFINITIONS_MAX) return `is one group more than ${DEFINITIONS_MAX}`
  if (isTaken(draft, name)) return 'gives a name that is taken'
  for (const member of members) {
    if (!isDefined(draft, member)) return 'has a member that no line above defines'
    if (draft.grouped.has(member)) return 'has a member that is in a group already'
    draft.grouped.add(member)
  }
  const threshold = count === 'any' ? 1 : count === 'all' ? members.length : parseDecimal(count)
  if (threshold === null) return 'has a threshold that is not a decimal number, all or any'
  if (threshold < 1 || threshold > members.length) return `has a threshold that is not from 1 to ${members.length}`
  draft.groups.set(name, { threshold, members })
  return null
}

function readQuorum(draft: Draft, [name, ...rest]: readonly string[]): string | null {
  if (name === undefined || rest.length > 0) return 'is not: quorum <name>'
  if (draft.quorum !== undefined) return 'is a second quorum'
  if (name !== NONE && !isDefined(draft, name)) return 'names a quorum that no line above defines'
  draft.quorum = name === NONE ? null : name
  return null
}

const isDefined = (draft: Draft, name: string): boolean => draft.witnesses.has(name) || draft.groups.has(name)
const isTaken = (draft: Draft, name: string): boolean => name === NONE || isDefined(draft, name)

/** The key of a vkey, or what is wrong with it. */
function readKey(
  vkey: string,
  type: NoteKeyType,
  others: readonly PolicyParty[],
  otherKind: readonly PolicyParty[],
): NoteKey | string {
  const key = parseKey(vkey)
  if (typeof key === 'string') return `has a key that cannot be taken: ${key}`
  if (key.type !== type) {
    return type === 'ed25519' ? "gives a witness's key as that of a log" : "gives a log's key as that of a witness"
  }
  const isKeyOf = (other: PolicyParty): boolean => bytesEqual(other.key.publicKey.bytes, key.publicKey.bytes)
  if (others.some(isKeyOf)) return 'gives a public key again'
  // A log that witnesses itself is not witnessed.
  if (otherKind.some(isKeyOf)) return 'gives one public key to a log and to a witness'
  // 32 bits are soon found: signatures by two such keys could not be told apart by what they say of themselves.
  if (others.some((other) => other.key.name === key.name && other.key.keyHash === key.keyHash)) {
    return 'gives a key with the name and key hash of another'
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
  if (!text.isWellFormed()) throw invalid('the policy holds a lone surrogate')
  if (noteBytes(text).length > POLICY_BYTES_MAX) throw tooLong()
  const lines = text.split('\n', LINES_MAX + 2)
  if (lines.length > LINES_MAX + 1) throw invalid(`the policy has more than ${LINES_MAX} lines`)
  const bad = lines.findIndex((line) => FORBIDDEN.test(line))
  if (bad >= 0) {
    const fault = lines[bad]?.endsWith('\r') ? 'ends in a carriage return' : 'holds a control character'
    throw invalid(`line ${bad + 1} of the policy ${fault}`, 'lines end in a line feed alone (LF)')
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
