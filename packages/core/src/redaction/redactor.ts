/**
 * Replaces secrets in a call before the call reaches the policy, the approver, the hash, the record and the log.
 *
 * Redaction is deterministic (it uses no clock, locale or randomness) and idempotent. Numbers, booleans and null stay
 * unchanged, so that a policy can compare them. There are two kinds of rules:
 *
 * - A value under a sensitive *name* is replaced as a whole, whatever its type (`secret/name/`).
 * - In every string, including keys, a part that has the *shape* of a secret (`secret/shape/`) or follows a
 *   sensitive name (`secret/pair-rules.ts`, `secret/command.ts`) is replaced, and only that part.
 *
 * Each string is normalised to NFC and searched by all rules. Base64 is decoded, and escapes are read as a program
 * would read them (`view.ts`). The passes repeat until a pass changes nothing, at most `REDACTION_PASSES_MAX` times.
 *
 *     const redactor = createRedactor({ keys: ['iban'], keep: ['session_id'] })
 *     redactor.redact(snapshot of { url: 'postgres://app:hunter2@db', iban: 'DE02…', session_id: 's-1' }).json
 *     // { url: 'postgres://app:[redacted]@db', iban: '[redacted]', session_id: 's-1' }
 *
 * Redaction is a safety net, not a guarantee: a password without a name, as a positional argument or in prose,
 * looks like any other word.
 */
import type { JsonValue } from '@sudoagent/crypto/json'
import { REDACTION_PASSES_MAX } from '../limits.js'
import { findCommands } from '../secret/command.js'
import { findEncoded } from '../secret/encoded.js'
import { type ConcealedPart, MaskedText, type Span } from '../secret/masked-text.js'
import { createKeyRules, type KeyRules } from '../secret/name/name-rules.js'
import { findNamedValues } from '../secret/named-value.js'
import { findPairs } from '../secret/pair-rules.js'
import { mayHoldSecret, SECRET_RULES } from '../secret/shape/shape-rules.js'
import { toJson } from './json.js'
import { createKeepRules } from './keep.js'
import type { Redacted } from './redacted.js'
import { viewOf } from './view.js'

export interface RedactionOptions {
  /**
   * Additional sensitive names. Each name matches in every naming style: `taxId` matches `tax_id`, `TAX-ID` and
   * `customer.taxId`.
   */
  readonly keys?: readonly string[]
  /**
   * Additional patterns for secrets. Every match is replaced as a whole. The flag `g` is added, and `y` is removed. Use
   * patterns with linear running time: a model chooses the arguments, which may be as long as `ARGUMENT_LIMITS` allows.
   */
  readonly values?: readonly RegExp[]
  /**
   * Paths of values without secrets. Values at and below these paths are not redacted. Examples: `auth.method`,
   * `items.*.token`, or `0.session` for the first positional argument. A name without dots matches at every depth.
   */
  readonly keep?: readonly string[]
}

export interface Redactor {
  /**
   * Redacts a string that is not an argument, such as a message. The result is in NFC; a lone surrogate becomes
   * U+FFFD.
   */
  text(text: string): string
  /** Whether a value under this key is secret. A number under a token count such as `max_tokens` is not secret. */
  isSensitiveKey(key: string, value?: unknown): boolean
  /**
   * Returns the redacted JSON form of a value from `takeSnapshot`, deeply frozen. An object that is not part of a
   * snapshot is shown by name and never read, so that the object cannot return different values to the redactor and
   * to the function.
   *
   * | snapshot value | JSON |
   * |---|---|
   * | string, finite number, boolean, null | itself; strings in NFC, −0 as 0 |
   * | bigint, integer beyond ±(2^53−1) | decimal string |
   * | undefined | `"<undefined>"` |
   * | plain object, array | the same, with redacted keys; keys that become equal are numbered `#2`, `#3`, … |
   * | Date | ISO 8601 string |
   * | URL | its text |
   * | Map | `{"<Map>": [[key, value], …]}`; sensitive keys apply |
   * | Set | `{"<Set>": [value, …]}` |
   * | ArrayBuffer, Buffer, typed array, DataView | `"<Uint8Array:16>"`, the length in bytes |
   * | RegExp, function, symbol, Promise | `"<RegExp>"`, `"<function>"`, `"<symbol>"`, `"<Promise>"` |
   * | instance of a class | `"<ClassName>"`; `"<object>"` when it has no valid name or is a proxy |
   *
   * Sensitive names are recognised as keys and also in `{name: 'token', value: …}` (or `key`, `header`), in
   * `['password', '…']`, and in `['--token', '…']` among the strings of an array.
   *
   * @throws SnapshotError `PARAMETERS_INVALID` for two keys that are equal after normalisation, and for values that a
   * snapshot rejects (NaN, a lone surrogate)
   */
  json(value: unknown): JsonValue
  /** Like `json`, but also returns the list of concealed parts, and counts the values that redaction changed. */
  redact(value: unknown): Redacted
}

const TEXT_RULES: readonly ((text: string, rules: KeyRules) => readonly Span[])[] = [
  ...SECRET_RULES.map(({ find }) => find),
  findNamedValues,
  findPairs,
  findCommands,
]

const OPTION_NAMES: readonly string[] = ['keys', 'values', 'keep']

/**
 * Creates a redactor with the built-in rules and optional additional rules.
 *
 * @throws TypeError for an unknown option, a key without a letter, a value that is not a RegExp
 * @example
 * createRedactor({ keys: ['iban'] }).text('card=4111 iban=DE02120300000000202051') // 'card=4111 iban=[redacted]'
 */
export function createRedactor(options: RedactionOptions = {}): Redactor {
  for (const name of Object.keys(options)) {
    if (!OPTION_NAMES.includes(name)) {
      throw new TypeError(`unknown redaction option \`${name}\`; the options are \`keys\`, \`values\` and \`keep\``)
    }
  }
  const rules = createKeyRules(options.keys)
  const extraValues = (options.values ?? []).map(cloneRule)

  const lengthOfSecrets = (text: string): number => {
    const masked = new MaskedText(text)
    pass(masked, 1)
    return masked.concealed().reduce((sum, { length }) => sum + length, 0)
  }
  const pass = (masked: MaskedText, depth = 0): boolean => {
    let changed = false
    const conceal = (spans: readonly Span[]): boolean => {
      const found = spans.length > 0 && masked.conceal(spans)
      changed ||= found
      return found
    }
    if (mayHoldSecret(masked.text)) {
      for (const rule of TEXT_RULES) conceal(rule(masked.text, rules))
      if (depth === 0) conceal(findEncoded(masked.text, lengthOfSecrets))
      // The rules run again on the view with decoded escapes. A match in the view has the same position in the text.
      let view = viewOf(masked.text)
      for (const rule of view === null ? [] : TEXT_RULES) {
        if (view !== null && conceal(rule(view, rules))) view = viewOf(masked.text)
      }
    }
    for (const rule of extraValues) conceal(findExtra(masked, rule))
    return changed
  }
  /** The text is normalised before the search, because normalisation converts the Kelvin sign in a token to a K. */
  const redact = (text: string): { readonly text: string; readonly parts: readonly ConcealedPart[] } => {
    const normal = text.toWellFormed().normalize('NFC')
    if (extraValues.length === 0 && !mayHoldSecret(normal)) return { text: normal, parts: [] }
    const masked = new MaskedText(normal)
    for (let passes = 0; passes < REDACTION_PASSES_MAX; passes++) {
      if (!pass(masked)) return { text: masked.toString(), parts: masked.concealed() }
    }
    masked.conceal([{ start: 0, end: masked.text.length, kind: 'text' }])
    return { text: masked.toString(), parts: masked.concealed() }
  }
  const keep = createKeepRules(options.keep)
  const tools = {
    redact,
    isSensitiveKey: rules.isSensitive,
    isDeclaredKey: rules.isDeclared,
    isKept: keep.covers,
    findCommands: (text: string) => findCommands(text, rules),
  }
  const redactor: Redactor = {
    text: (text) => redact(text).text,
    isSensitiveKey: rules.isSensitive,
    json: (value) => toJson(value, tools).json,
    redact: (value) => toJson(value, tools),
  }
  return Object.freeze(redactor)
}

function cloneRule(rule: RegExp): RegExp {
  if (!(rule instanceof RegExp)) throw new TypeError('`values` of the redaction options must be regular expressions')
  return new RegExp(rule.source, `${rule.flags.replace(/[gy]/g, '')}g`)
}

/**
 * Searches only the text between earlier replacements, so that a rule such as /redacted/ does not match the
 * replacements themselves.
 */
function findExtra(masked: MaskedText, rule: RegExp): readonly Span[] {
  const spans: Span[] = []
  for (const { start, text } of masked.pieces()) {
    for (const { 0: found, index } of text.matchAll(rule)) {
      if (found === '') continue
      spans.push({ start: start + index, end: start + index + found.length, kind: 'pattern', declared: true })
    }
  }
  return spans
}
