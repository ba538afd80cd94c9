// One control entry, as JSON and as text: a stop, the end of a stop, the genesis, a change of keys. A question is shown
// with its call.
import { stopRows } from '@sudoagent/crypto/entry'
import { indentJson, scanJson } from '@sudoagent/crypto/json'
import { type LedgerReader, select } from '@sudoagent/ledger'
import {
  type CheckpointEntry,
  type ControlBlock,
  type EntryRecord,
  type InvalidControl,
  isCallEntry,
  originOf,
  readControl,
} from '@sudoagent/ledger/entry'
import type { Paint } from '../../text/paint.js'
import { type Field, fieldLines, hashFields, jsonSection, memberText, placeOf, safe } from './fields.js'

export interface ControlRecord extends EntryRecord {
  readonly entry: CheckpointEntry
  /** Null for a kind that this version does not know. */
  readonly block: ControlBlock | InvalidControl | null
  /** For a stop: the position of the entry that ends it. For the end of a stop: that of the stop. Otherwise null. */
  readonly other: number | null
}

/** Adds what the other entries say of a control entry. */
export async function readControlRecord(
  reader: LedgerReader,
  record: EntryRecord & { readonly entry: CheckpointEntry },
): Promise<ControlRecord> {
  const block = readControl(record.entry)
  if (block?.kind !== 'stop' && block?.kind !== 'resume') return { ...record, block, other: null }
  let other: number | null = null
  for await (const { position, entry } of select(reader, { event: 'checkpoint', text: block.stop_id })) {
    const found = isCallEntry(entry) ? null : readControl(entry)
    if ((found?.kind !== 'stop' && found?.kind !== 'resume') || found.stop_id !== block.stop_id) continue
    // The first resume after the stop, or the last stop before the resume.
    if (block.kind === 'stop' && found.kind === 'resume' && position > record.position) other ??= position
    if (block.kind === 'resume' && found.kind === 'stop' && position < record.position) other = position
  }
  return { ...record, block, other }
}

/** One indented JSON object; the entry keeps its stored values. */
export function controlJson({ position, json, block, other }: ControlRecord): string {
  const link =
    block?.kind === 'stop' ? `,"ended_at":${other}` : block?.kind === 'resume' ? `,"stopped_at":${other}` : ''
  return `${indentJson(`{"position":${position}${link},"entry":${json}}`)}\n`
}

/** @param columns - width of the terminal in cells; undefined without a terminal */
export function controlText(record: ControlRecord, paint: Paint, columns?: number): string {
  const { json, block } = record
  const content = memberText(json, 'checkpoint')
  const isKnown = block !== null && block.kind !== 'invalid'
  return [
    fieldLines([['entry', placeOf(record).replace(/^entry /, '')], ...contentFields(record, paint)], paint, columns),
    isKnown ? '' : jsonSection('content', content, paint, columns),
    isKnown && content !== null ? jsonSection('further members', furtherOf(content, block), paint, columns) : '',
    `\n${paint.dim('hashes')}\n`,
    fieldLines(hashFields([record]), paint, columns),
  ].join('')
}

function contentFields({ block, entry, other }: ControlRecord, paint: Paint): readonly Field[] {
  if (block === null) {
    const kind = kindOf(entry)
    const unknown = 'a kind that this version does not know, so its rules are not checked'
    return [['kind', kind === null ? 'none' : `${safe(kind)}, ${unknown}`]]
  }
  switch (block.kind) {
    case 'invalid':
      return [
        ['kind', block.of],
        ['', { word: `the content does not have the form of this kind; \`verify\` reports it`, paint: paint.red.bold }],
      ]
    case 'stop':
    case 'resume':
      return [
        ['kind', block.kind],
        ...stopRows(block).map(([name, value]): Field => [name, value === '' ? null : safe(value)]),
        block.kind === 'stop' ? ['state', stateOf(other, paint)] : ['ends', endsOf(other, paint)],
      ]
    case 'genesis':
      return [
        ['kind', 'genesis, the first entry of a ledger'],
        ['origin', safe(originOf(block.origin, entry.entry_hash))],
        ['ledger id', safe(block.ledger_id)],
        ['signed', block.entries_signed ? 'every entry must be signed' : 'no'],
        ...block.keys.map(({ key_id: id }): Field => ['key', safe(id)]),
        ['software', safe(`${block.software.name} ${block.software.version}`)],
      ]
    case 'key_added':
      return [
        ['kind', 'key_added, from which on this key may sign'],
        ['key', safe(block.key.key_id)],
        ['added by', safe(entry.key_id === undefined ? 'an unsigned entry' : `key ${entry.key_id}`)],
      ]
    case 'key_retired':
      return [
        ['kind', 'key_retired, the last entry that this key may sign'],
        ['key', safe(block.key_id)],
      ]
    case 'closed':
      return [
        ['kind', 'closed, the last entry of a ledger'],
        ['size', `${block.size} entries`],
      ]
    case 'asked':
      return [['kind', block.kind]]
  }
}

const stateOf = (endedAt: number | null, paint: Paint): Field[1] =>
  endedAt === null ? { word: 'open', paint: paint.yellow.bold } : `ended by entry ${endedAt}`

const endsOf = (stoppedAt: number | null, paint: Paint): Field[1] =>
  stoppedAt === null
    ? { word: 'no stop before it has this id', paint: paint.red.bold }
    : `the stop of entry ${stoppedAt}`

/** The kind as stated; null if the entry does not state one. */
function kindOf({ checkpoint: block }: CheckpointEntry): string | null {
  if (typeof block !== 'object' || block === null || !Object.hasOwn(block, 'kind')) return null
  const { kind } = block as { kind: unknown }
  return typeof kind === 'string' ? kind : null
}

const MEMBERS: { readonly [kind in ControlBlock['kind']]: readonly string[] } = {
  genesis: ['ledger_id', 'origin', 'entries_signed', 'keys', 'software'],
  key_added: ['key', 'proof_of_possession'],
  key_retired: ['key_id'],
  closed: ['size'],
  stop: ['stop_id', 'scope', 'reason', 'by'],
  resume: ['stop_id', 'reason', 'by'],
  asked: [],
}

/** The members of a block that the fields do not show, as JSON: a later version may add some. */
function furtherOf(content: string, { kind }: ControlBlock): string {
  const members = [...scanJson(content).members].filter(([name]) => name !== 'kind' && !MEMBERS[kind].includes(name))
  return `{${members.map(([name, span]) => `${JSON.stringify(name)}:${content.slice(...span)}`).join(',')}}`
}
