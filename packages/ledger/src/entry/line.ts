// Parses a stored line into an entry. The line is untrusted, so a defect is returned, not thrown.
import { CryptoError, type Hash, isHash } from '@sudoagent/crypto'
import { decodeUtf8 } from '@sudoagent/crypto/bytes'
import type { Members } from '@sudoagent/crypto/entry'
import { scanJson } from '@sudoagent/crypto/json'
import { LINE_BYTES_MAX } from '../limits.js'
import { checkEntry, type LedgerEntry } from './entry.js'
import type { FindingCode } from './finding.js'

/** A canonical line and its entry. The shape has been checked, but not the hashes. */
export interface ParsedLine {
  readonly ok: true
  readonly entry: LedgerEntry
  readonly text: string
  readonly members: Members
  /** Whether the line may have a number that `JSON.parse` rounds, as only the Python profile allows. */
  readonly mayRound: boolean
}

export interface LineProblem {
  readonly ok: false
  readonly code: FindingCode
  readonly message: string
  /**
   * The `entry_hash` of the line, if readable. The next line is checked against this hash, so that one bad line
   * causes only one finding.
   */
  readonly claimedHash: Hash | null
}

/** Parses one line. Checks the UTF-8, the JSON, the canonical form (in either profile) and the shape of the entry. */
export function parseLine(bytes: Uint8Array): ParsedLine | LineProblem {
  const problem = (code: FindingCode, message: string, claimedHash: Hash | null = null): LineProblem => ({
    ok: false,
    code,
    message,
    claimedHash,
  })
  if (bytes.length > LINE_BYTES_MAX) return problem('LINE_TOO_LONG', `line has more than ${LINE_BYTES_MAX} bytes`)
  try {
    const text = decodeUtf8(bytes)
    const scanned = scanJson(text)
    const entry: unknown = JSON.parse(text)
    if (!scanned.canonical) {
      return problem('LINE_NOT_CANONICAL', `line is not canonical JSON: ${scanned.reason}`, claimedHashOf(entry))
    }
    const misfit = checkEntry(entry)
    if (misfit !== null) {
      const says = misfit.code === 'VERSION_UNSUPPORTED' ? 'is not a supported version' : 'does not fit the format'
      return problem(misfit.code, `field \`${misfit.field}\` ${says}`, claimedHashOf(entry))
    }
    const mayRound = scanned.profile !== 'rfc8785'
    return { ok: true, entry: entry as LedgerEntry, text, members: scanned.members, mayRound }
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    return problem('LINE_NOT_JSON', `line is not strict JSON: ${error.message}`)
  }
}

function claimedHashOf(entry: unknown): Hash | null {
  if (typeof entry !== 'object' || entry === null || !Object.hasOwn(entry, 'entry_hash')) return null
  const { entry_hash: hash } = entry as { entry_hash: unknown }
  return isHash(hash) ? hash : null
}

/** The stored text of a member's value; null if the line does not have the member. */
export function memberText(text: string, members: Members, name: string): string | null {
  const span = members.get(name)
  return span === undefined ? null : text.slice(...span)
}

/** The stored texts of members of a member's value; null for those that it does not have. */
export function nestedTexts(
  { text, members }: ParsedLine,
  name: string,
  inner: readonly string[],
): readonly (string | null)[] {
  const outer = memberText(text, members, name) ?? 'null'
  const { members: spans } = scanJson(outer)
  return inner.map((member) => memberText(outer, spans, member))
}
