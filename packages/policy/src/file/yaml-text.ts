/**
 * Parses YAML or JSON into values with positions. Only an unambiguous subset of YAML is accepted. The parser rejects:
 *
 *     anchors and aliases (one line can expand to a million values), tags, merge keys, directives, explicit keys
 *     (`? a`), several documents, duplicate keys, keys that are not plain strings
 *
 * JSON is a subset of YAML 1.2, so one parser handles both. The YAML library is recursive, so the nesting depth is
 * checked on the tokens before the library builds values.
 */
import { CST, isMap, isScalar, isSeq, Lexer, LineCounter, type ParsedNode, parseAllDocuments } from 'yaml'
import { PolicyFileError } from '../error.js'
import { DEPTH_MAX, FILE_BYTES_MAX, INDENT_MAX, LEVELS_MAX } from '../limits.js'
import { shown } from './fields.js'
import { type LocatedMap, type LocatedValue, Source } from './located.js'

export interface ReadText {
  readonly source: Source
  readonly root: LocatedValue
}

/** @throws PolicyFileError */
export function readYaml(text: string, file: string): ReadText {
  if (Buffer.byteLength(text) > FILE_BYTES_MAX) {
    throw new PolicyFileError(
      'POLICY_LIMIT',
      file,
      null,
      `it is larger than ${FILE_BYTES_MAX} bytes`,
      'move long lists into the tool or into a policy module',
    )
  }
  const lines = new LineCounter()
  lines.addNewLine(0)
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines.addNewLine(at + 1)
  const source = new Source(file, (offset) => {
    const { line, col } = lines.linePos(Math.min(offset, text.length))
    return { line, column: col }
  })
  checkText(text, source)
  checkTokens(text, source)
  const [document, second] = parseAllDocuments(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    // `convertMap` checks for duplicate keys, because the library's check takes quadratic time.
    uniqueKeys: false,
    stringKeys: true,
    intAsBigInt: true,
    strict: true,
    prettyErrors: false,
    logLevel: 'silent',
  }) as Extract<ReturnType<typeof parseAllDocuments<ParsedNode>>, readonly unknown[]>
  const error = document?.errors[0] ?? document?.warnings[0]
  if (error !== undefined) {
    const says = (error.message.split('\n')[0] ?? '').replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase())
    throw source.error(
      'POLICY_SYNTAX',
      error.pos[0],
      `not valid YAML: ${says}`,
      'check the indentation and the quotation marks on this line',
    )
  }
  if (second !== undefined) {
    throw source.error(
      'POLICY_YAML_FEATURE',
      second.range[0],
      'a second document begins here',
      'write one policy per file',
    )
  }
  const contents = document?.contents
  if (contents === undefined || contents === null) {
    throw source.error('POLICY_KEY_MISSING', 0, 'the file is empty', 'begin the file with `sudoagent_policy: 1`')
  }
  return { source, root: convert(contents, source) }
}

/** Rejects invisible characters, which can mislead people who read the file, or the parser. */
function checkText(text: string, source: Source): void {
  const odd = /[^\P{Cc}\t\n\r]|[\u2028\u2029\u202A-\u202E\u2066-\u2069]|(?!^)\uFEFF/u.exec(text)
  if (odd !== null) {
    const code = odd[0].codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')
    throw source.error('POLICY_SYNTAX', odd.index, `the text has an invisible character (U+${code})`, 'remove it')
  }
  for (const { 0: indent, index } of text.matchAll(/^[\t ?:-]+/gm)) {
    if (indent.length <= INDENT_MAX) continue
    throw source.error(
      'POLICY_LIMIT',
      index,
      `the line is indented by more than ${INDENT_MAX} columns`,
      'indent each level by two spaces',
    )
  }
}

/** YAML tokens that a policy does not need, each with the problem and the hint for its error. */
const REFUSED: ReadonlyMap<string, readonly [problem: string, hint: string]> = new Map([
  ['anchor', ['anchors (`&name`) are not allowed', 'repeat the value; quote a string that begins with `&`']],
  ['alias', ['aliases (`*name`) are not allowed', 'repeat the value; quote a glob: `"*.csv"`']],
  ['tag', ['tags (`!name`) are not allowed', 'remove the tag; quote a string that begins with `!`']],
  ['directive-line', ['directives (`%…`) are not allowed', 'remove the line']],
  ['explicit-key-ind', ['explicit keys (`? key`) are not allowed', 'write `key: value`']],
])

/** Control tokens that the library inserts. They do not correspond to any text. */
const MARKS: readonly string[] = [CST.DOCUMENT, CST.FLOW_END, CST.SCALAR]

/** Tokens that begin a new item inside brackets. */
const BEGINS_ANEW: ReadonlySet<string> = new Set(['comma', 'flow-map-start', 'flow-seq-start'])

function checkTokens(text: string, source: Source): void {
  let at = 0
  let depth = 0
  // The number of keys and list markers on the current line or, inside brackets, in the current item. Each key or
  // marker opens a level, even where YAML forbids a new level (`a: b: c`).
  let opened = 0
  for (const token of new Lexer().lex(text)) {
    if (MARKS.includes(token)) continue
    const type = CST.tokenType(token)
    const refused = REFUSED.get(type ?? '')
    if (refused !== undefined) throw source.error('POLICY_YAML_FEATURE', at, ...refused)
    if (type === 'flow-map-start' || type === 'flow-seq-start') depth += 1
    if (type === 'flow-map-end' || type === 'flow-seq-end') depth -= 1
    if (depth > DEPTH_MAX) {
      throw source.error(
        'POLICY_LIMIT',
        at,
        `brackets are nested deeper than ${DEPTH_MAX} levels`,
        'a policy needs only six levels',
      )
    }
    if (BEGINS_ANEW.has(type ?? '') || (type === 'newline' && depth === 0)) opened = 0
    if (type === 'map-value-ind' || type === 'seq-item-ind') opened += 1
    if (opened > LEVELS_MAX) {
      throw source.error(
        'POLICY_LIMIT',
        at,
        `more than ${LEVELS_MAX} keys and list markers are on one line`,
        'write each key on its own line',
      )
    }
    at += token.length
  }
}

function convert(node: ParsedNode | null, source: Source): LocatedValue {
  if (isMap(node)) return convertMap(node, source)
  if (isSeq(node)) {
    const items = node.items.map((item) => convert(item as ParsedNode | null, source))
    return { kind: 'list', at: node.range?.[0] ?? 0, items }
  }
  if (!isScalar(node)) return { kind: 'scalar', at: 0, value: null }
  const at = node.range?.[0] ?? 0
  const { value } = node
  if (typeof value === 'string') return { kind: 'scalar', at, value: whole(value, at, source) }
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
    return { kind: 'scalar', at, value }
  return { kind: 'scalar', at, value: null }
}

function convertMap(node: Extract<ParsedNode, { items: { key: unknown }[] }>, source: Source): LocatedMap {
  const members = new Map<string, { at: number; value: LocatedValue }>()
  for (const { key, value } of node.items) {
    const at = key.range[0]
    const name = isScalar(key) && typeof key.value === 'string' ? whole(key.value, at, source) : null
    if (name === null) throw source.error('POLICY_SYNTAX', at, 'a key is not a string', 'write `key: value`')
    if (name === '<<') {
      throw source.error('POLICY_YAML_FEATURE', at, 'merge keys (`<<`) are not allowed', 'repeat the keys')
    }
    if (members.has(name)) {
      throw source.error('POLICY_DUPLICATE', at, `the key \`${shown(name)}\` is duplicated`, 'keep only one of them')
    }
    members.set(name, { at, value: convert(value, source) })
  }
  return { kind: 'map', at: node.range[0], members }
}

/**
 * Normalises a string to NFC, as the engine does. Strings with U+FFFD are rejected: the library replaces each lone
 * surrogate with U+FFFD, which would make different strings equal.
 */
function whole(text: string, at: number, source: Source): string {
  if (text.isWellFormed() && !text.includes('\uFFFD')) return text.normalize('NFC')
  throw source.error(
    'POLICY_SYNTAX',
    at,
    'the string contains a lone surrogate or U+FFFD',
    'write the character itself',
  )
}
