// The demo: guards an agent's calls to an airline's booking system, verifies the evidence, and detects two forgeries.
import { strict as assert } from 'node:assert'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ApprovalDenied, MemoryBudget, SudoEngine } from '@sudoagent/core'
import { createSigner, generatePrivateKey } from '@sudoagent/crypto'
import { openLedgerReader, select } from '@sudoagent/ledger'
import { SqliteLedger } from '@sudoagent/ledger/sqlite'
import { AirlinePolicy, DeskApprover, type RecordedCall } from './airline.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const output = join(root, 'demo-output')
const ledgerPath = join(output, 'ledger.sqlite')
const publicKeyPath = join(output, 'public-key.pem')

rmSync(output, { recursive: true, force: true })
mkdirSync(output)

say('1. An agent works. Every decision is on disk before the tool runs.\n')
const ran = await guardCalls()
assert.equal(ran, 7, 'exactly the allowed and the approved calls may run')

say('\n2. Anyone can verify the evidence with only the ledger and a public key.')
const verified = sudoagent('verify', ledgerPath, '--public-key', publicKeyPath)
assert.equal(verified.status, 0, 'the ledger must verify')

say('\n3. An outsider verifies one receipt with the public key, without the ledger.')
const receiptPath = join(output, 'receipt.json')
const requestId = await requestOf('POLICY_DENY_HIGH_RISK')
assert.equal(sudoagent('receipt', ledgerPath, '--request-id', requestId, '--output', receiptPath).status, 0)
const proven = sudoagent('receipt', 'verify', receiptPath, '--public-key', publicKeyPath)
assert.equal(proven.status, 0, 'the receipt must verify')

say('\n4. A forger changes the denied certificate from $5000 to $1000 in a copy: one byte.')
const copyPath = join(output, 'tampered.sqlite')
const offset = changeOneByte(copyPath, '"amount":5000', '"amount":1000')
say(`   byte ${offset}: "5" -> "1"`)
const tampered = sudoagent('verify', copyPath, '--public-key', publicKeyPath)
assert.equal(tampered.status, 1, 'the copy must not verify')
assert.match(tampered.output, /ENTRY_HASH_MISMATCH/, 'the report must say what is wrong')

say(
  '\n5. Another forger removes the last three entries from a text copy. The remaining entries are signed and in order.',
)
const textPath = join(output, 'ledger.jsonl')
assert.equal(sudoagent('export', ledgerPath, '--format', 'ndjson', '--output', textPath).status, 0)
assert.equal(sudoagent('checkpoint', ledgerPath, '--output', `${textPath}.head`).status, 0)
const cutPath = join(output, 'cut.jsonl')
copyFileSync(`${textPath}.head`, `${cutPath}.head`)
writeFileSync(cutPath, readFileSync(textPath, 'utf8').split('\n').slice(0, -4).join('\n').concat('\n'))
const cut = sudoagent('verify', cutPath, '--public-key', publicKeyPath)
assert.equal(cut.status, 1, 'the copy must not verify')
assert.match(cut.output, /TRUNCATED/, 'the report must say what is wrong')

say(
  `\nDone: the ledger verifies, no forged copy does, and the reports say why. All files are in ${relative('.', output) || '.'}/`,
)

/** The first call that was denied for this reason. */
async function requestOf(reasonCode: string): Promise<string> {
  const reader = await openLedgerReader(ledgerPath)
  try {
    for await (const { entry } of select(reader, { reasonCode, event: 'decision', limit: 1 }))
      return entry.request_id ?? ''
    throw new Error('no such call')
  } finally {
    await reader.close()
  }
}

/** Runs the recorded calls through a guarded engine. @returns the number of tools that ran */
async function guardCalls(): Promise<number> {
  const key = generatePrivateKey()
  writeFileSync(publicKeyPath, key.publicKey.pem)
  // A production key stays with the signing process. The demo stores its key so that the reader can
  // try `sudoagent key rotate`.
  writeFileSync(join(output, 'private-key.pem'), key.pem, { mode: 0o600 })
  const ledger = SqliteLedger.open(ledgerPath, { signer: createSigner(key) })
  const desk = new DeskApprover()
  let asked = false
  const engine = new SudoEngine({
    policy: new AirlinePolicy(),
    agentId: 'airline-agent',
    ledger,
    approver: {
      approve: (request) => {
        asked = true
        return desk.approve(request)
      },
    },
    budget: new MemoryBudget({ windowMs: 3_600_000, perTool: { book_reservation: 2 }, perToolDefault: null }),
  })
  let ran = 0
  const lines = readFileSync(new URL('../data/airline-calls.jsonl', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
  for (const line of lines) {
    const call = JSON.parse(line) as RecordedCall
    const tool = engine.guard(
      async (_input: RecordedCall['arguments']) => {
        ran += 1
        return call.result
      },
      { action: call.tool },
    )
    asked = false
    const shown = `${call.tool}(${JSON.stringify(call.arguments)})`
    try {
      await tool(call.arguments)
      say(`   ${asked ? 'approved' : 'allowed '}  ${clip(shown)}`)
    } catch (error) {
      if (!(error instanceof ApprovalDenied)) throw error
      say(`   DENIED    ${clip(shown)}\n             ${error.code}: ${error.reason}`)
    }
  }
  await ledger.close()
  return ran
}

/** Copies the ledger and, in the copy, changes the first byte that differs between two texts of the same length. */
function changeOneByte(path: string, from: string, to: string): number {
  copyFileSync(ledgerPath, path)
  const bytes = readFileSync(path)
  const at = bytes.indexOf(from) + [...from].findIndex((char, index) => char !== to[index])
  assert.ok(bytes.includes(from), 'the text to forge must be there')
  bytes[at] = to.charCodeAt(at - bytes.indexOf(from))
  writeFileSync(path, bytes)
  return at
}

/** Runs the command line as a user would, and prints its output. */
function sudoagent(...args: string[]): { readonly status: number | null; readonly output: string } {
  say(`\n   $ sudoagent ${args.map((arg) => (arg.startsWith('/') ? relative(root, arg) : arg)).join(' ')}`)
  const bin = join(root, 'node_modules', 'sudoagent', 'bin', 'sudoagent.cjs')
  const relativeArgs = args.map((arg) => (arg.startsWith('/') ? relative(root, arg) : arg))
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...relativeArgs], {
    cwd: root,
    encoding: 'utf8',
  })
  for (const line of `${stdout}${stderr}`.trimEnd().split('\n')) say(`   ${line}`)
  return { status, output: `${stdout}${stderr}` }
}

function clip(text: string): string {
  return text.length <= 96 ? text : `${text.slice(0, 95)}…`
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
