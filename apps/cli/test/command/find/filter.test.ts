import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decisionDraft, requestIdOf } from '../../support/draft.js'
import { SAMPLE, writeLedger } from '../../support/ledger.js'
import { Sandbox } from '../../support/sandbox.js'

const box = new Sandbox()

beforeAll(async () => {
  await writeLedger(box.path('l.sqlite'), SAMPLE)
  await writeLedger(box.path('l.jsonl'), SAMPLE)
})
afterAll(() => box.remove())

/** Returns the positions of the printed entries. Compares each printed line with the lines of the ledger file. */
function positions(args: readonly string[]): number[] {
  const { stdout } = box.run(['filter', 'l.jsonl', '--format', 'ndjson', ...args])
  const lines = readFileSync(box.path('l.jsonl'), 'utf8').trimEnd().split('\n')
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => lines.indexOf(line) + 1)
}

describe('criteria', () => {
  it.each([
    [
      ['--request-id', requestIdOf(3)],
      [5, 6],
    ],
    [
      ['--action', 'delete_user'],
      [7, 8],
    ],
    [['--agent-id', 'billing-bot'], [9]],
    [
      ['--event', 'outcome'],
      [3, 6, 8, 11],
    ],
    [['--effect', 'deny'], [4]],
    [['--reason-code', 'POLICY_DENY_HIGH_RISK'], [4]],
    [['--outcome', 'error'], [8]],
    [
      ['--start', '2026-11-22T20:00:05Z'],
      [9, 10, 11],
    ],
    [
      ['--end', '2026-11-22T20:00:01Z'],
      [1, 2, 3],
    ],
    [
      ['--start', '2026-11-22T20:00:02Z', '--end', '2026-11-22T20:00:03.1Z'],
      [4, 5],
    ],
    [
      ['--start', '2026-11-22', '--end', '2026-11-22', '--limit', '2'],
      [1, 2],
    ],
    [
      ['--action', 'refund_user', '--event', 'outcome', '--outcome', 'success', '--limit', '2'],
      [3, 6],
    ],
    [
      ['--effect', 'allow', '--outcome', 'error'],
      [7, 8],
    ],
    [['--effect', 'allow', '--outcome', 'error', '--event', 'outcome'], [8]],
    [['--event', 'decision', '--outcome', 'error'], [7]],
    [
      ['--effect', 'allow', '--event', 'outcome', '--action', 'refund_user'],
      [3, 6, 11],
    ],
    [['--effect', 'deny', '--outcome', 'success'], []],
    [
      ['--request-id', requestIdOf(4), '--effect', 'allow', '--outcome', 'error'],
      [7, 8],
    ],
    [[], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
    [['--event', 'checkpoint'], [1]],
  ])('%j', (args, expected) => expect(positions(args)).toEqual(expected))
})

describe('output', () => {
  it('is NDJSON where nobody looks, the same for both kinds of ledger but for what the ledger adds', () => {
    const { code, stdout, stderr } = box.run(['filter', 'l.sqlite', '--action', 'delete_user'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(
      stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => (JSON.parse(line) as { event: string }).event),
    ).toEqual(['decision', 'outcome'])
  })

  it('is a table when asked for, then nothing is shortened', () => {
    const { stdout } = box.run(['filter', 'l.sqlite', '--outcome', 'error', '--format', 'table'])
    expect(stdout).toMatch(/^# {2}TIME \(UTC\) .*\n8 {2}.* error +TimeoutError: no answer\n$/)
  })

  it('goes into a file', () => {
    expect(box.run(['filter', 'l.sqlite', '--effect', 'deny', '--output', 'denied.csv'])).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    })
    expect(readFileSync(box.path('denied.csv'), 'utf8').split('\r\n')).toHaveLength(3)
  })
})

describe('nothing fits', () => {
  it.each([
    ['ndjson', ''],
    ['json', '[]\n'],
    ['csv', /^position,[^\n]*\r\n$/],
    ['table', ''],
  ])('%s: exit 1, its empty form, and a note', (format, form) => {
    const { code, stdout, stderr } = box.run(['filter', 'l.sqlite', '--action', 'nothing', '--format', format])
    expect(code).toBe(1)
    expect(stdout).toMatch(form)
    if (form === '') expect(stdout).toBe('')
    expect(stderr).toBe('sudoagent: note: no matching entries\n')
  })

  it('makes no file, and leaves one that is there alone', () => {
    writeFileSync(box.path('old.csv'), 'old')
    for (const name of ['none.csv', 'old.csv']) {
      const { code, stderr } = box.run(['filter', 'l.sqlite', '--action', 'nothing', '--output', name])
      expect(code).toBe(1)
      expect(stderr).toContain(`\`${name}\` was not written`)
    }
    expect(existsSync(box.path('none.csv'))).toBe(false)
    expect(readFileSync(box.path('old.csv'), 'utf8')).toBe('old')
  })
})

describe('criteria that cannot be: exit 2 and the name of the option', () => {
  it.each([
    [['--start', 'yesterday'], /--start `yesterday`.*\nsudoagent: hint: .*2026-11-22/],
    [['--end', '2026-02-30'], /--end `2026-02-30`/],
    [['--start', '2026-11-23', '--end', '2026-11-22'], /--start `2026-11-23`.*`2026-11-22`/],
    [['--limit', '0'], /--limit `0`/],
    [['--limit', 'many'], /--limit `many`/],
    [['--request-id', ''], /--request-id/],
    [['--effect', 'maybe'], /`maybe`.*\nsudoagent: hint: .*allow, deny/],
    [['--event', 'x'], /`x`.*\nsudoagent: hint: .*decision, outcome/],
    [['--outcome', 'x'], /`x`.*\nsudoagent: hint: .*success, error/],
    [['--format', 'xml'], /`xml`.*\nsudoagent: hint: .*ndjson/],
  ])('%j', (args, says) => {
    const { code, stdout, stderr } = box.run(['filter', 'l.sqlite', ...args])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(says)
    expect(stderr).toMatch(/^sudoagent: error: [^\n]+\nsudoagent: hint: [^\n]+\n$/)
  })
})

it('hostile text reaches a program as it is, and a person never', async () => {
  const reason = 'a\u001b]0;title\u0007\u202eb\u200b'
  await writeLedger(box.path('hostile.jsonl'), [decisionDraft({ n: 1, reason })])
  const asJson = box.run(['filter', 'hostile.jsonl'])
  expect(asJson.stdout).toBe(readFileSync(box.path('hostile.jsonl'), 'utf8'))
  const asTable = box.run(['filter', 'hostile.jsonl', '--format', 'table'])
  expect(asTable.stdout).toContain('a\\u{1b}]0;title\\u{7}\\u{202e}b\\u{200b}')
})
