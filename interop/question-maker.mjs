// Creates ledgers with questions for `check_questions.mjs`.
import { assertedRequirement, hashAuthority, hashDecisionFacts } from '../packages/crypto/dist/entry.js'
import { encodeCanonical } from '../packages/crypto/dist/json.js'
import { control, idOf, unsignedLines } from './ledger-maker.mjs'

const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5)
const [MINUTE, WEEK] = [60_000, 604_800_000]
const STEPS_MAX = 14
const POLICY_HASH = '0'.repeat(64)
const COMMITMENT = { key_id: '0'.repeat(16), hmac: '1'.repeat(64) }
const NOTE = { reason: 'incident', by: 'alice' }
const AUTHORITIES = [
  undefined,
  undefined,
  { tenant: 't' },
  { on_behalf_of: { id: 'alice', type: 'user', assurance: 'asserted' }, delegation: [{ id: 'a' }, { id: 'b' }] },
]

const timeOf = (ms, microseconds = 0) =>
  new Date(ms).toISOString().replace('Z', `${String(microseconds).padStart(3, '0')}Z`)

/** A generator of pseudo-random numbers (mulberry32), so that a failure can be repeated. */
function randomOf(seed) {
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (n) => Math.floor(next() * n)
  return { below, pick: (list) => list[below(list.length)] }
}

/** Changes of a question that make it invalid, or different from its decision. */
const QUESTION_CHANGES = [
  { approval_id: 'another' },
  { decision_at: '2026-02-30T00:00:00.000000Z' },
  { decision_at: '0000-02-29T23:59:59.999999Z' },
  { decision_hash: '0' },
  { authority_hash: '0'.repeat(64) },
  { policy_hash: 'p' },
  { agent_id: 'z' },
  { redacted: 1 },
  { redacted: 1.5 },
  { redacted: null },
  { commitment: null },
  { commitment: COMMITMENT },
  { requirement: assertedRequirement('r'.repeat(257)) },
  { requirement: { ...assertedRequirement(null), assurance: 'signed', registry_hash: '0'.repeat(64) } },
  { requirement: { ...assertedRequirement(null), factors: [{ group: null, approvals: true }] } },
  { expires_at: '9999-12-31T23:59:59.999999Z' },
  { expires_at: '0000-01-01T00:00:00.000000Z' },
  { more: { of: ['a', 'later', 'release'] } },
]

/** Changes of the approval that answers a question. */
const ANSWER_CHANGES = [
  { approval_id: 'another' },
  { requirement: assertedRequirement(null) },
  { requirement: null },
  { expires_at: timeOf(START_MS) },
  { expires_at: null },
  { redacted: 1 },
  { redacted: true },
  { resolved_at: null },
  { state: 'denied' },
  { binding: null },
]

/** Creates the entries of a ledger step by step. */
class World {
  #random
  /** Whether few entries break a rule. */
  #isCalm
  #nowMs = START_MS
  #microseconds = 0
  #requests = 10
  /** The questions to answer, by request, and the decisions. */
  #asked = new Map()
  #decided = []
  #stops = []

  constructor(random) {
    this.#random = random
    this.#isCalm = random.below(2) === 0
  }

  /** The next entry; null for a step without one. */
  next() {
    const { pick } = this.#random
    const step = pick([...'aaaaarrrrrddooowwsex'])
    if (step === 'w') {
      this.#nowMs += pick([1, 1_000, MINUTE, 5 * MINUTE, 6 * MINUTE, 6 * MINUTE + 1, WEEK])
      this.#microseconds = pick([0, 0, 1, 999])
      return null
    }
    const entry = this.#entry(step)
    return entry && { ...entry, recorded_at: timeOf(this.#nowMs, this.#microseconds) }
  }

  #entry(step) {
    const { below, pick } = this.#random
    const at = timeOf(START_MS)
    if (step === 'a') return this.#question(this.#newRequest(), at)
    if (step === 'r') return this.#answer()
    if (step === 'd') return this.#remember(this.#decision(this.#newRequest(), pick(['allow', 'deny'])))
    if (step === 'o') return this.#outcome()
    if (step === 'x') return control(pick([{ kind: 'later' }, ...(this.#isOdd(2) ? [{ kind: 'asked' }] : [])]), at)
    const stop_id = step === 'e' && this.#stops.length > 0 ? this.#stops.pop() : idOf(below(4) + 90)
    if (step === 'e') return this.#isOdd(2) ? control({ kind: 'resume', stop_id, ...NOTE }, at) : null
    if (!this.#isOdd(2)) return null
    this.#stops.push(stop_id)
    return control({ kind: 'stop', stop_id, scope: pick([{ agent: 'a' }, { tenant: 't' }]), ...NOTE }, at)
  }

  /** Whether the entry should break a rule: one in `n`, or far fewer. */
  #isOdd(n) {
    const { below } = this.#random
    return below(n) === 0 && (!this.#isCalm || below(12) === 0)
  }

  #newRequest() {
    if (this.#isOdd(2)) return this.#random.below(4)
    this.#requests += 1
    return this.#requests
  }

  #decision(n, effect) {
    const { pick } = this.#random
    const authority = this.#isOdd(6) ? {} : pick(AUTHORITIES)
    const call = decisionOf(n, { agent: pick(['a', 'b']), variant: this.#isOdd(5) ? 1 : 0, effect })
    return { ...call, ...(authority === undefined ? {} : { authority }) }
  }

  #question(n, at) {
    const { below, pick } = this.#random
    const decision = this.#decision(n, 'allow')
    const expiresMs =
      this.#nowMs + (this.#isOdd(4) ? pick([0, WEEK + 1]) : pick([1_000, 5 * MINUTE, 5 * MINUTE, WEEK - 1]))
    const expires_at = timeOf(expiresMs, pick([0, 0, this.#microseconds, 500]))
    const commitment = below(4) === 0 ? COMMITMENT : undefined
    const block = questionAbout(decision, { expires_at, commitment, redacted: below(3) })
    this.#asked.set(n, { decision, block })
    return control({ ...block, ...(this.#isOdd(4) ? pick(QUESTION_CHANGES) : {}) }, at)
  }

  #answer() {
    const { pick } = this.#random
    const n = this.#isOdd(3) ? this.#random.below(4) : ([...this.#asked.keys()][0] ?? this.#newRequest())
    const isAsked = this.#asked.has(n)
    if (!isAsked && this.#isCalm) return null
    const decision = this.#asked.get(n)?.decision ?? this.#decision(n, 'allow')
    const about = { expires_at: timeOf(START_MS + 5 * MINUTE), redacted: 0 }
    const asked = this.#asked.get(n)?.block ?? questionAbout(decision, about)
    if (!this.#isOdd(3)) this.#asked.delete(n)
    const answered = answerTo(decision, asked, this.#isOdd(4) ? pick(ANSWER_CHANGES) : {})
    // An earlier release neither records the question nor its requirement.
    if (this.#isOdd(8)) answered.approval = withoutRequirement(answered.approval)
    if (this.#isOdd(8)) answered.agent_id = 'z'
    answered.decision = { ...answered.decision, effect: pick(['allow', 'allow', 'deny']) }
    return this.#remember(answered)
  }

  #remember(decision) {
    this.#decided.push(decision)
    return decision
  }

  #outcome() {
    const { pick } = this.#random
    const open = this.#decided.filter(({ decision }) => decision.effect === 'allow' || this.#isOdd(2))
    if (open.length === 0) return null
    const decided = pick(open)
    if (!this.#isOdd(4)) this.#decided = this.#decided.filter((other) => other !== decided)
    const { approval: _a, budget: _b, commitment: _c, ...call } = decided
    const { effect: _, ...decision } = call.decision
    const outcome = { status: 'success', reason: null, reason_code: null, error_type: null, error: null }
    return { ...call, event: 'outcome', decision, outcome, ...(this.#isOdd(6) ? { action: 'another' } : {}) }
  }
}

/** The decision about request `n`. */
function decisionOf(n, { agent, effect, variant = 0 }) {
  const created_at = timeOf(START_MS + n)
  const parameters = { args: [], kwargs: { n, variant } }
  const actor = { principal: agent, source: 'node' }
  const facts = { requestId: idOf(n), decisionAt: created_at, policyHash: POLICY_HASH, action: 'tool', actor }
  return {
    event: 'decision',
    request_id: idOf(n),
    created_at,
    action: 'tool',
    agent_id: agent,
    actor,
    decision: {
      effect,
      reason: 'r',
      reason_code: null,
      policy_id: 'p',
      policy_version: null,
      policy_hash: POLICY_HASH,
      decision_hash: hashDecisionFacts(facts, encodeCanonical(parameters)),
    },
    approval: null,
    budget: null,
    parameters,
  }
}

function questionAbout(decision, { expires_at, redacted, commitment }) {
  const { request_id, created_at, action, agent_id, authority, decision: block } = decision
  return {
    kind: 'asked',
    approval_id: request_id,
    request_id,
    decision_at: created_at,
    decision_hash: block.decision_hash,
    ...(authority === undefined ? {} : { authority }),
    authority_hash: hashAuthority(authority ?? null),
    policy_hash: block.policy_hash,
    action,
    agent_id,
    requirement: assertedRequirement('refunds'),
    redacted,
    ...(commitment === undefined ? {} : { commitment }),
    expires_at,
  }
}

function answerTo(decision, asked, change) {
  const { decision_hash, policy_hash } = decision.decision
  const approval = {
    approval_id: asked.approval_id,
    state: 'approved',
    approver_id: 'ops',
    created_at: timeOf(START_MS),
    resolved_at: timeOf(START_MS),
    expires_at: asked.expires_at,
    binding: { request_id: decision.request_id, policy_hash, decision_hash },
    requirement: asked.requirement,
    redacted: asked.redacted,
    registry: null,
    statements: [],
    ...change,
  }
  return { ...decision, approval, ...(asked.commitment === undefined ? {} : { commitment: asked.commitment }) }
}

function withoutRequirement({ requirement: _q, redacted: _r, registry: _g, statements: _s, ...approval }) {
  return approval
}

/** The lines of a ledger of random steps. */
export function randomLines(seed) {
  const world = new World(randomOf(seed))
  const entries = Array.from({ length: STEPS_MAX }, () => world.next()).filter((entry) => entry !== null)
  return unsignedLines(entries, timeOf(START_MS))
}

/** A ledger with 10,000 open questions after one that expired, and one question too many until one is answered. */
export function fullLines() {
  const LATER_MS = 6 * MINUTE + 1
  const at = (n, ms) => {
    const decision = decisionOf(n, { agent: `agent ${n % 101}`, effect: 'deny' })
    const question = questionAbout(decision, { expires_at: timeOf(START_MS + ms + 5 * MINUTE), redacted: 0 })
    const recorded_at = timeOf(START_MS + ms)
    return {
      asked: { ...control(question, recorded_at), recorded_at },
      denied: { ...answerTo(decision, question, { state: 'denied' }), recorded_at },
    }
  }
  const open = Array.from({ length: 10_000 }, (_, n) => at(n + 1, LATER_MS))
  const [more, another] = [at(20_000, LATER_MS), at(20_001, LATER_MS)]
  const entries = [at(0, 0).asked, ...open.map(({ asked }) => asked), more.asked, open[5].denied, another.asked]
  return unsignedLines([...entries, more.denied], timeOf(START_MS))
}
