// Tests commitments where a call is resumed in another process: arguments before redaction can be compared there.
import { describe, expect, it } from 'vitest'
import { asked, CALL, office } from '../fixtures/office.js'
import { shelf } from '../fixtures/questions.js'

describe('a commitment', () => {
  const key = new Uint8Array(32).fill(7)
  const CALLS = [
    ['a secret', { amount: 50, api_key: 'sk-one' }, { amount: 50, api_key: 'sk-two' }],
    ['a text in NFD', { to: 'Ade\u0301le' }, { to: 'Ad\u00e9le' }],
  ] as const

  it.each(CALLS)('lets another process attach: %s', async (_, first, second) => {
    const place = shelf('sqlite')
    const { engine, approve } = office(place, { commitmentKey: key, unicode: 'normalize' })
    const { approvalId } = await asked(engine(), { ...CALL, args: [first] })
    await approve(approvalId)
    for (const commitmentKey of [key, new Uint8Array(32).fill(8)])
      expect(await engine({ commitmentKey }).resume(approvalId, { ...CALL, args: [second] })).toMatchObject({
        code: 'APPROVAL_NOT_FOUND',
      })
    const other = engine({ commitmentKey: new Uint8Array(32).fill(8) })
    expect(await other.resume(approvalId, { ...CALL, args: [first] })).toMatchObject({ code: 'APPROVAL_NOT_FOUND' })
    expect(await engine().resume(approvalId, { ...CALL, args: [first] })).toMatchObject({ status: 'allowed' })
    expect((await place.report()).ok).toBe(true)
  })

  it('that differs does not let a call attach, in the same process either', async () => {
    const { engine, approve } = office(shelf('sqlite'), { commitmentKey: key, unicode: 'normalize' })
    const first = engine()
    const [nfd, nfc] = ['Ade\u0301le', 'Ad\u00e9le'].map((to) => ({ ...CALL, args: [{ to }] }))
    const { approvalId } = await asked(first, nfd)
    await approve(approvalId)
    expect(await first.resume(approvalId, nfc ?? CALL)).toMatchObject({ code: 'APPROVAL_NOT_FOUND' })
    expect(await first.resume(approvalId, nfd ?? CALL)).toMatchObject({ status: 'allowed' })
  })

  it('does not let a call with a converted value attach', async () => {
    const { engine, approve } = office(shelf('sqlite'), { commitmentKey: key })
    const call = { ...CALL, args: [{ at: Buffer.from('pay 1 EUR') }] }
    const { approvalId } = await asked(engine(), call)
    await approve(approvalId)
    expect(await engine().resume(approvalId, call)).toMatchObject({ code: 'APPROVAL_NOT_FOUND' })
  })

  it('is that of the question, whatever key the process that resumes has', async () => {
    const place = shelf('sqlite')
    for (const [first, second] of [
      [{ commitmentKey: key }, {}],
      [{}, { commitmentKey: key }],
    ]) {
      const { engine, approve, ledger } = office(place)
      const { approvalId } = await asked(engine(first))
      await approve(approvalId)
      expect(await engine(second).resume(approvalId, CALL)).toMatchObject({ status: 'allowed' })
      await ledger.close()
    }
    expect((await place.report()).findings).toEqual([])
  })
})
