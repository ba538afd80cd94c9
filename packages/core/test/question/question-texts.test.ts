// Tests the texts of questions: Unicode forms, terminal escapes, and metadata of earlier callers.
import { select, verify } from '@sudoagent/ledger'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, it } from 'vitest'
import { decisionDraft } from '../../../ledger/test/fixtures/draft.js'
import type { ApprovalRequest } from '../../src/approval/approval.js'
import { promptRows } from '../../src/approval/prompt.js'
import { showsBoundCall } from '../../src/approval/shown.js'
import { ASK, olderLedger, policyOf } from '../fixtures/boundary.js'
import { asking, decisionsOf, KINDS, questionsOf, shelf } from '../fixtures/questions.js'

const NFD = 'cafe\u0301'
const NFC = 'caf\u00e9'
const ESCAPES = '\u001b[2J\u202e\u0007'

describe.each(KINDS)('%s: the texts of a question', (kind) => {
  it('are recorded in NFC, and its decision has the same agent, action and hash', async () => {
    const place = shelf(kind)
    const requests: ApprovalRequest[] = []
    const a = asking(
      place,
      (request) => {
        requests.push(request)
        return { approved: true, approverId: NFD }
      },
      { agentId: NFD, policy: policyOf(() => ({ ...ASK, reason: NFD, ruleId: NFD })) },
    )
    await a.engine.execute(() => 'done', [], { action: NFD, tenant: NFD, metadata: { label: NFD } })
    const lines = await place.lines()
    const [question] = questionsOf(lines)
    const [decision] = decisionsOf(lines)
    expect(question).toMatchObject({
      agent_id: NFC,
      action: NFC,
      requirement: { rule: NFC },
      authority: { tenant: NFC },
    })
    expect(decision).toMatchObject({
      agent_id: NFC,
      action: NFC,
      approval: { approver_id: NFC, requirement: { rule: NFC } },
    })
    expect(question?.decision_hash).toBe(decision?.decision?.decision_hash)
    expect(requests.map((request) => showsBoundCall(request))).toEqual([true])
    expect(await place.report()).toMatchObject({ ok: true, questions: { open: 0 } })
  })

  it('with terminal escapes are recorded as given, and escaped where they are shown', async () => {
    const place = shelf(kind)
    const requests: ApprovalRequest[] = []
    const a = asking(
      place,
      (request) => {
        requests.push(request)
        return { approved: false, approverId: `bob${ESCAPES}`, reason: `no${ESCAPES}` }
      },
      {
        agentId: `agent${ESCAPES}`,
        policy: policyOf(() => ({ ...ASK, reason: `look${ESCAPES}`, ruleId: `rule${ESCAPES}` })),
      },
    )
    await a.engine.authorize({
      action: `tool${ESCAPES}`,
      args: [{ [`key${ESCAPES}`]: `value${ESCAPES}` }],
      requestId: `r${ESCAPES}`,
    })
    const shown = requests.flatMap((request) => promptRows(request, new Date(), 80)).join('\n')
    for (const label of ['agent', 'tool', 'look', 'rule', 'key', 'value']) expect(shown).toContain(label)
    expect(shown).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u)
    expect(decisionsOf(await place.lines())[0]).toMatchObject({ approval: { approver_id: `bob${ESCAPES}` } })
    expect((await place.report()).ok).toBe(true)
  })

  it('may be equal to those of another question: two calls at once are two questions', async () => {
    const place = shelf(kind)
    const a = asking(place, () => true, { clock: () => new Date(Date.UTC(2027, 0, 1)) })
    await Promise.all([a.tool({ amount: 50 }), a.tool({ amount: 50 })])
    const hashes = questionsOf(await place.lines()).map(({ decision_hash: hash }) => hash)
    expect([hashes.length, new Set(hashes).size, a.asked(), a.runs()]).toEqual([2, 2, 2, 2])
    expect((await place.report()).ok).toBe(true)
  })
})

describe('a ledger of an earlier caller', () => {
  it('whose metadata has a member `call` of its own verifies, and takes questions', async () => {
    const ledger = new MemoryLedger()
    await ledger.append({ ...decisionDraft(1), metadata: { call: 'monthly run' } })
    const place = { ...shelf('memory'), open: () => ledger }
    const a = asking(place)
    expect(await a.tool()).toBe('done')
    expect(await verify(ledger.reader())).toMatchObject({ ok: true, decisions: 2 })
    for await (const { entry } of select(ledger.reader(), { event: 'decision' })) {
      expect(entry).toMatchObject({ metadata: { call: 'monthly run' } })
      break
    }
  })

  it('whose decision has an approval of the older form verifies next to a question', async () => {
    const ledger = new MemoryLedger()
    const place = { ...shelf('memory'), open: () => ledger }
    expect(await asking(place, () => true, { ledger: olderLedger(ledger) }).tool()).toBe('done')
    expect(await asking(place).tool()).toBe('done')
    expect(await verify(ledger.reader())).toMatchObject({ ok: true, decisions: 2 })
  })

  it('is the only one that may have `metadata.call`: that of a caller is refused', async () => {
    const place = shelf('memory')
    const a = asking(place)
    const told = await a.engine.authorize({ action: 'tool', metadata: { call: 'monthly run' } })
    expect(told).toMatchObject({ status: 'denied', code: 'AUTHORITY_INVALID' })
    expect([a.asked(), (await place.report()).ok]).toEqual([0, true])
  })
})
