// Writes ledgers with stops and authorities, and compares what two implementations say of each: our verifier, and the
// Python program.
//
//   node interop/python/check_stops.mjs [PYTHON]
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { hashDecisionFacts } from '../../packages/crypto/dist/entry.js'
import { encodeCanonical } from '../../packages/crypto/dist/json.js'
import { openLedgerReader, verify } from '../../packages/ledger/dist/index.js'
import { control, idOf, unsignedLines } from '../ledger-maker.mjs'

const [python = 'python3'] = process.argv.slice(2)
const program = fileURLToPath(new URL('verify_ledger.py', import.meta.url))
const folder = fileURLToPath(new URL('../../test-output/stops', import.meta.url))
mkdirSync(folder, { recursive: true })

const NOTE = { reason: 'incident', by: 'alice' }
const POLICY_HASH = '0'.repeat(64)
const AT = '2026-01-02T03:04:05.000000Z'
const stop = (scope, n = 1, more = {}) => ({ kind: 'stop', stop_id: idOf(n), scope, ...NOTE, ...more })
const resume = (n = 1) => ({ kind: 'resume', stop_id: idOf(n), ...NOTE })
const allow = (more = {}) => ({ allow: true, ...more })
const deny = (more = {}) => ({ allow: false, ...more })

const alice = {
  on_behalf_of: { id: 'alice', type: 'user', assurance: 'asserted', issuer: 'i' },
  tenant: 't',
  session: 's',
}
const scopes = [
  [{ all: true }, true],
  [{ agent: 'b?t' }, true],
  [{ agent: 'b*' }, true],
  [{ agent: 'B*' }, false],
  [{ action: '*' }, true],
  [{ action: 'server/*' }, true],
  [{ action: 'server?tool' }, true],
  [{ action: '*.tool' }, false],
  [{ agent: 'b.t' }, false],
  [{ tenant: 't' }, true],
  [{ tenant: '*' }, false],
  [{ session: 's', tenant: 'u' }, false],
  [{ on_behalf_of: { id: 'alice' } }, true],
  [{ on_behalf_of: { id: 'alice', issuer: 'i' } }, true],
  [{ on_behalf_of: { id: 'alice', issuer: 'j' } }, false],
]
const notScopes = [
  {},
  { all: false },
  { all: true, agent: 'a' },
  { region: 'eu' },
  { agent: '' },
  { on_behalf_of: {} },
  null,
]
const notAuthorities = [
  {},
  { tenant: '' },
  { more: 1 },
  { delegation: [] },
  { delegation: Array.from({ length: 9 }, () => ({ id: 'a' })) },
  { on_behalf_of: { id: 'a', type: 'user', assurance: 'verified' } },
  { on_behalf_of: { id: 'a\nb', type: 'user', assurance: 'asserted' } },
  { on_behalf_of: { id: 'a', type: 'bot', assurance: 'asserted' } },
]

/** Each case: its name, its entries, and whether the ledger verifies. */
const CASES = [
  ...scopes.flatMap(([scope, covered]) => [
    [`allowed under ${JSON.stringify(scope)}`, [stop(scope), allow({ authority: alice })], !covered],
    [`denied under ${JSON.stringify(scope)}`, [stop(scope), deny({ authority: alice })], true],
  ]),
  ['without an authority', [stop({ tenant: 't' }), allow()], true],
  ['resumed', [stop({ all: true }), resume(), allow()], true],
  ['resumed, and another stop is open', [stop({ agent: 'bot' }), stop({ all: true }, 2), resume(2), allow()], false],
  ['resumed twice', [stop({ all: true }), resume(), resume()], false],
  ['resumed without a stop', [resume()], false],
  ['an id twice', [stop({ agent: 'x' }), stop({ agent: 'y' })], false],
  ['an id again, after its end', [stop({ agent: 'x' }), resume(), stop({ agent: 'x' }), allow()], true],
  ['no name', [stop({ all: true }, 1, { by: '' })], false],
  ['a long reason', [stop({ all: true }, 1, { reason: 'x'.repeat(1_025) })], false],
  ['members of a later release', [stop({ agent: 'x' }, 1, { more: [1] }), allow()], true],
  ...notScopes.map((scope) => [`not a scope: ${JSON.stringify(scope)}`, [stop(scope)], false]),
  ...notAuthorities.map((authority) => [
    `not an authority: ${JSON.stringify(authority)}`,
    [allow({ authority })],
    false,
  ]),
  ['a kind of a later release', [{ kind: 'later' }, allow()], true],
]

let passed = 0
for (const [n, [name, parts, isSound]] of CASES.entries()) {
  const path = `${folder}/${n}.jsonl`
  writeFileSync(path, `${linesOf(parts).join('\n')}\n`)
  const reader = await openLedgerReader(path)
  const { ok } = await verify(reader)
  await reader.close()
  const { status, stdout, stderr } = spawnSync(python, [program, path], { encoding: 'utf8' })
  if (ok === isSound && (status === 0) === isSound) passed += 1
  else console.error(`FAILED: ${name}: ours says ${ok}, Python says ${status}, expected ${isSound}: ${stdout}${stderr}`)
}
console.log(`stops and authorities, in two implementations: ${passed} checks passed, ${CASES.length - passed} failed`)
process.exitCode = passed === CASES.length ? 0 : 1

/** The lines of a ledger with these blocks and decisions after its genesis. */
function linesOf(parts) {
  const entries = parts.map((part, n) => ('kind' in part ? control(part, AT) : decision(part, n)))
  return unsignedLines(entries, AT)
}

function decision({ allow: isAllowed, ...more }, n) {
  const parameters = { args: [], kwargs: { n } }
  const call = { requestId: idOf(1_000 + n), decisionAt: AT, policyHash: POLICY_HASH, action: 'server/tool' }
  const actor = { principal: 'bot', source: 'node' }
  return {
    event: 'decision',
    request_id: call.requestId,
    created_at: AT,
    action: call.action,
    agent_id: 'bot',
    actor,
    decision: {
      effect: isAllowed ? 'allow' : 'deny',
      reason: 'r',
      reason_code: 'C',
      policy_id: 'p',
      policy_version: null,
      policy_hash: POLICY_HASH,
      decision_hash: hashDecisionFacts({ ...call, actor }, encodeCanonical(parameters)),
    },
    approval: null,
    budget: null,
    parameters,
    ...more,
  }
}
