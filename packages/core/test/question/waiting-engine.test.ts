// Tests the options and methods for guards: an approver for one call, a condition for attaching, and the list of open
// questions.
import { describe, expect, it } from 'vitest'
import { ImmediateApprover } from '../../src/approval/immediate.js'
import { asked, CALL, NO_WAIT, office } from '../fixtures/office.js'
import { decisionsOf, KINDS, shelf } from '../fixtures/questions.js'

describe.each(KINDS)('%s', (kind) => {
  it('the approver of a call is asked instead of that of the engine', async () => {
    const place = shelf(kind)
    const { engine } = office(place, { approver: new ImmediateApprover(false, { approverId: 'engine' }) })
    const approver = new ImmediateApprover(true, { approverId: 'call' })
    expect(await engine().authorize({ ...CALL, approver })).toMatchObject({ status: 'allowed' })
    expect(await engine().authorize(CALL)).toMatchObject({ status: 'denied' })
    const approvers = decisionsOf(await place.lines()).map(({ approval }) => approval?.approver_id)
    expect(approvers).toEqual(['call', 'engine'])
  })

  it('a call with a request id attaches only with a condition, and the condition decides', async () => {
    const place = shelf(kind)
    const { engine } = office(place)
    const { approvalId } = await asked(engine(), { ...CALL, metadata: { ticket: 'T-1' } })
    const seen: unknown[] = []
    const withTicket = (ticket: string) => ({
      ...CALL,
      requestId: `own-${ticket}`,
      attach: (question: { readonly requestId: string; readonly metadata: object }) => {
        seen.push(question)
        return Reflect.get(question.metadata, 'ticket') === ticket
      },
    })
    const { attach: _, ...without } = withTicket('T-0')
    expect(await engine().authorize(without, NO_WAIT)).toMatchObject({ status: 'pending', approvalId: 'own-T-0' })
    expect(await engine().authorize(withTicket('T-1'), NO_WAIT)).toMatchObject({ status: 'pending', approvalId })
    expect(await engine().authorize(withTicket('T-2'), NO_WAIT)).toMatchObject({ approvalId: 'own-T-2' })
    expect(seen).toContainEqual({ requestId: approvalId, metadata: { ticket: 'T-1' } })
    for (const attach of [() => false, () => 'yes' as never, () => 1 as never])
      expect(await engine().resume(approvalId, { ...CALL, attach }, NO_WAIT)).toMatchObject({
        code: 'APPROVAL_NOT_FOUND',
      })
  })

  it('lists the open questions of its agent, and no others', async () => {
    const place = shelf(kind)
    const { engine, approve } = office(place)
    const one = await asked(engine())
    const two = await asked(engine(), { ...CALL, args: [{ amount: 51, to: 'bob' }] })
    await asked(engine({ agentId: 'agent-2' }))
    const ids = async () => (await engine().questions()).map(({ approvalId }) => approvalId).sort()
    expect(await ids()).toEqual([one.approvalId, two.approvalId].sort())
    await approve(one.approvalId)
    expect(await ids()).toHaveLength(2)
    expect(await engine().resume(one.approvalId, CALL)).toMatchObject({ status: 'allowed' })
    expect(await ids()).toEqual([two.approvalId])
  })
})

it('options that are wrong are a TypeError', async () => {
  const { engine } = office(shelf(KINDS[0]))
  await expect(engine().authorize({ ...CALL, attach: true as never })).rejects.toThrow(/attach/)
  await expect(engine().authorize({ ...CALL, approver: {} as never })).rejects.toThrow(/approver/)
  const { engine: older } = office(shelf(KINDS[0]), {
    ledger: { append: async () => ({}) as never, close: async () => {} },
  })
  await expect(older().questions()).rejects.toThrow(/records questions/)
})
