/**
 * Takes secrets out of a call before anything sees it: the policy, the approver, the hash, the record, the log.
 *
 * Deterministic (no clock, no locale, no randomness) and idempotent. Numbers, booleans and null stay what they are, so
 * that a policy can compare them. Two kinds of rule: what stands under a sensitive *name* is replaced whole, whatever its
 * type (`redaction/key.ts`); in every string, keys too, what is *shaped* like a secret or paired with a sensitive name is
 * replaced, and only that part (`redaction/secret.ts`, `redaction/pair.ts`). Rules can be added; places can be kept.
 *
 * It is a net, not a proof: a password that stands alone, as a positional argument or in prose, looks like any word.
 */
import type { JsonValue } from '@sudoagent/crypto'
import { REDACTION_PASSES_MAX } from '../limits.js'
import { findCommands } from '../secret/command.js'
import { findEncoded } from '../secret/encoded.js'
import { type ConcealedPart, MaskedText, type Span } from '../secret/masked-text.js'
import { createKeyRules, type KeyRules } from '../secret/name/name-rules.js'
import { findNamedValues } from '../secret/named-value.js'
import { findPairs } from '../secret/pair-rules.js'
import { mayHoldSecret, SECRET_RULES } from '../secret/shape/shape-rules.js'
import { ConcealmentList } from './concealment.js'
import { type Redacted, toJson } from './json.js'
import { createKeepRules } from './keep.js'
import { viewOf } from './view.js'

export interface RedactionOptions {
  /** More sensitive names; each matches in every spelling: `taxId` finds `tax_id`, `TAX-ID` and `customer.taxId`. */
  readonly keys?: readonly string[]
  /**
   * More shapes of secrets. Every match is replaced whole. The flags `g` is added, `y` taken away. Mind their running
   * time: arguments are as long as `ARGUMENT_LIMITS` allows, and a model chooses them.
   */
  readonly values?: readonly RegExp[]
  /**
   * Places of the arguments that hold no secrets, whatever they are called: nothing is taken away there, nor below.
   * `auth.method`, `items.*.token`, `0.session` for the first positional argument; a name alone counts at every depth.
   */
  readonly keep?: readonly string[]
}

export interface Redactor {
  /** The text in NFC, without its secrets; a lone surrogate becomes U+FFFD. For messages and other loose text. */
  text(text: string): string
  /** Whether what stands under this key is secret; a number under a token count such as `max_tokens` is not. */
  isSensitiveKey(key: string, value?: unknown): boolean
  /**
   * The redacted JSON form of a value that `takeSnapshot` made; deep-frozen. An object that no snapshot made is named,
   * never read, so that it cannot show one thing here and another to the function.
   *
   * | snapshot value | JSON |
   * |---|---|
   * | string, finite number, boolean, null | itself; strings in NFC, −0 as 0 |
   * | bigint, integer beyond ±(2^53−1) | decimal string |
   * | undefined | `"<undefined>"` |
   * | plain object, array | the same, with keys redacted as text; two that become one are numbered `#2`, `#3`, … |
   * | Date | ISO 8601 string |
   * | URL | its text |
   * | Map | `{"<Map>": [[key, value], …]}`; sensitive keys apply |
   * | Set | `{"<Set>": [value, …]}` |
   * | ArrayBuffer, Buffer, typed array, DataView | `"<Uint8Array:16>"`, the length in bytes |
   * | RegExp, function, symbol, Promise | `"<RegExp>"`, `"<function>"`, `"<symbol>"`, `"<Promise>"` |
   * | instance of a class | `"<ClassName>"`; `"<object>"` when it has no proper name or is a proxy |
   *
   * Next to names as keys, these count: `{name: 'token', value: …}` (also `key`, `header`), `['password', '…']` and
   * `['--token', '…']` among an array's strings.
   *
   * @throws SnapshotError `PARAMETERS_INVALID` for two keys that are one after normalisation, and for what a snapshot
   * refuses (NaN, a lone surrogate)
   */
  json(value: unknown): JsonValue
  /** As `json`, with a list of what is not shown. */
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
 * Makes a redactor with the built-in rules and, if given, more of them.
 *
 * @throws TypeError for an unknown option, a key without a letter, a value that is no RegExp
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
      // Then as a program reads it that undoes escapes. What is found there has the same place in the text.
      let view = viewOf(masked.text)
      for (const rule of view === null ? [] : TEXT_RULES) {
        if (view !== null && conceal(rule(view, rules))) view = viewOf(masked.text)
      }
    }
    for (const rule of extraValues) conceal(findExtra(masked, rule))
    return changed
  }
  /** Normalising first: the Kelvin sign in a token is a K on record. */
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
    json: (value) => toJson(value, tools, new ConcealmentList()),
    redact(value) {
      const concealed = new ConcealmentList()
      const json = toJson(value, tools, concealed)
      return { json, concealed: concealed.toArray(), undeclared: concealed.undeclared }
    },
  }
  return Object.freeze(redactor)
}

function cloneRule(rule: RegExp): RegExp {
  if (!(rule instanceof RegExp)) throw new TypeError('`values` of the redaction options must be regular expressions')
  return new RegExp(rule.source, `${rule.flags.replace(/[gy]/g, '')}g`)
}

/** Between earlier replacements, never inside one: a rule such as /redacted/ would otherwise find its own traces. */
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
