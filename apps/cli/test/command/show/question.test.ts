// Tests `sudoagent show` on questions: they are shown with their call.
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { requestIdOf } from '../../support/draft.js'
import { writeQuestions } from '../../support/question.js'
import { Sandbox } from '../../support/sandbox.js'

const box = new Sandbox()
const LEDGERS = ['l.sqlite', 'l.jsonl']
beforeAll(async () => {
  for (const name of LEDGERS) await writeQuestions(box.path(name))
})
afterAll(() => box.remove())

const text = (ledger: string, call: string): string => {
  const { code, stdout, stderr } = box.run(['show', ledger, call, '--format', 'text'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}
const json = (ledger: string, call: string) => JSON.parse(box.run(['show', ledger, call]).stdout)

describe.each(LEDGERS)('%s', (ledger) => {
  it('shows the question of a call before its decision, by its request id and by each position', () => {
    const story = text(ledger, requestIdOf(1))
    expect(story).toContain(`call           ${requestIdOf(1)}
action         refund_user
agent          support-bot
for            user alice, asserted
tenant         acme

question       answered  entry 2, recorded 2026-11-22T20:00:00.000000Z
  rule         large-refunds
  needs        1 approval
  redacted     2 values are not shown as the call gets them
  expires      2026-11-22T20:05:00.000000Z
decision       allow  entry 3, recorded 2026-11-22T20:01:10.000000Z
`)
    expect(story).toContain('approval       approved by bob\n')
    expect(story).toMatch(/\n {2}entry 2 {6}[0-9a-f]{64}\n {2}entry 3/)
    for (const position of ['2', '3', '4']) expect(text(ledger, position)).toBe(story)
  })

  it('shows a question without a decision: open, or expired', () => {
    const open = text(ledger, requestIdOf(4))
    expect(open).toContain('question       open  entry 10, ')
    expect(open).toContain('  redacted     1 value is not shown as the call gets it\n')
    expect(open).toContain('  expires      2026-11-29T20:10:00.000000Z\n')
    expect(open).toContain('decision       none yet: the question is open\n')
    expect(open).not.toMatch(/^(?:outcome|approval|budget|parameters)/m)
    expect(text(ledger, '5')).toContain('decision       none: the question expired\n')
  })

  it('is the same as JSON', () => {
    const { entry, ...question } = json(ledger, '3').question
    expect(question).toEqual({ position: 2, state: 'answered' })
    expect(entry.checkpoint).toMatchObject({ kind: 'asked', request_id: requestIdOf(1), redacted: 2 })
    expect(json(ledger, requestIdOf(1))).toMatchObject({ state: 'success', decision: { position: 3 }, others: [] })
    expect(json(ledger, '10')).toMatchObject({ state: 'asked', question: { state: 'open' }, decision: null })
    expect(json(ledger, '5')).toMatchObject({ state: 'expired', question: { state: 'expired' }, decision: null })
  })

  it('finds it with filter and search, in every format', () => {
    const rows = box.run(['filter', ledger, '--request-id', requestIdOf(1), '--format', 'table']).stdout
    expect(rows).toMatch(/^2 .* refund_user +support-bot +alice \(acme\) +asked +until 2026-\S+, rule large-refunds$/m)
    const found = box.run(['search', ledger, '--query', 'large-refunds', '--format', 'ndjson']).stdout
    expect(found.trim().split('\n')).toHaveLength(4)
    const csv = box.run(['filter', ledger, '--request-id', requestIdOf(4), '--format', 'csv']).stdout
    expect(csv.split('\r\n')[1]).toMatch(/^10,checkpoint,00000000-\S+?,.*,refund_user,support-bot,.*,alice,acme,$/)
    expect(
      box.run(['filter', ledger, '--tenant', 'acme', '--event', 'checkpoint']).stdout.trim().split('\n'),
    ).toHaveLength(3)
  })
})

describe('a ledger that does not verify', () => {
  it('the question of a decision is missing, or another one is there', () => {
    const lines = readFileSync(box.path('l.jsonl'), 'utf8').split('\n')
    writeFileSync(box.path('missing.jsonl'), lines.toSpliced(1, 1).join('\n'))
    expect(text('missing.jsonl', requestIdOf(1))).toContain('question       missing: the decision has a requirement')
    writeFileSync(box.path('twice.jsonl'), lines.toSpliced(1, 0, lines[1] ?? '').join('\n'))
    expect(text('twice.jsonl', requestIdOf(1))).toContain('earlier        question at entry 2, before the one above\n')
    writeFileSync(box.path('behind.jsonl'), lines.toSpliced(4, 0, lines[1] ?? '').join('\n'))
    expect(text('behind.jsonl', requestIdOf(1))).toContain(
      'also           entry 5 names this call too, as a question\n',
    )
  })
})

describe.each([80, 40])('on a terminal of %i columns', (columns) => {
  it('no row is wider, and no value starts a row', () => {
    for (const call of ['3', '5', '10']) {
      const rows = plain(box.terminal(['show', 'l.sqlite', call], columns).stdout).split(/\r?\n/)
      for (const row of rows.slice(0, rows.indexOf('hashes'))) {
        expect(row.length).toBeLessThanOrEqual(columns)
        expect(row).toMatch(
          /^(?:$|call|action|agent|for|tenant|question|decision|approval|budget|outcome|parameters| )/,
        )
      }
    }
  })

  it('is coloured at the word alone', () => {
    const { stdout } = box.terminal(['show', 'l.sqlite', '10'], columns)
    expect(stdout).toContain('\u001b[1mopen\u001b[22m')
  })
})

/** The text without colours. */
const plain = (screen: string): string => screen.replaceAll(/\u001b\[\d*m/g, '')
