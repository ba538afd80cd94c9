// The demo: an agent's calls to an airline's booking system, guarded; then the evidence, checked; then a forger, caught.
import { strict as assert } from 'node:assert'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ApprovalDenied, MemoryBudget, SudoEngine } from '@sudoagent/core'
import { createSigner, generatePrivateKey } from '@sudoagent/crypto'
import { SqliteLedger } from '@sudoagent/ledger/sqlite'
import { AirlinePolicy, DeskApprover, type RecordedCall } from './airline.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const output = join(root, 'demo-output')
const ledgerPath = join(output, 'ledger.sqlite')
const publicKeyPath = join(output, 'public-key.pem')

rmSync(output, { recursive: true, force: true })
mkdirSync(output)

say('1. An agent works. Every call is decided, and the decision is on disk, before the tool runs.\n')
const ran = await guardCalls()
assert.equal(ran, 7, 'exactly the allowed and the approved calls may run')

say('\n2. Anybody can check the evidence: no engine, only the ledger and a public key.')
const intact = sudoagent('verify', ledgerPath, '--public-key', publicKeyPath)
assert.equal(intact.status, 0, 'the ledger must verify')
assert.equal(sudoagent('export', ledgerPath, '--format', 'ndjson', '--output', join(output, 'ledger.jsonl')).status, 0)

say('\n3. A forger turns the denied certificate of $5000 into $1000, in a copy: one byte.')
const copyPath = join(output, 'tampered.sqlite')
const offset = changeOneByte(copyPath, '"amount":5000', '"amount":1000')
say(`   byte ${offset}: "5" -> "1"`)
const tampered = sudoagent('verify', copyPath, '--public-key', publicKeyPath)
assert.equal(tampered.status, 1, 'the copy must not verify')
assert.match(tampered.output, /ENTRY_HASH_MISMATCH/, 'the report must say what is wrong')

say(
  `\nDone: the ledger verifies, the forged copy does not, and the report says where. All of it is in ${relative('.', output) || '.'}/`,
)

/** Runs the recorded calls through a guarded engine. @returns how many tools ran */
async function guardCalls(): Promise<number> {
  const key = generatePrivateKey()
  writeFileSync(publicKeyPath, key.publicKey.pem)
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
    budget: new MemoryBudget({ windowMs: 3_600_000, perTool: { book_reservation: 2 } }),
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

/** Copies the ledger and changes the first byte in which two texts of the same length differ. */
function changeOneByte(path: string, from: string, to: string): number {
  copyFileSync(ledgerPath, path)
  const bytes = readFileSync(path)
  const at = bytes.indexOf(from) + [...from].findIndex((char, index) => char !== to[index])
  assert.ok(bytes.includes(from), 'the text to forge must be there')
  bytes[at] = to.charCodeAt(at - bytes.indexOf(from))
  writeFileSync(path, bytes)
  return at
}

/** Runs the command-line tool as a user would, and shows what it says. */
function sudoagent(...args: string[]): { readonly status: number | null; readonly output: string } {
  say(`\n   $ sudoagent ${args.map((arg) => (arg.startsWith('/') ? relative(root, arg) : arg)).join(' ')}`)
  const bin = join(root, 'node_modules', 'sudoagent', 'bin', 'sudoagent.js')
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
