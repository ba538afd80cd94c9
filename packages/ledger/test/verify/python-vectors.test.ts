// Tests ledgers written by SudoAgent 2.0 for Python. They are stored outside this repository and may be missing.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parsePublicKey } from '@sudoagent/crypto'
import { describe, expect, it } from 'vitest'
import { exportNdjson } from '../../src/export/ndjson.js'
import { select } from '../../src/read/query.js'
import { openLedgerReader } from '../../src/store/open.js'
import { testKey } from '../fixtures/draft.js'
import { codesOf, jsonlOf, verifyFile } from '../fixtures/ledger-file.js'
import { notice } from '../fixtures/process/child.js'

const FOLDER = join(import.meta.dirname, '../../../../../shared/vectors/python-v2')
const here = existsSync(FOLDER)
const ledgers = here ? readdirSync(FOLDER).filter((name) => /\.(jsonl|sqlite)$/.test(name)) : []
if (!here) notice('ledgers from the Python implementation (../shared/vectors is missing)')

describe.skipIf(!here)('ledgers of the Python implementation', () => {
  it('are there', () => {
    expect(ledgers).toEqual(
      expect.arrayContaining(['plain.jsonl', 'plain.sqlite', 'signed.jsonl', 'exotic-numbers-and-keys.jsonl']),
    )
  })

  it.each(ledgers)('verify: %s', async (name) => {
    const report = await verifyFile(join(FOLDER, name))
    expect(report).toMatchObject({ ok: true, verdict: 'intact', findings: [] })
    expect(report.entries).toBeGreaterThan(20)
    expect(report.decisions + report.outcomes).toBe(report.entries)
  })

  it('verify with their key, and with no other', async () => {
    const path = join(FOLDER, 'signed.jsonl')
    const key = parsePublicKey(readFileSync(`${path}.pub.pem`, 'utf8'))
    const other = testKey(1).publicKey
    const signed = await verifyFile(path, { publicKeys: [other, key] })
    expect(signed).toMatchObject({
      ok: true,
      verdict: 'signed',
      keys: { in_ledger: [], given: [key.keyId, other.keyId].sort() },
    })
    expect(signed.signed_entries).toBe(signed.entries)
    const wrong = await verifyFile(path, { publicKeys: [other], maxFindings: 1_000 })
    expect(wrong).toMatchObject({
      ok: false,
      verdict: 'unverified',
      findings: [{ code: 'KEY_UNKNOWN', position: 1, count: wrong.entries }],
    })
    const unsigned = await verifyFile(join(FOLDER, 'plain.jsonl'), { publicKeys: [key], maxFindings: 1_000 })
    expect(new Set(unsigned.findings.map(({ code }) => code))).toEqual(new Set(['SIGNATURE_MISSING']))
  })

  it.each(ledgers)('come out of an export as they went in: %s', async (name) => {
    const reader = await openLedgerReader(join(FOLDER, name))
    let text = ''
    for await (const chunk of exportNdjson(select(reader))) text += chunk
    await reader.close()
    const copy = jsonlOf(text.split('\n').slice(0, -1))
    expect(await verifyFile(copy)).toEqual(await verifyFile(join(FOLDER, name)))
    if (name.endsWith('.jsonl')) expect(text).toBe(readFileSync(join(FOLDER, name), 'utf8'))
  })

  it.each(ledgers.filter((name) => name.endsWith('.jsonl')))(
    'do not verify with one digit changed: %s',
    async (name) => {
      const lines = readFileSync(join(FOLDER, name), 'utf8').split('\n').slice(0, -1)
      const at = lines.findIndex((line) => /"kwargs":\{[^}]*\d/.test(line))
      const spoiled = lines.map((line, n) =>
        n === at
          ? line.replace(
              /("kwargs":\{[^}]*?)(\d)/,
              (_, before: string, digit: string) => `${before}${(Number(digit) + 1) % 10}`,
            )
          : line,
      )
      const codes = codesOf(await verifyFile(jsonlOf(spoiled)))
      expect(codes[0]).toMatch(new RegExp(`^(ENTRY_HASH_MISMATCH|LINE_NOT_CANONICAL)@${at + 1}$`))
    },
  )
})
