import { describe, expect, test } from 'vitest'
import type { ApprovalRequest } from '../../src/approval.js'
import { renderPrompt } from '../../src/approver/prompt.js'
import { at, requestOf } from '../fixtures/approval.js'

const render = (over: Partial<ApprovalRequest> = {}, rowsMax = 40, columns?: number) =>
  renderPrompt(requestOf('r1', over), at(1_000), rowsMax, columns)

/** Everything that a terminal acts on, or a person cannot see, except the line breaks that are ours. */
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
        '',
        'sudoagent: an agent asks for approval',
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
        '',
      ].join('\n'),
    )
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
    expect(renderPrompt(id, at(0), 40, 80)).not.toMatch(UNSAFE)
  })

  test('is never higher than was asked for, and says how much is left out', () => {
    const kwargs = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`key${String(i).padStart(2, '0')}`, 'v']))
    const shown = render({ kwargs }, 40)
    expect(shown).toContain('"key38": "v"')
    expect(shown).not.toContain('"key39"')
    expect(shown).toContain('… 62 more lines (915 characters) of arguments NOT SHOWN')
    expect(shown.split('\n').length).toBeLessThan(55)
  })

  test('one endless value cannot push the rest off the screen', () => {
    const shown = render({ kwargs: { note: '😀x'.repeat(100_000) }, reason: 'r'.repeat(4_000) }, 10, 60)
    expect(shown).not.toMatch(UNSAFE)
    expect(shown).toMatch(/more lines \(\d+ characters\) of arguments NOT SHOWN/)
    expect(shown).toContain('… 3600 more characters not shown')
    const rows = shown.split('\n').filter((line) => line.startsWith('    '))
    expect(rows).toHaveLength(10)
    for (const row of rows) expect(Array.from(row).length).toBeLessThanOrEqual(60)
  })

  test('a terminal that lies about its width is held to sense', () => {
    const widest = (columns: number) =>
      Math.max(
        ...render({ kwargs: { x: 'y'.repeat(1_000) } }, 40, columns)
          .split('\n')
          .map((line) => line.length),
      )
    expect(widest(0)).toBeLessThan(80)
    expect(widest(1e9)).toBe(200)
  })
})
