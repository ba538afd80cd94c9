// Measures questions: what an approved call costs above its durable writes, what open questions cost a writer, and how
// many commits simultaneous questions take.
//
//   node bench/questions.mjs [--quick] [--json FILE]
import { cpSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { ImmediateApprover, SudoEngine } from '../packages/core/dist/index.js'
import { SqliteLedger } from '../packages/ledger/dist/store/sqlite/ledger.js'
import { allowedCall } from './call.mjs'
import { rawLedger, storedRows } from './floor.mjs'
import { readOptions } from './options.mjs'
import { alternate, inFlight } from './rounds.mjs'
import { report, row } from './table.mjs'

const { size, json, work } = readOptions()
const Database = createRequire(new URL('../packages/ledger/package.json', import.meta.url))('better-sqlite3')
const rounds = size(7, 1)
const OPEN = size(10_000, 20)

report('questions', [await approved(), await opening(), await besideOpen(), await together()], json)

/** Approved calls one at a time; floor: three durable commits of the same bytes, without any of our code. */
async function approved() {
  const count = size(400, 10)
  const path = join(work, 'approved.sqlite')
  const engine = await SudoEngine.open({
    agentId: 'bot',
    policy: { policyId: 'p', version: '1', evaluate: () => ({ decision: 'require_approval', reason: 'look' }) },
    approver: new ImmediateApprover(true, { approverId: 'alice' }),
    ledger: SqliteLedger.open(path),
  })
  const call = engine.guard('act', async (n) => n)
  await inFlight(size(100, 3), 1, call)
  const rows = storedRows(path, 3)
  const raw = rawLedger(join(work, 'raw.sqlite'))
  const commitThree = () => {
    for (const one of rows) raw.commit([one])
  }
  const ms = await alternate(rounds, {
    floor: () => inFlight(count, 1, async () => commitThree()),
    figure: () => inFlight(count, 1, call),
  })
  raw.close()
  await engine.close()
  return row({ work: `${count} approved calls, floor: 3 commits each`, unit: 'ms', ...ms, atMost: 1.3 })
}

/** A ledger with open questions of many agents, and one with as many entries and none. */
async function withQuestions() {
  const asked = join(work, 'asked.sqlite')
  const plain = join(work, 'plain.sqlite')
  for (const path of [asked, plain]) {
    const ledger = SqliteLedger.open(path)
    await inFlight(OPEN, 512, async (n) => {
      const { decision } = allowedCall(n)
      if (path === plain) return await ledger.append(decision)
      return await ledger.ask(questionOf({ ...decision, agent_id: `agent ${n % 200}` }))
    })
    await ledger.close()
  }
  return { asked, plain }
}

function questionOf({ request_id, created_at, decision, action, agent_id }) {
  return {
    requestId: request_id,
    decisionAt: created_at,
    decisionHash: decision.decision_hash,
    policyHash: decision.policy_hash,
    action,
    agentId: agent_id,
    requirement: {
      rule: null,
      factors: [{ group: null, approvals: 1 }],
      assurance: 'asserted',
      registry_hash: null,
    },
    redacted: 0,
    ttlMs: 604_800_000,
  }
}

/** Opening a ledger, floor: without open questions. */
async function opening() {
  const { asked, plain } = await withQuestions()
  const count = size(50, 2)
  const openTimes = async (path) => {
    for (let n = 0; n < count; n += 1) await SqliteLedger.open(path).close()
  }
  const ms = await alternate(rounds, { floor: () => openTimes(plain), figure: () => openTimes(asked) })
  return row({ work: `${count} openings with ${OPEN} open questions`, unit: 'ms', ...ms, atMost: 1.5 })
}

/** Calls without an approval on a ledger with open questions, floor: without any. */
async function besideOpen() {
  const count = size(1_000, 20)
  const ledgers = ['plain', 'asked'].map((name) => {
    const path = join(work, `beside-${name}.sqlite`)
    cpSync(join(work, `${name}.sqlite`), path)
    return SqliteLedger.open(path)
  })
  const [plain, asked] = ledgers
  let next = OPEN
  const append = (ledger) =>
    inFlight(count, 1, () => {
      next += 1
      return ledger.append(allowedCall(next).decision)
    })
  const ms = await alternate(rounds, { floor: () => append(plain), figure: () => append(asked) })
  await Promise.all(ledgers.map((ledger) => ledger.close()))
  return row({ work: `${count} decisions beside ${OPEN} open questions`, unit: 'ms', ...ms })
}

/** Transactions of 64 questions that are asked at once. */
async function together() {
  const path = join(work, 'together.sqlite')
  const ledger = SqliteLedger.open(path)
  await ledger.begin()
  const watcher = new Database(path, { readonly: true })
  const head = watcher.prepare('SELECT size FROM sudoagent_head').pluck()
  const sizes = new Set()
  const asked = Array.from({ length: 64 }, async (_, n) => {
    await ledger.ask(questionOf(allowedCall(n).decision))
    sizes.add(head.get())
  })
  await Promise.all(asked)
  watcher.close()
  await ledger.close()
  return row({ work: 'commits of 64 questions asked at once', unit: 'commits', figure: sizes.size, atMost: 4 })
}
