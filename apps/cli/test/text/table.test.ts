import type { Authority } from '@sudoagent/crypto/entry'
import { select } from '@sudoagent/ledger'
import type { EntryRecord } from '@sudoagent/ledger/entry'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, it } from 'vitest'
import { painter } from '../../src/text/paint.js'
import { formatTable } from '../../src/text/table.js'
import { widthOf } from '../../src/text/width.js'
import { decisionDraft } from '../support/draft.js'
import { manyCalls, SAMPLE } from '../support/ledger.js'

async function records(drafts = SAMPLE): Promise<AsyncIterable<EntryRecord>> {
  const ledger = new MemoryLedger({ clock: () => new Date('2026-11-22T20:00:07Z') })
  await Promise.all(drafts.map((draft) => ledger.append(draft)))
  return select(ledger.reader())
}

async function table(columns: number | undefined, drafts = SAMPLE): Promise<string[]> {
  let text = ''
  for await (const part of formatTable(await records(drafts), { columns, paint: await painter(false) })) text += part
  return text.split('\n').slice(0, -1)
}

describe('formatTable', () => {
  it('says when, what, who, how it ended and why', async () => {
    const [header, genesis, first, , denied] = await table(undefined)
    expect(header?.split(/\s{2,}/).map((title) => title.trim())).toEqual([
      '#',
      'TIME (UTC)',
      'ACTION',
      'AGENT',
      'RESULT',
      'REASON',
    ])
    expect(genesis).toMatch(/^ 1 {2}.*genesis/)
    expect(first).toContain('2026-11-22 20:00:07  refund_user  support-bot  allow    within limit')
    expect(denied).toMatch(/deny +above the limit$/)
  })

  it('tells for whom, if an entry has a subject or a tenant', async () => {
    const by = (authority: Authority) => ({ ...decisionDraft({ n: 1 }), authority })
    const subject = { id: 'alice', type: 'user', assurance: 'asserted' } as const
    const [header, , first] = await table(undefined, [by({ on_behalf_of: subject, tenant: 'ac\u202eme' })])
    expect(header?.split(/\s{2,}/).map((title) => title.trim())).toContain('FOR')
    expect(first).toMatch(/support-bot {2}alice \(ac\\u\{202e\}me\) {2}allow/)
    expect((await table(undefined, [by({ session: 's' })]))[0]).not.toContain('FOR')
    expect((await table(40, [by({ on_behalf_of: subject })]))[0]).toContain('FOR')
  })

  it('tells what a stop covers, and why it began and ended', async () => {
    const ledger = new MemoryLedger()
    const { stopId } = await ledger.stop({ agent: 'b*', tenant: 't' }, { reason: 'wrong prices', by: 'alice' })
    await ledger.resume(stopId, { reason: 'corrected', by: 'alice' })
    let text = ''
    const options = { columns: undefined, paint: await painter(false) }
    for await (const part of formatTable(select(ledger.reader()), options)) text += part
    expect(text).toMatch(/stop .* agent b\*, tenant t: wrong prices\n/)
    expect(text).toMatch(/resume .* corrected\n/)
  })

  it('tells an error instead of the reason why the call was allowed', async () => {
    expect((await table(undefined))[8]).toMatch(/error +TimeoutError: no answer$/)
  })

  it.each([200, 80, 60, 40, 30, 24])('fits %i columns', async (columns) => {
    const lines = await table(columns)
    expect(lines).toHaveLength(SAMPLE.length + 2)
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns)
  })

  it('gives up the agent first, then the time, then the reason', async () => {
    const titles = async (columns: number) => (await table(columns))[0]?.trim().split(/\s{2,}/)
    expect(await titles(80)).toEqual(['#', 'TIME (UTC)', 'ACTION', 'AGENT', 'RESULT', 'REASON'])
    expect(await titles(58)).toEqual(['#', 'TIME (UTC)', 'ACTION', 'RESULT', 'REASON'])
    expect(await titles(40)).toEqual(['#', 'ACTION', 'RESULT', 'REASON'])
    expect(await titles(26)).toEqual(['#', 'ACTION', 'RESULT'])
  })

  it('shortens nothing where no terminal limits it', async () => {
    const reason = 'r'.repeat(150)
    expect((await table(undefined, [decisionDraft({ n: 1, reason })]))[2]).toContain(reason)
  })

  it('neutralises what could move the cursor or reorder the line', async () => {
    const [, , line] = await table(120, [decisionDraft({ n: 1, reason: 'a\u001b[2J\nb\u202ec', action: 'x\u0007y' })])
    expect(line).toContain('a\\u{1b}[2J\\u{a}b\\u{202e}c')
    expect(line).toContain('x\\u{7}y')
  })

  it('streams what comes after the rows that decide the widths', async () => {
    const parts: string[] = []
    for await (const part of formatTable(await records(manyCalls(200)), { columns: 80, paint: await painter(false) }))
      parts.push(part)
    expect(parts).toHaveLength(1 + 401 - 256)
    expect(parts.join('').split('\n')).toHaveLength(403)
  })

  it('says nothing about nothing', async () => expect(await table(80, [])).toEqual([]))
})
