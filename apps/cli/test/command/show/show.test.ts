import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { generatePrivateKey } from '@sudoagent/crypto'
import { indentJson } from '@sudoagent/crypto/json'
import { JsonlLedger } from '@sudoagent/ledger/jsonl'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decisionDraft, decisionHashOf, outcomeDraft, requestIdOf } from '../../support/draft.js'
import { SAMPLE, writeLedger } from '../../support/ledger.js'
import { Sandbox, skipUnless } from '../../support/sandbox.js'

const box = new Sandbox()
const key = generatePrivateKey()

beforeAll(async () => {
  await writeLedger(box.path('l.sqlite'), SAMPLE)
  await writeLedger(box.path('l.jsonl'), SAMPLE, key)
})
afterAll(() => box.remove())

const text = (ledger: string, call: string): string => box.run(['show', ledger, call, '--format', 'text']).stdout

describe('as JSON, where nobody looks', () => {
  it.each([['5'], ['6'], [requestIdOf(3)]])(
    '%s: the decision and the outcome, indented, with the values as they are stored',
    (call) => {
      const { code, stdout, stderr } = box.run(['show', 'l.jsonl', call])
      const lines = readFileSync(box.path('l.jsonl'), 'utf8').split('\n')
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      const value =
        `{"request_id":"${requestIdOf(3)}","state":"success","question":null,"decision":{"position":5,"entry":${lines[4]}},` +
        `"outcome":{"position":6,"entry":${lines[5]}},"others":[]}`
      expect(stdout).toBe(`${indentJson(value)}\n`)
      expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThan(140)
      expect(JSON.parse(stdout)).toMatchObject({ decision: { entry: { approval: { approver_id: 'alice' } } } })
    },
  )

  it.each([
    ['4', 'denied'],
    ['8', 'error'],
    ['9', 'open'],
  ])('call at %s is %s', (call, state) => {
    expect(JSON.parse(box.run(['show', 'l.sqlite', call]).stdout)).toMatchObject({ state })
  })
})

describe('as text', () => {
  it('tells who, what, why, under which approval and budget, and how it ended', () => {
    const story = text('l.jsonl', '5')
    for (const says of [
      `call           ${requestIdOf(3)}`,
      'action         refund_user',
      'agent          support-bot',
      'decision       allow  entry 5, recorded 2026-11-22T20:00:03.000000Z',
      '  created      2026-11-22T20:00:03.000000Z',
      '  reason       within limit',
      '  policy       refunds, version 1',
      'approval       approved by alice',
      'budget         cost 5 in a window of 3600 s, checked',
      'outcome        success  entry 6, recorded 2026-11-22T20:00:03.250000Z, 250 ms after the decision was recorded',
      '      "note": "ticket 4711"',
      `  decision     ${decisionHashOf({ n: 3, kwargs: { note: 'ticket 4711' } })}`,
      `entry 5: key ${key.publicKey.keyId}`,
    ]) {
      expect(story).toContain(says)
    }
  })

  it('says plainly that a denied call did not run, and that an open one has no outcome', () => {
    expect(text('l.sqlite', '4')).toMatch(/decision {7}deny .*\n[\s\S]*outcome {8}none: a denied call does not run\n/)
    expect(text('l.sqlite', '9')).toMatch(/outcome {8}open: no outcome recorded/)
  })

  it('measures from record to record, not from the moment before a person was asked', async () => {
    const clock = [0, 5_400, 5_530].map((ms) => new Date(Date.parse('2026-11-22T20:00:01Z') + ms))
    let now = clock[0] ?? new Date()
    const ledger = JsonlLedger.open(box.path('late.jsonl'), { clock: () => now })
    await ledger.begin()
    for (const [index, draft] of [decisionDraft({ n: 1 }), outcomeDraft({ n: 1 })].entries()) {
      now = clock[index + 1] ?? now
      await ledger.append(draft)
    }
    await ledger.close()
    const story = text('late.jsonl', '2')
    expect(story).toContain('recorded 2026-11-22T20:00:06.530000Z, 130 ms after the decision was recorded')
    expect(story).toContain('  created      2026-11-22T20:00:01.000000Z')
    // In the table, each time is equal to or later than the time before it.
    const { stdout } = box.run(['filter', 'late.jsonl', '--format', 'table', '--start', '2026-11-22T20:00:06Z'])
    expect(stdout.match(/20:00:0\d/g)).toEqual(['20:00:06', '20:00:06'])
  })

  it('an entry of SudoAgent for Python has the time of creation alone', () => {
    const python = readFileSync(box.path('l.jsonl'), 'utf8').replaceAll(/"recorded_at":"[^"]*",/g, '')
    writeFileSync(box.path('python.jsonl'), python)
    const story = text('python.jsonl', '5')
    expect(story).toContain('entry 6, 2026-11-22T20:00:03.250000Z, created 250 ms after the decision was created')
    expect(story).not.toContain('  created ')
  })

  it('tells the error of a call that failed', () => {
    expect(text('l.sqlite', '7')).toMatch(/outcome {8}error .*\n {2}error {8}TimeoutError: no answer\n/)
  })
})

describe('a ledger that does not verify', () => {
  it('an outcome after a deny, a second outcome, an outcome without a decision are not hidden', async () => {
    await writeLedger(box.path('wrong.jsonl'), [
      decisionDraft({ n: 1, effect: 'deny' }),
      outcomeDraft({ n: 1 }),
      outcomeDraft({ n: 1 }, { type: 'Error', message: 'second' }),
      outcomeDraft({ n: 2 }),
    ])
    expect(text('wrong.jsonl', '2')).toMatch(
      /success .*\n +although the call was denied\n[\s\S]*entry 4 names this call too, as outcome\n/,
    )
    expect(text('wrong.jsonl', '5')).toMatch(/decision {7}no decision recorded before the outcome\n/)
    expect(JSON.parse(box.run(['show', 'wrong.jsonl', '2']).stdout)).toMatchObject({
      state: 'denied',
      others: [{ position: 4 }],
    })
    expect(JSON.parse(box.run(['show', 'wrong.jsonl', '5']).stdout)).toMatchObject({
      state: 'undecided',
      decision: null,
    })
  })

  it('its text cannot reach the terminal', async () => {
    await writeLedger(box.path('hostile.jsonl'), [
      decisionDraft({
        n: 1,
        reason: 'r\u001b[2J',
        action: 'a\u0007',
        agentId: 'b\u202e',
        kwargs: { 'k\u200b': 'v\u009b' },
      }),
    ])
    const story = text('hostile.jsonl', '2')
    for (const shown of ['r\\u{1b}[2J', 'a\\u{7}', 'b\\u{202e}', 'k\\u{200b}', 'v\\u{9b}'])
      expect(story).toContain(shown)
    expect(story).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u202e]/)
  })
})

describe('not on record: exit 1', () => {
  it.each(['0', '12', '999999999999999', '9999999999999999', requestIdOf(99)])('%s', (call) => {
    const { code, stdout, stderr } = box.run(['show', 'l.sqlite', call])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^sudoagent: error: [^\n]+\nsudoagent: hint: [^\n]+\n$/)
  })

  it('but not when the ledger cannot be read to its end: then nobody knows, exit 3', async () => {
    await writeLedger(
      box.path('damaged.sqlite'),
      Array.from({ length: 400 }, (_, n) => decisionDraft({ n })),
    )
    const bytes = readFileSync(box.path('damaged.sqlite'))
    // The last third of the file contains rows. The damage leaves the file header and the schema intact.
    bytes.fill(0xff, Math.floor(bytes.length * 0.7), Math.floor(bytes.length * 0.9))
    writeFileSync(box.path('damaged.sqlite'), bytes)
    const { code, stderr } = box.run(['show', 'damaged.sqlite', requestIdOf(999)])
    expect(code).toBe(3)
    expect(stderr).toMatch(/^sudoagent: error: the ledger cannot be read to the end: /)
  })
})

const EXOTIC = fileURLToPath(
  new URL('../../../../../../shared/vectors/python-v2/exotic-numbers-and-keys.jsonl', import.meta.url),
)
const noVectors = skipUnless(existsSync(EXOTIC), `no ledgers from the Python implementation at ${EXOTIC}`)

it.skipIf(noVectors)('a number is shown with the digits that were hashed', () => {
  const lines = readFileSync(EXOTIC, 'utf8').split('\n')
  const position =
    lines.findIndex((line) => /\d{20}/.test(line.match(/"parameters":.*?"prev_entry_hash"/)?.[0] ?? '')) + 1
  const digits = lines[position - 1]?.match(/"parameters":.*?(\d{20,})/)?.[1]
  expect(digits).toBeDefined()
  expect(text(EXOTIC, String(position))).toContain(digits)
})
