// Shared by the scripts in this folder: creates ledgers, signed ones of refunds and unsigned ones of any entries, runs
// the command line, and collects checks.
//
// Checks of valid evidence must pass, and checks of altered evidence must fail: a verifier that accepts everything
// would pass only half of them.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { createSigner, generatePrivateKey, sha256Hex } from '../packages/crypto/dist/index.js'
import { encodeCanonical } from '../packages/crypto/dist/json.js'
import { decisionHash } from '../packages/ledger/dist/entry.js'

const CLI = join(import.meta.dirname, '../apps/cli/dist/bin.cjs')
/** Time limit, far longer than the verification of a few entries takes. */
const COMMAND_TIMEOUT_MS = 60_000

/** Runs a program. */
export function run(program, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: COMMAND_TIMEOUT_MS,
    ...options,
  })
  if (error !== undefined) throw error
  return { status, stdout, stderr }
}

/** Runs the command line. */
export const sudoagent = (...args) => run(process.execPath, [CLI, ...args])

/** Returns the command line's standard output. @throws if it fails */
export function sudoagentText(...args) {
  const { status, stdout, stderr } = sudoagent(...args)
  if (status !== 0) throw new Error(`sudoagent ${args[0]}: exit ${status}: ${stderr}`)
  return stdout
}

/** Collects checks. `end` prints them and sets the exit code. */
export class Checks {
  #passed = 0
  #failed = 0

  /** Compares `found` with the expected value. */
  that(what, found, expected) {
    if (found === expected) this.#passed += 1
    else {
      this.#failed += 1
      console.error(`${what}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`)
    }
  }

  end(name) {
    console.log(`${name}: ${this.#passed} checks passed, ${this.#failed} failed`)
    process.exitCode = this.#failed === 0 && this.#passed > 0 ? 0 : 1
  }
}

export const newSigner = () => createSigner(generatePrivateKey())

/** Decision number `n`. */
export function decision(n) {
  const request_id = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
  const [created_at, action, policy_hash] = ['2026-01-02T03:04:05.000000Z', 'payments.refund', 'a'.repeat(64)]
  const actor = { principal: 'bot', source: 'node' }
  const parameters = { args: [n], kwargs: {} }
  const facts = { requestId: request_id, decisionAt: created_at, policyHash: policy_hash, action, actor }
  const names = { policy_id: 'p', policy_version: null, policy_hash, decision_hash: decisionHash(facts, parameters) }
  return {
    event: 'decision',
    request_id,
    created_at,
    action,
    agent_id: 'bot',
    actor,
    decision: { effect: 'allow', reason: 'small', reason_code: null, ...names },
    approval: null,
    budget: null,
    parameters,
    metadata: {},
  }
}

export const idOf = (n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`

/** The entry of a control block. */
export const control = (checkpoint, created_at) => ({ event: 'checkpoint', created_at, checkpoint })

/** The lines of an unsigned ledger: its genesis, then these entries, to which the members of the ledger are added. */
export function unsignedLines(entries, recordedAt) {
  const genesis = {
    kind: 'genesis',
    ledger_id: idOf(0),
    origin: null,
    entries_signed: false,
    keys: [],
    software: { name: 'interop', version: '1' },
  }
  let previous = null
  return [control(genesis, recordedAt), ...entries].map((part) => {
    const entry = {
      recorded_at: recordedAt,
      ...part,
      schema_version: '2.0',
      ledger_version: '2.0',
      prev_entry_hash: previous,
    }
    previous = sha256Hex(encodeCanonical({ ...entry, entry_hash: null }))
    return encodeCanonical({ ...entry, entry_hash: previous })
  })
}
