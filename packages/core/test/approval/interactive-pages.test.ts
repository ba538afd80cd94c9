// Tests that a call with several pages of rows can be approved only after all pages have been shown.
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { requestOf } from '../fixtures/approval.js'
import { ask, FakeTerminal, never, QUESTION } from '../fixtures/terminal.js'

describe('a call that does not fit on one page', () => {
  const kwargs = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`k${i}`, i]))
  const long = requestOf('r1', { kwargs: { ...kwargs, zz_amount: 1_000_000 } })
  const page = (n: number): string => `page ${n} of 4, the call continues`

  test('is shown to its end before a yes counts', async () => {
    const terminal = new FakeTerminal()
    const answer = ask(terminal, long, never, { maxRows: 20 })
    for (const n of [1, 2, 3]) {
      await terminal.sees(page(n))
      expect(terminal.shown).not.toContain(QUESTION)
      terminal.type('\n')
    }
    await terminal.sees(QUESTION)
    expect(terminal.shown).toContain('"zz_amount": 1000000')
    terminal.type('y\n')
    expect(await answer).toEqual({ approved: true, approverId: 'alice' })
  })

  test.each(['y\n', 'yes\n', 'n\n', ' y\n', 'q\n', 'yes yes\n'])(
    '%j on a page before the last denies',
    async (typed) => {
      for (const stop of [1, 3]) {
        const terminal = new FakeTerminal()
        const answer = ask(terminal, long, never, { maxRows: 20 })
        for (let n = 1; n <= stop; n += 1) {
          await terminal.sees(page(n))
          terminal.type(n === stop ? typed : '\n')
        }
        expect(await answer).toEqual({ approved: false, approverId: 'alice', reason: 'denied at the terminal' })
        expect(terminal.shown).not.toContain('zz_amount')
      }
    },
  )

  test('what is typed ahead does not turn the pages and approve', async () => {
    const terminal = new FakeTerminal()
    const abort = new AbortController()
    const answer = ask(terminal, long, abort.signal, { maxRows: 20 })
    await terminal.sees(page(1))
    terminal.type('\n\n\ny\n')
    await terminal.sees(page(2))
    await sleep(250)
    expect(terminal.shown).not.toContain(page(3))
    abort.abort()
    expect(await answer).toMatchObject({ approved: false, reason: 'the request was cancelled' })
  })

  test.each<[string, string]>([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('%s between pages denies', async (_, typed) => {
    const terminal = new FakeTerminal()
    const answer = ask(terminal, long, never, { maxRows: 20 })
    await terminal.sees(page(1))
    terminal.type(typed)
    expect(await answer).toEqual({ approved: false, reason: 'no answer' })
  })
})
