// Compares values that the user has with the commitments of a call.
//
//   --parameters   `commitment` of the decision, or of the question if the call has no decision
//   --result       `outcome.result`
//
//   $ sudoagent show ledger.sqlite 12 --commitment-key commitment.key --parameters parameters.json --format text
//   matches: entry 12 is bound to these parameters
import {
  type Commitment,
  commitCall,
  commitmentKeyId,
  commitResult,
  type ResultCommitment,
} from '@sudoagent/crypto/entry'
import { canonicalText, type JsonValue, parseJson } from '@sudoagent/crypto/json'
import { escapeForTerminal } from '@sudoagent/crypto/text'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { readText } from '../../input/input-file.js'
import { readCommitmentKeyFile } from '../../key/commitment-key.js'
import type { Io } from '../../terminal/io.js'
import type { Story } from './story.js'

/** Maximum size of a file with parameters or a result, as for server messages in the guard. */
const VALUE_BYTES_MAX = 16 * 1024 * 1024

/** The files: the key, and the parameters or the result. */
export interface ComparisonOptions {
  readonly commitmentKey?: string
  readonly parameters?: string
  readonly result?: string
}

/** The finished comparison, in both forms. */
interface Comparison {
  readonly json: () => string
  readonly text: () => string
  readonly exit: ExitCode
}

export type Compare = (story: Story) => Comparison

/** The key, and the values that the user has. */
interface GivenValues {
  readonly kind: 'parameters' | 'result'
  readonly key: Uint8Array
  readonly keyId: string
  readonly keyPath: string
  readonly text: string
  readonly value: JsonValue
  /** Without a canonical form, for example with a number that a double does not represent. */
  readonly isCanonical: boolean
}

type Verdict = 'matches' | 'differs' | 'wrong_key' | 'no_commitment'

/** A commitment in the ledger, with the position of its entry. */
interface Found {
  readonly position: number
  readonly commitment: Commitment | ResultCommitment
}

/**
 * Reads the key and the values.
 *
 * @throws CliError if an option is missing, or if a file cannot be read or does not have the right form; CryptoError
 *   for a key that cannot be used
 */
export async function readComparison(
  { commitmentKey, parameters, result }: ComparisonOptions,
  io: Io,
): Promise<Compare> {
  const path = parameters ?? result
  if (commitmentKey === undefined)
    throw new CliError(EXIT.usage, 'a comparison with the ledger needs a key', 'add --commitment-key FILE')
  if (path === undefined)
    throw new CliError(EXIT.usage, '--commitment-key needs values to compare', 'add --parameters FILE or --result FILE')
  const key = await readCommitmentKeyFile(commitmentKey)
  const kind = parameters === undefined ? 'result' : 'parameters'
  const text = await readText(path, kind === 'result' ? 'result' : 'file of parameters', VALUE_BYTES_MAX, io)
  const value = parseValue(path, text)
  if (kind === 'parameters') requireParameters(path, value)
  const isCanonical = canonicalText(text) !== null
  const given = { kind, key, keyId: commitmentKeyId(key), keyPath: commitmentKey, text, value, isCanonical } as const
  return (story) => compare(given, story)
}

function parseValue(path: string, text: string): JsonValue {
  try {
    return parseJson(text)
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown'
    throw new CliError(EXIT.failed, `\`${path}\` is not strict JSON: ${why}`, 'give one JSON value', error)
  }
}

function requireParameters(path: string, value: JsonValue): void {
  const { args, kwargs, ...more } = (value ?? {}) as { readonly args?: unknown; readonly kwargs?: unknown }
  const isNamed = typeof kwargs === 'object' && kwargs !== null && !Array.isArray(kwargs)
  if (Array.isArray(args) && isNamed && Object.keys(more).length === 0) return
  throw new CliError(EXIT.failed, `\`${path}\` is not a file of parameters`, 'the form is {"args":[…],"kwargs":{…}}')
}

function compare(given: GivenValues, story: Story): Comparison {
  const { kind, keyId } = given
  const found = kind === 'parameters' ? parametersOf(story) : resultOf(story)
  const verdict = verdictOf(given, story.requestId, found)
  const facts = {
    request_id: story.requestId,
    compared: kind,
    verdict,
    position: found?.position ?? null,
    key_id: found?.commitment.key_id ?? null,
    file_key_id: keyId,
  }
  return {
    exit: verdict === 'matches' ? EXIT.ok : EXIT.no,
    text: () => `${lineOf(verdict, given, story, found)}\n`,
    json: () => `${JSON.stringify(facts, null, 2)}\n`,
  }
}

function parametersOf({ question, decision }: Story): Found | null {
  const commitment = decision === undefined ? question?.asked.commitment : decision.entry.commitment
  const position = (decision ?? question)?.position
  return commitment === undefined || position === undefined ? null : { position, commitment }
}

function resultOf({ outcome }: Story): Found | null {
  const commitment = outcome?.entry.outcome?.result
  return commitment === undefined || outcome === undefined ? null : { position: outcome.position, commitment }
}

function verdictOf(given: GivenValues, requestId: string, found: Found | null): Verdict {
  if (found === null) return 'no_commitment'
  if (found.commitment.key_id !== given.keyId) return 'wrong_key'
  return isBound(given, requestId, found.commitment) ? 'matches' : 'differs'
}

function isBound(
  { kind, key, text, value, isCanonical }: GivenValues,
  requestId: string,
  bound: Commitment | ResultCommitment,
): boolean {
  if (kind === 'result' && 'profile' in bound && bound.profile === 'bytes') {
    // An editor ends a file with a line feed, which is not part of the result.
    const texts = [text, text.replace(/\r?\n$/, '')]
    return texts.some((one) => commitResult(key, requestId, one, 'bytes').hmac === bound.hmac)
  }
  if (!isCanonical) return false
  const own = kind === 'result' ? commitResult(key, requestId, text, 'jcs') : commitCall(key, requestId, value)
  return own.hmac === bound.hmac
}

function lineOf(verdict: Verdict, { kind, keyId, keyPath }: GivenValues, story: Story, found: Found | null): string {
  const values = kind === 'parameters' ? 'these parameters' : 'this result'
  if (found === null) return `no commitment: ${whyNone(kind, story)}`
  const { position, commitment } = found
  if (verdict === 'wrong_key')
    return `wrong key: entry ${position} was committed with key ${commitment.key_id}, \`${escapeForTerminal(keyPath)}\` has key ${keyId}`
  return verdict === 'matches'
    ? `matches: entry ${position} is bound to ${values}`
    : `differs: entry ${position} is not bound to ${values}`
}

function whyNone(kind: GivenValues['kind'], { question, decision, outcome }: Story): string {
  const entry = kind === 'result' ? outcome : (decision ?? question)
  if (entry === undefined) return kind === 'result' ? 'the call has no outcome' : 'the call has no decision'
  return kind === 'result'
    ? `entry ${entry.position} is not bound to a result`
    : `entry ${entry.position} is not bound to parameters; it was recorded without a key, or with a value that JSON does not have`
}
