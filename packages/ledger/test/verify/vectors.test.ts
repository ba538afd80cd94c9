// Verifies the files in `vectors/ledger`, which every implementation of the format can use.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createVerifier, generatePrivateKey, parsePublicKey, sha256Hex } from '@sudoagent/crypto'
import { decodeBase64 } from '@sudoagent/crypto/bytes'
import { hashEntry } from '@sudoagent/crypto/entry'
import { scanJson } from '@sudoagent/crypto/json'
import { describe, expect, it } from 'vitest'
import { processorTime } from '../../../crypto/test/fixtures/processor-time.js'
import { hashDecision } from '../../src/entry/decision-hash.js'
import { parseLine } from '../../src/entry/line.js'
import { openLedgerReader } from '../../src/store/open.js'
import { encodeState, parseState, type VerifiedState } from '../../src/verify/saved-state.js'
import { verifyFrom } from '../../src/verify/verify.js'
import { encodeDraft, linkEntry } from '../../src/write/encode-draft.js'
import { codesOf, jsonlOf, sqliteOf, verifyFile } from '../fixtures/ledger-file.js'
import { temporaryFolder } from '../fixtures/temporary.js'
import { expectKept } from '../fixtures/vectors/kept-files.js'
import { makeVectors, type VectorIndex } from '../fixtures/vectors/make-vectors.js'
import { makeSqliteVectors, type SqliteVector } from '../fixtures/vectors/sqlite-vectors.js'
import { makeStateVectors, type StateVectors } from '../fixtures/vectors/state-vectors.js'

const FOLDER = join(import.meta.dirname, '../../../../vectors/ledger')

it('vectors/ledger is what its makers make', async () => {
  const made = new Map([...(await makeVectors()), ...(await makeSqliteVectors()), ...(await makeStateVectors())])
  expectKept(FOLDER, made)
})

// If the files do not exist yet, there is nothing to verify, and the test of their content fails.
const NOTHING: VectorIndex = { about: '', keys: {}, accept: [], reject: [] }
const index = existsSync(FOLDER)
  ? (JSON.parse(readFileSync(join(FOLDER, 'index.json'), 'utf8')) as VectorIndex)
  : NOTHING
const readIndex = <T>(name: string): T | null =>
  existsSync(join(FOLDER, name)) ? (JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as T) : null
const keysOf = (names: readonly string[]) => names.map((name) => parsePublicKey(index.keys[name]?.pem ?? ''))

describe('vectors/ledger', () => {
  it('is not empty', () => {
    expect(index.accept.length).toBeGreaterThanOrEqual(12)
    expect(index.reject.length).toBeGreaterThanOrEqual(50)
    expect(new Set([...index.accept, ...index.reject].map(({ file }) => file)).size).toBe(
      index.accept.length + index.reject.length,
    )
  })

  it.each(index.accept)('accepts $file: $why', async ({ file, keys, verdict, entries }) => {
    const report = await verifyFile(join(FOLDER, file), { publicKeys: keysOf(keys) })
    expect(report).toMatchObject({ ok: true, verdict, entries, findings: [] })
  })

  it.each(index.accept)('accepts $file in SQLite', async ({ file, keys, verdict, entries }) => {
    const lines = readFileSync(join(FOLDER, file), 'utf8').split('\n').slice(0, -1)
    expect(await verifyFile(sqliteOf(lines), { publicKeys: keysOf(keys) })).toMatchObject({
      ok: true,
      verdict,
      entries,
    })
  })

  it.each(index.reject)('rejects $file: $why', async ({ file, keys, verdict, findings }) => {
    const report = await verifyFile(join(FOLDER, file), { publicKeys: keysOf(keys) })
    expect([report.ok, report.verdict]).toEqual([false, verdict])
    expect(codesOf(report)).toEqual(findings)
  })
})

describe('vectors/ledger/sqlite', () => {
  const { files } = readIndex<{ readonly files: readonly SqliteVector[] }>('sqlite/index.json') ?? { files: [] }

  it.each(files)('$file: $why', async ({ file, verdict, findings, warnings, entries }) => {
    const bytes = readFileSync(join(FOLDER, file))
    const path = join(temporaryFolder(), 'ledger.sqlite')
    writeFileSync(path, bytes)
    const took = processorTime()
    const report = await verifyFile(path)
    expect(took()).toBeLessThan(10_000)
    expect([report.verdict, codesOf(report)]).toEqual([verdict, findings])
    expect(report.warnings.map(({ code }) => code)).toEqual(warnings)
    if (entries !== null) expect(report.entries).toBe(entries)
    expect(readFileSync(path).equals(bytes)).toBe(true)
  })
})

describe('vectors/ledger/state.json', () => {
  const NONE: StateVectors = { about: '', accept: [], reject: [], resume: [] }
  const { accept, reject, resume } = readIndex<StateVectors>('state.json') ?? NONE
  const verifyLines = async (lines: readonly string[], keys: readonly string[], state?: string) => {
    const reader = await openLedgerReader(jsonlOf(lines))
    try {
      const more = state === undefined ? {} : { resume: parseState(state) }
      return await verifyFrom(reader, { publicKeys: keysOf(keys), ...more })
    } finally {
      await reader.close()
    }
  }

  it.each(accept)('accepts the state behind $entries entries of $ledger', async ({ ledger, keys, entries, text }) => {
    expect(encodeState(parseState(text))).toBe(text)
    const lines = readFileSync(join(FOLDER, ledger), 'utf8').split('\n').slice(0, -1)
    const { state } = await verifyLines(lines.slice(0, entries), keys)
    expect(encodeState(state as VerifiedState)).toBe(text)
    const { report } = await verifyLines(lines, keys, text)
    expect(report).toMatchObject({ ok: true, resumed_from: entries, entries: lines.length, findings: [] })
  })

  it.each(reject)('rejects: $why', ({ text, code }) => {
    expect(() => parseState(text)).toThrow(expect.objectContaining({ code }))
  })

  it.each(resume)('goes on: $why', async ({ state, keys, lines, resumed_from, findings }) => {
    const { report } = await verifyLines(lines, keys, state)
    expect([report.resumed_from, codesOf(report)]).toEqual([resumed_from, findings])
  })
})

describe('the worked example', () => {
  interface Example {
    readonly key: { readonly private_key_seed_hex: string; readonly public_key_pem: string; readonly key_id: string }
    readonly steps: readonly [
      { readonly text: string; readonly sha256: string },
      { readonly text: string; readonly sha256: string },
      { readonly entry_signature: string },
      { readonly line: string },
    ]
  }
  const read = (): Example => JSON.parse(readFileSync(join(FOLDER, 'worked-example.json'), 'utf8')) as Example

  it('holds, step by step', () => {
    const { key: given, steps } = read()
    const [decision, entry, { entry_signature: signature }, { line }] = steps
    expect(sha256Hex(decision.text)).toBe(decision.sha256)
    expect(sha256Hex(entry.text)).toBe(entry.sha256)
    expect([decision.text, entry.text, line].map((text) => scanJson(text).profile)).toEqual([
      'rfc8785',
      'rfc8785',
      'rfc8785',
    ])
    const key = parsePublicKey(given.public_key_pem)
    expect(key.keyId).toBe(given.key_id)
    expect(
      generatePrivateKey(() => Uint8Array.from(Buffer.from(given.private_key_seed_hex, 'hex'))).publicKey.pem,
    ).toBe(key.pem)
    expect(
      createVerifier(key).verify(Buffer.from(entry.sha256, 'ascii'), decodeBase64(signature) ?? new Uint8Array()),
    ).toBe(true)
    expect(JSON.parse(line)).toMatchObject({
      entry_hash: entry.sha256,
      entry_signature: signature,
      decision: { decision_hash: decision.sha256 },
    })
  })

  it('is what this package computes', () => {
    const [decision, entry, { entry_signature: signature }, { line }] = read().steps
    const parsed = parseLine(Buffer.from(line))
    if (!parsed.ok || parsed.entry.event === 'checkpoint') throw new Error('the line is not a decision')
    expect(hashEntry(parsed.text, parsed.members)).toBe(entry.sha256)
    expect(hashDecision(parsed.entry, parsed.text, parsed.members)).toBe(decision.sha256)
    const {
      schema_version: _s,
      ledger_version: _l,
      recorded_at: recordedAt,
      prev_entry_hash: _p,
      entry_hash: _e,
      key_id: keyId,
      entry_signature: _i,
      ...draft
    } = JSON.parse(line)
    const linked = linkEntry(encodeDraft(draft), { prevEntryHash: null, recordedAt, keyId })
    expect([linked.entryHash, linked.line(signature)]).toEqual([entry.sha256, line])
  })
})
