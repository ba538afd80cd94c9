import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EntryDraft } from '../../src/entry/entry.js'
import { exportCsv } from '../../src/export/csv.js'
import { select } from '../../src/read/query.js'
import { MemoryLedger } from '../../src/store/memory.js'
import { openLedgerReader } from '../../src/store/open.js'
import { anyObject } from '../fixtures/arbitrary.js'
import { parseCsv } from '../fixtures/csv.js'
import {
  approvalOf,
  decisionDraft,
  momentAt,
  outcomeDraft,
  POLICY_HASH,
  requestIdOf,
  testSigner,
  tickingClock,
} from '../fixtures/draft.js'
import { jsonlOf } from '../fixtures/ledger-file.js'

const HEADER = [
  'position event request_id created_at recorded_at action agent_id effect reason reason_code policy_id policy_version',
  'approval_state approver_id budget_cost outcome error_type error parameters metadata decision_hash policy_hash',
  'prev_entry_hash entry_hash key_id on_behalf_of tenant session',
]
  .join(' ')
  .split(' ')

async function csvOf(...drafts: readonly EntryDraft[]): Promise<string> {
  const ledger = new MemoryLedger({ clock: tickingClock(), signer: testSigner(1) })
  for (const draft of drafts) await ledger.append(draft)
  let text = ''
  for await (const chunk of exportCsv(select(ledger.reader()))) text += chunk
  return text
}

/** Returns the rows as objects, with column names as keys. */
async function rowsOf(...drafts: readonly EntryDraft[]): Promise<Record<string, string>[]> {
  const [header = [], ...rows] = parseCsv(await csvOf(...drafts))
  expect(header).toEqual(HEADER)
  // The first row is the genesis entry, which is skipped.
  return rows.slice(1).map((row) => Object.fromEntries(row.map((cell, n) => [header[n] ?? '', cell])))
}

const reasonOf = async (reason: string): Promise<string> =>
  (await rowsOf(decisionDraft(1, { decision: { reason } })))[0]?.reason ?? ''

describe('exportCsv', () => {
  it('is a header alone for nothing', async () => {
    expect(await csvOf()).toBe(`${HEADER.join(',')}\r\n`)
  })

  it('has a row for each entry', async () => {
    const decision = decisionDraft(1)
    const budget = { budget_key: null, agent_id: 'a', action: 'b', cost: 3, window_seconds: 60, checked: true }
    const [first, second] = await rowsOf(
      { ...decision, approval: approvalOf(decision), budget },
      outcomeDraft(decision, { status: 'error', error_type: 'TypeError', error: 'no' }),
    )
    expect(first).toMatchObject({
      position: '2',
      event: 'decision',
      request_id: requestIdOf(1),
      created_at: momentAt(1),
      recorded_at: momentAt(2),
      action: 'payments.refund',
      agent_id: 'support-bot',
      effect: 'allow',
      reason: 'within limit',
      reason_code: 'POLICY_ALLOW_LOW_RISK',
      policy_id: 'refund-policy',
      policy_version: '1',
      approval_state: 'approved',
      approver_id: 'ops@example.com',
      budget_cost: '3',
      outcome: '',
      parameters: '{"args":[],"kwargs":{"amount":1,"to":"customer 1"}}',
      metadata: '{}',
      decision_hash: decision.decision.decision_hash,
      policy_hash: POLICY_HASH,
      key_id: testSigner(1).keyId,
    })
    expect(second).toMatchObject({
      position: '3',
      event: 'outcome',
      effect: '',
      outcome: 'error',
      error_type: 'TypeError',
      error: 'no',
    })
    expect(second?.prev_entry_hash).toBe(first?.entry_hash)
  })

  it.each([
    '=HYPERLINK("http://evil","x")',
    '+1',
    '-1+1',
    '@SUM(A1)',
    '\t1',
    '\r1',
    '\n1',
    '  =1',
    '\u00a0=1',
    '\ufeff=1',
    '＝1',
    '＋1',
    '－1',
    '＠x',
    '|calc',
    '%x',
  ])('defuses a cell that a spreadsheet would run: %j', async (reason) => {
    expect(await reasonOf(reason)).toBe(`'${reason}`)
  })

  it.each(['plain', '5 = 5', 'a-b', '1+1', 'mail@example.com', "'quoted'", '', '{"a":1}', 'Zoë 😀', ' padded '])(
    'leaves a cell that is none as it is: %j',
    async (reason) => expect(await reasonOf(reason)).toBe(reason),
  )

  it.each(['a,b', 'a"b', '""', 'a\nb', 'a\r\nb', ',', '"', 'a,"b"\r\n,c'])(
    'quotes as RFC 4180 does: %j',
    async (reason) => {
      const text = await csvOf(decisionDraft(1, { decision: { reason } }))
      expect(text).toContain(`"${reason.replaceAll('"', '""')}"`)
      expect(await reasonOf(reason)).toBe(reason)
    },
  )

  it.each<[string, string]>([
    ['ok;=HYPERLINK(A1);@SUM(1)', "ok;'=HYPERLINK(A1);'@SUM(1)"],
    ['ok; \u00a0=1', "ok; \u00a0'=1"],
    ['\t=1', "'\t'=1"],
    ['\n=1', "'\n'=1"],
    ['ok\t+1', "ok\t'+1"],
    ['ok|-1', "ok|'-1"],
    ['ok；＝1', "ok；'＝1"],
    ['ok\r\n=1', "ok\r\n'=1"],
    ['ok;"=1"', 'ok;"\'=1"'],
    ['﹦1', "'﹦1"],
    ['−1;％x', "'−1;'％x"],
  ])('defuses what a spreadsheet of another locale would run: %j', async (reason, shown) => {
    expect(await reasonOf(reason)).toBe(shown)
  })

  it('has no formula in any cell, whatever the separator of the spreadsheet is', async () => {
    const signs = [...'=+-@%＝＋－＠﹦']
    const payloads = [';', '\t', '|', '\n', '\r\n', '；', '; ', ';"', '\t\u00a0', ';;', ';""'].flatMap((separator) =>
      signs.map((sign) => `ok${separator}${sign}cmd|'/c calc'!A0`),
    )
    const drafts = payloads.map((reason, n) => {
      const decision = { ...decisionDraft(n + 1).decision, reason, policy_id: reason }
      return { ...decisionDraft(n + 1), action: reason, decision, metadata: { [reason]: reason } }
    })
    const made = [
      ...drafts,
      ...payloads.map((text, n) => decisionDraft(1_000 + n, { kwargs: { [text]: [text, { deep: text }] } })),
    ]
    const text = await csvOf(...made)
    for (const separator of [',', ';', '\t', '|', '；'])
      for (const cell of looseCells(text, separator)) expect(cell).not.toMatch(/^[\s\ufeff"]*[=+\-@%＝＋－＠﹦]/u)
  })

  it('quotes a cell with a separator of another locale', async () => {
    for (const reason of ['a;b', 'a\tb', 'a|b'])
      expect(await csvOf(decisionDraft(1, { decision: { reason } }))).toContain(`,"${reason}",`)
  })

  it('loses nothing of any text and any parameters', async () => {
    const reasons = fc.string({ unit: 'binary', maxLength: 30 }).filter((text) => text.isWellFormed())
    await fc.assert(
      fc.asyncProperty(reasons, anyObject, async (reason, kwargs) => {
        const [row] = await rowsOf(decisionDraft(1, { decision: { reason }, kwargs }))
        const text = row?.reason ?? ''
        // The two texts differ only in the apostrophes that prevent formulas.
        expect(text.replaceAll("'", '')).toBe(reason.normalize('NFC').replaceAll("'", ''))
        expect(text).not.toMatch(/^[\s\ufeff]*[=+\-@\t\r\n]/)
        expect(Object.keys(row ?? {})).toHaveLength(HEADER.length)
        expect(row?.parameters).toMatch(/^\{"args":\[\],"kwargs":\{/)
      }),
      { numRuns: 60 },
    )
  })

  it('does not round numbers that fit no double, and has room for control entries', async () => {
    const ledger = new MemoryLedger()
    await ledger.append(decisionDraft(1, { kwargs: { amount: 7 } }))
    const lines = []
    for await (const { json } of select(ledger.reader(), { event: 'decision' }))
      lines.push(json.replace('"amount":7', '"amount":0.10000000000000000000001'))
    const hash = '0'.repeat(64)
    lines.push(
      `{"entry_hash":"${hash}","event":"checkpoint","ledger_version":"2.0","prev_entry_hash":null,"schema_version":"2.0"}`,
    )
    const reader = await openLedgerReader(jsonlOf(lines))
    let text = ''
    for await (const chunk of exportCsv(select(reader))) text += chunk
    await reader.close()
    const [, first = [], second = []] = parseCsv(text)
    expect(first[HEADER.indexOf('parameters')]).toBe('{"args":[],"kwargs":{"amount":0.10000000000000000000001}}')
    expect(second[HEADER.indexOf('event')]).toBe('checkpoint')
    expect(second[HEADER.indexOf('entry_hash')]).toBe(hash)
  })
})

/**
 * Returns the cells that a spreadsheet could read if it expects a different separator, whether or not it recognises
 * quoted cells.
 */
function looseCells(text: string, separator: string): readonly string[] {
  const naive = text.split(/[\r\n]+/).flatMap((row) => row.split(separator))
  const cells: string[] = []
  let cell = ''
  let quoted = false
  for (const char of text) {
    if (char === '"' && (quoted || cell === '')) quoted = !quoted
    else if (!quoted && (char === separator || char === '\n')) {
      cells.push(cell)
      cell = ''
    } else cell += char
  }
  // A spreadsheet that recognises quotes does not start a new cell at a quoted comma.
  return separator === ',' ? cells : [...naive, ...cells]
}
