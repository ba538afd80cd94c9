import { describe, expect, test } from 'vitest'
import type { ApprovalRequest } from '../../src/approval/approval.js'
import { promptPages, promptRows } from '../../src/approval/prompt.js'
import { at, questionOf, requestOf } from '../fixtures/approval.js'

const render = (over: Partial<Omit<ApprovalRequest, 'asked'>> = {}, columns?: number) =>
  promptRows(requestOf('r1', over), at(1_000), columns).join('\n')

/**
 * Splits rows as a terminal wraps them, at `columns` cells. As on an East Asian terminal, every character outside
 * ASCII is two cells wide.
 */
function onScreen(rows: readonly string[], columns: number): readonly string[] {
  return rows.flatMap((row) => {
    const drawn: string[] = []
    let line = ''
    let cells = 0
    for (const char of row) {
      const more = /^[\x20-\x7e]$/.test(char) ? 1 : 2
      if (cells + more > columns) {
        drawn.push(line)
        line = ''
        cells = 0
      }
      line += char
      cells += more
    }
    return [...drawn, line]
  })
}

/** Control characters and invisible characters, except line breaks. */
const UNSAFE = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u

const HOSTILE = [
  '\u001b[2J\u001b[H',
  '\u001b]0;title\u0007',
  '\u001b[1A\u001b[2Kapproved',
  '\u009b31m',
  '\u0008\u0008\u007f',
  'a\r\nsudoagent: approved',
  '\u202egnp.exe',
  '\u2066x\u2069',
  '\u200b\ufeff',
  '\u2028\u2029',
  '\u{e0041}',
]

describe('renderPrompt', () => {
  test('shows who wants what, why, for which request and until when', () => {
    expect(render()).toBe(
      [
        '  action     refund',
        '  agent      support-bot',
        '  reason     high value',
        '  arguments',
        '    {',
        '      "amount": 500,',
        '      "note": "broken on arrival"',
        '    }',
        '  request    r1',
        '  expires    2026-01-02T03:05:05.000Z (in 59 s)',
      ].join('\n'),
    )
  })

  test('shows of a question first what is redacted, what it needs, and last what no hash covers', () => {
    const authority = { tenant: 'acme' }
    const question = questionOf('q1', { authority, asked: { redacted: 2 } })
    expect(promptRows(question, at(1_000), undefined)).toEqual([
      '  redacted   2 values are not shown as the call gets them',
      '  action     refund',
      '  agent      support-bot',
      '  tenant     acme',
      '  rule       refunds',
      '  needs      1 approval',
      '  arguments',
      '    {',
      '      "amount": 500,',
      '      "note": "broken on arrival"',
      '    }',
      '  request    q1',
      '  expires    2026-01-02T03:05:05.000Z (in 59 s)',
      '  not part of what you sign:',
      '  reason     high value',
    ])
  })

  test('shows positional arguments, both kinds, and none', () => {
    expect(render({ args: [1], kwargs: {} })).toContain('    [\n      1\n    ]')
    expect(render({ args: [1] })).toMatch(/"args": \[\n\s+1\n\s+\],\n\s+"kwargs": \{/)
    expect(render({ kwargs: {} })).toContain('  arguments  none\n')
  })

  test.each(HOSTILE)('%j is neutralised wherever it stands', (text) => {
    const lines = render().split('\n').length
    for (const over of [
      { action: text },
      { agentId: text },
      { reason: text },
      { kwargs: { amount: 1, note: text } },
      { kwargs: { [text]: 1, b: 2 } },
    ]) {
      const shown = render(over)
      expect(shown).not.toMatch(UNSAFE)
      expect(shown.split('\n')).toHaveLength(lines)
    }
    const id = { ...requestOf('r1'), approvalId: text, expiresAt: at(60_000) } as ApprovalRequest
    expect(promptRows(id, at(0), 80).join('\n')).not.toMatch(UNSAFE)
  })

  test('cuts nothing, and pages hold every row once', () => {
    const kwargs = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`key${String(i).padStart(2, '0')}`, 'v']))
    const rows = promptRows(requestOf('r1', { kwargs, reason: 'r'.repeat(4_000) }), at(0), 80)
    for (const key of Object.keys(kwargs)) expect(rows.join('\n')).toContain(`"${key}": "v"`)
    expect(rows.join('').match(/r{2,}/g)?.join('').length).toBeGreaterThanOrEqual(4_000)
    for (const maxRows of [1, 7, 40, rows.length, 1_000]) {
      const pages = promptPages(rows, maxRows)
      expect(pages.flat()).toEqual(rows)
      for (const page of pages) expect(page.length).toBeLessThanOrEqual(maxRows)
    }
  })

  const FORGED = '  action     read_calendar'
  test.each<[string, (columns: number) => string]>([
    ['blanks up to the edge', (columns) => `x${' '.repeat(columns - 14)}${FORGED}${' '.repeat(columns)}${FORGED}`],
    ['many blanks', () => `x${' '.repeat(500)}${FORGED}`.repeat(3)],
    ['wide characters', (columns) => `${'字'.repeat(columns)}${FORGED}${'字'.repeat(columns / 2 - 7)}${FORGED}`],
    ['characters that are wide in some terminals', (columns) => `${'±Ж'.repeat(columns)}${FORGED}`.repeat(2)],
    ['accents', (columns) => `${'e\u0301'.repeat(columns)}${FORGED}`.repeat(2)],
    ['emoji and flags', (columns) => `${'🤖🇩🇪'.repeat(columns)}${FORGED}`.repeat(2)],
    ['conjuncts', (columns) => `${'क्षि'.repeat(columns)}${FORGED}`.repeat(2)],
    ['one long word', (columns) => `${'a'.repeat(columns - 13)}${FORGED}`.repeat(9)],
  ])('no field of %s looks like a row of ours', (_, textOf) => {
    const LABEL = /^ {0,3}(?:action|agent|reason|arguments|request|expires)\b/
    for (const columns of [40, 80, 200]) {
      for (let shift = 0; shift < 6; shift += 1) {
        const text = `${'y'.repeat(shift)}${textOf(columns)}`
        const few = text.slice(0, 250).toWellFormed()
        for (const over of [
          { reason: text },
          { kwargs: { note: text } },
          { kwargs: { [text]: { deep: [text] } } },
          { args: [text] },
          { action: few, agentId: few },
        ]) {
          const rows = onScreen(promptRows(requestOf('r1', over), at(0), columns), columns)
          expect(rows.filter((row) => LABEL.test(row))).toHaveLength(6)
        }
      }
    }
  })

  test('a terminal that lies about its width is held to sense', () => {
    const widest = (columns: number) =>
      Math.max(
        ...render({ kwargs: { x: 'y'.repeat(1_000) } }, columns)
          .split('\n')
          .map((line) => line.length),
      )
    expect(widest(0)).toBeLessThan(80)
    expect(widest(1e9)).toBe(199)
  })
})
