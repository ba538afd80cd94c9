// Writes ledgers with the package `sudoagent` 2.0.0 from PyPI. Our tools must read, verify, search and export these
// ledgers, and create receipts for their entries. Both our verifier and `verify_ledger.py` must detect tampered
// ledgers.
//
//   node interop/python/check_pypi_ledgers.mjs VENV
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parsePublicKey, sha256Hex } from '../../packages/crypto/dist/index.js'
import { encodeCanonical } from '../../packages/crypto/dist/json.js'
import { openLedgerReader, select, verify } from '../../packages/ledger/dist/index.js'
import { JsonlLedger } from '../../packages/ledger/dist/store/jsonl/ledger.js'
import { SqliteLedger } from '../../packages/ledger/dist/store/sqlite/ledger.js'
import { Checks, decision, newSigner, run, sudoagent, sudoagentText } from '../ledger-maker.mjs'

/** Distance between changed bytes: some hundred changes for each ledger. */
const STEP = 211
const python = join(process.argv[2], 'bin/python')
const here = import.meta.dirname
const folder = mkdtempSync(join(tmpdir(), 'pypi-'))
const checks = new Checks()

const written = run(python, [join(here, 'write_pypi_ledgers.py'), folder])
if (written.status !== 0) throw new Error(written.stderr)
const keyPath = join(folder, 'signed.pub.pem')
const key = parsePublicKey(readFileSync(keyPath, 'utf8'))
const scratch = join(folder, 'scratch.jsonl')

for (const kind of ['jsonl', 'sqlite'])
  for (const name of ['plain', 'signed', 'two-processes']) await checkLedger(name, kind)
for (const name of ['plain', 'signed']) await checkTampered(name)
checkColumns()
checks.end('ledgers of sudoagent 2.0.0 from PyPI')

async function checkLedger(name, kind) {
  const path = join(folder, `${name}.${kind}`)
  const what = `${name}.${kind}`
  const keyArgs = name === 'signed' ? ['--public-key', keyPath] : []
  const report = JSON.parse(sudoagent('verify', path, ...keyArgs, '--json').stdout)
  checks.that(`${what} verifies`, report.findings.map(({ code, position }) => `${code}@${position}`).join(), '')
  checks.that(`${what}, verdict`, report.verdict, name === 'signed' ? 'signed' : 'intact')
  checks.that(`${what}, open calls`, report.open, name === 'two-processes' ? 0 : 1)
  const second = run('python3', [join(here, 'verify_ledger.py'), path, ...(name === 'signed' ? [keyPath] : [])])
  checks.that(`${what} verifies in Python`, second.status, 0)

  const lines = sudoagentText('export', path, '--format', 'ndjson').trimEnd().split('\n')
  checks.that(`${what}, exported entries`, lines.length, report.entries)
  if (kind === 'jsonl') checks.that(`${what}, exported unchanged`, `${lines.join('\n')}\n`, readFileSync(path, 'utf8'))
  checks.that(
    `${what}, exported as JSON`,
    JSON.parse(sudoagentText('export', path, '--format', 'json')).length,
    lines.length,
  )
  const csv = sudoagentText('export', path, '--format', 'csv')
  checks.that(`${what}, exported as CSV`, csv.includes('""kwargs"":{'), true)
  const calls = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'decision')
  const found = []
  const reader = await openLedgerReader(path)
  for (const { request_id } of calls)
    for await (const { entry } of select(reader, { requestId: request_id, event: 'decision' }))
      found.push(entry.entry_hash)
  await reader.close()
  checks.that(`${what}, found`, found.join(), calls.map(({ entry_hash }) => entry_hash).join())
  const shown = sudoagentText('show', path, calls.at(-1).request_id, '--format', 'text')
  checks.that(`${what}, shown`, shown.includes('parameters\n  {\n    "args": ['), true)
  if (name === 'plain') await checkReceipts(path, kind, calls)
}

/** Adds our checkpoint over the package's entries. Each entry then has a receipt. */
async function checkReceipts(path, kind, calls) {
  const grown = join(folder, `grown.${kind}`)
  if (kind === 'jsonl') copyFileSync(path, grown)
  else sudoagentText('copy', path, grown)
  const signer = newSigner()
  const writer = (kind === 'jsonl' ? JsonlLedger : SqliteLedger).open(grown, { signer })
  await writer.append(decision(1))
  await writer.close()
  const pem = join(folder, `${kind}.pub.pem`)
  writeFileSync(pem, signer.publicKey.pem)
  checks.that(`${kind}, grown`, JSON.parse(sudoagent('verify', grown, '--json').stdout).verdict, 'intact')
  const receipt = join(folder, `receipt-${kind}.json`)
  for (const { request_id, decision: block } of calls.filter((_, n) => n % 4 === 0)) {
    for (const content of [[], ['--no-entry']]) {
      writeFileSync(receipt, sudoagentText('receipt', grown, '--request-id', request_id, ...content))
      const { verdict } = JSON.parse(sudoagent('receipt', 'verify', receipt, '--public-key', pem, '--json').stdout)
      checks.that(`${kind}, receipt of ${block.reason_code} ${content}`, verdict, 'signed')
    }
  }
  const changed = sudoagentText('receipt', grown, '--request-id', calls[0].request_id).replace('"1.5"', '"2.5"')
  writeFileSync(receipt, changed)
  checks.that(`${kind}, a changed receipt`, sudoagent('receipt', 'verify', receipt, '--public-key', pem).status, 1)
}

async function codesOf(bytes, publicKeys) {
  writeFileSync(scratch, bytes)
  const reader = await openLedgerReader(scratch)
  const { findings } = await verify(reader, { publicKeys })
  await reader.close()
  return findings.map(({ code }) => code)
}

/** Changes bytes, and entries with recomputed hashes. */
async function checkTampered(name) {
  const bytes = readFileSync(join(folder, `${name}.jsonl`))
  let missed = 0
  for (let at = 1; at < bytes.length; at += STEP) {
    const copy = Buffer.from(bytes)
    copy[at] ^= 1
    // Without the key, a changed signature cannot be detected.
    if ((await codesOf(copy, name === 'signed' ? [key] : [])).length === 0) missed += 1
  }
  checks.that(`${name}, changed bytes that were not found`, missed, 0)

  const entries = bytes
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  const at = (test) => entries.findIndex(test)
  const allowed = at(({ decision: block }) => block.effect === 'allow')
  const approved = at(({ approval }) => approval?.approved === true)
  const denied = at(({ decision: block }) => block.effect === 'deny')
  const [other, refused] = [{ policy_id: 'x' }, { approved: false }]
  const cases = [
    ['DECISION_HASH_MISMATCH', allowed, (entry) => entry.metadata.args.push('more')],
    ['DECISION_HASH_MISMATCH', allowed, (entry) => Object.assign(entry, { action: 'other.tool' })],
    [
      'POLICY_HASH_MISMATCH',
      denied,
      (entry) => [entry.decision, entry.metadata].map((names) => Object.assign(names, other)),
    ],
    ['ENTRY_INVALID', denied, (entry) => Object.assign(entry.metadata, { policy_id: 'x' })],
    [
      'APPROVAL_NOT_APPROVED',
      approved,
      (entry) => [entry.approval, entry.metadata].map((names) => Object.assign(names, refused)),
    ],
    [
      'APPROVAL_BINDING_MISMATCH',
      approved,
      ({ approval, metadata }) =>
        [approval.binding, metadata.approval_binding].map((names) => Object.assign(names, { request_id: 'x' })),
    ],
    ['ENTRY_INVALID', approved, (entry) => Object.assign(entry, { approval: null })],
    ['DECISION_UNKNOWN', allowed + 1, (entry) => Object.assign(entry.decision, { decision_hash: 'a'.repeat(64) })],
    ['OUTCOME_AFTER_DENY', allowed, (entry) => Object.assign(entry.decision, { effect: 'deny' })],
  ]
  for (const [code, index, change] of cases) {
    const copy = structuredClone(entries)
    change(copy[index])
    const codes = await codesOf(resealed(copy), [])
    checks.that(`${name}, ${code}`, codes.includes(code), true)
    if (name === 'signed') {
      const withKey = await codesOf(resealed(copy), [key])
      // If the first entry changed, no signature is valid, and entries without key_id may be attributed to an unknown
      // key.
      const isFound = withKey.includes('SIGNATURE_INVALID') || withKey.includes('KEY_UNKNOWN')
      checks.that(`signed, ${code}, with the key`, isFound, true)
    }
  }
}

function resealed(entries) {
  let previous = null
  const lines = entries.map(({ entry_hash: _, entry_signature: signature, ...entry }) => {
    const body = { ...entry, prev_entry_hash: previous }
    previous = sha256Hex(pythonCanonical({ ...body, entry_hash: null }))
    return pythonCanonical({
      ...body,
      entry_hash: previous,
      ...(signature === undefined ? {} : { entry_signature: signature }),
    })
  })
  return Buffer.from(lines.map((line) => `${line}\n`).join(''))
}

/** Sorts keys by code point, as the package does. */
function pythonCanonical(value) {
  if (Array.isArray(value)) return `[${value.map(pythonCanonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return encodeCanonical(value)
  const keys = Object.keys(value).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return `{${keys.map((name) => `${JSON.stringify(name)}:${pythonCanonical(value[name])}`).join(',')}}`
}

function checkColumns() {
  const path = join(folder, 'columns.sqlite')
  sudoagentText('copy', join(folder, 'plain.sqlite'), path)
  const db = new (createRequire(join(here, '../../packages/ledger/package.json'))('better-sqlite3'))(path)
  db.exec('UPDATE ledger SET entry_hash = prev_entry_hash WHERE id = 2')
  db.close()
  checks.that('a changed column', sudoagent('verify', path).status, 1)
}
