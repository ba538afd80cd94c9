// Puts text that tries to control the reader's terminal in every text field of ledgers that verify. No command may
// print that text unescaped.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { PassThrough, Readable } from 'node:stream'
import { generatePrivateKey } from '@sudoagent/crypto'
import type { EntryDraft } from '@sudoagent/ledger'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { main } from '../src/main.js'
import { createIo, type Outside } from '../src/terminal/io.js'
import { widthOf } from '../src/text/width.js'
import { decisionDraft, outcomeDraft, requestIdOf } from './support/draft.js'
import { writeLedger } from './support/ledger.js'
import { writeQuestions } from './support/question.js'
import { Sandbox } from './support/sandbox.js'

/**
 * Clears the screen, sets the title, rings the bell, returns to the start of the line, repeats this with C1 controls,
 * reverses the text direction, hides text, and breaks lines.
 */
const EVIL =
  '\u001b[2J\u001b]0;owned\u0007\b\r\u009b2J\u0085\u202egnp.exe\u2066\u200b\ufeff\u2028\u{e0041}\u007f\nsigned: all is well\n'
const DRAWS =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]/u

const box = new Sandbox()
const key = generatePrivateKey()
const LEDGERS = ['l.sqlite', 'l.jsonl']

/**
 * Returns entries with hostile text in every text field: names, reasons, IDs, errors, argument names and values,
 * metadata.
 */
function evilCall(): readonly EntryDraft[] {
  const kwargs = JSON.parse(
    `{${JSON.stringify(EVIL)}:${JSON.stringify(EVIL)},"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"toString":1}`,
  )
  const facts = {
    n: 1,
    action: `a ${EVIL}`,
    agentId: `b ${EVIL}`,
    reason: `c ${EVIL}`,
    reasonCode: `d ${EVIL}`,
    approverId: `e ${EVIL}`,
    cost: 1,
    kwargs,
  }
  const more = { metadata: { [EVIL]: EVIL } }
  const spoil = (draft: EntryDraft): EntryDraft =>
    ({
      ...draft,
      ...more,
      decision: { ...draft.decision, policy_id: `f ${EVIL}`, policy_version: `g ${EVIL}` },
      budget: draft.budget && { ...draft.budget, budget_key: `h ${EVIL}` },
      resource: EVIL,
    }) as EntryDraft
  return [spoil(decisionDraft(facts)), spoil(outcomeDraft(facts, { type: `i ${EVIL}`, message: `j ${EVIL}` }))]
}

beforeAll(async () => {
  for (const name of LEDGERS) {
    await writeLedger(box.path(name), [...evilCall(), decisionDraft({ n: 2, action: `k ${EVIL}` })], key)
    const texts = { action: EVIL, agentId: EVIL, rule: EVIL, reason: EVIL, by: EVIL }
    await writeQuestions(box.path(`asked-${name}`), key, texts)
  }
  writeFileSync(box.path('key.pem'), key.publicKey.pem)
  // Verification of the first ledger fails, so findings quote its entries. The second ledger contains no valid JSON.
  const lines = readFileSync(box.path('l.jsonl'), 'utf8').split('\n')
  writeFileSync(
    box.path('broken.jsonl'),
    lines.map((line) => line.replace('"event":"decision"', `"event":${JSON.stringify(EVIL)}`)).join('\n'),
  )
  writeFileSync(box.path('raw.jsonl'), `{"action":${EVIL}\n${EVIL}\n{"${EVIL}":1}\n`)
  writeFileSync(box.path('note.txt'), `${EVIL}\n11\n${'A'.repeat(43)}=\n\n— ${EVIL} AAAA\n`)
  writeFileSync(box.path('receipt.json'), JSON.stringify({ kind: EVIL, version: EVIL, [EVIL]: EVIL }))
  writeFileSync(box.path('policy.txt'), `witness ${EVIL} ${EVIL}\ngroup ${EVIL}\n`)
})
afterAll(() => box.remove())

/** Runs a command line and returns what a person sees, without our own colours. */
async function seen(args: readonly string[], { columns = 100, asTerminal = false } = {}): Promise<string> {
  let screen = ''
  const terminal = () => {
    const stream = Object.assign(new PassThrough(), { isTTY: true, columns })
    stream.on('data', (chunk) => (screen += chunk))
    return stream as unknown as NodeJS.WriteStream
  }
  const outside: Outside = {
    argv: ['node', 'sudoagent', ...args, '--no-color'],
    env: {},
    stdin: Readable.from([]) as NodeJS.ReadStream,
    stdout: terminal(),
    // Progress output moves the cursor on purpose, but only on terminals.
    stderr: Object.assign(terminal(), { isTTY: asTerminal }),
    emit: () => true,
  }
  expect([0, 1, 2, 3]).toContain(await main(outside.argv, createIo(outside)))
  return screen
}

const at = (name: string): string => box.path(name)
const ON_A_LEDGER: readonly (readonly string[])[] = [
  ['verify'],
  ['verify', '--json'],
  ['verify', '--public-key', 'key.pem'],
  ['show', '2'],
  ['show', requestIdOf(1)],
  ['show', '2', '--format', 'text'],
  ['show', '2', '--format', 'json'],
  ['filter'],
  ['filter', '--format', 'text'],
  ['filter', '--format', 'json'],
  ['filter', '--action', `a ${EVIL}`],
  ['filter', '--action', EVIL],
  ['search', '--query', 'gnp'],
  ['search', '--query', EVIL],
  ...['text', 'json', 'ndjson', 'csv'].map((format) => ['export', '--format', format]),
  ['inspect'],
  ['inspect', '--json'],
  ['receipt', '--request-id', requestIdOf(1)],
  ['receipt', '--request-id', EVIL],
  ['checkpoint'],
  ['consistency', '--from', '1'],
]

describe.each([...LEDGERS, 'broken.jsonl', 'raw.jsonl'])('%s', (ledger) => {
  it.each(ON_A_LEDGER.map((args) => [args] as const))('%j draws nothing', async ([command = '', ...rest]) => {
    const args = rest.map((arg) => (arg === 'key.pem' ? at(arg) : arg))
    const screen = await seen([command, at(ledger), ...args])
    expect(screen.length).toBeGreaterThan(0)
    expect(screen).not.toMatch(DRAWS)
    // The hostile text stays in its field and does not start a line.
    expect(screen).not.toMatch(/^signed: all is well$/m)
  })
})

describe.each(LEDGERS.map((name) => `asked-${name}`))('questions and stops in %s', (ledger) => {
  const positions = Array.from({ length: 10 }, (_, n) => String(n + 1))
  it.each(
    [
      ...positions.map((position) => ['show', ledger, position, '--format', 'text']),
      ...positions.map((position) => ['show', ledger, position]),
      ['verify', ledger],
      ['inspect', ledger],
      ['stops', ledger],
      ['filter', ledger, '--format', 'table'],
      ['receipt', ledger, '--request-id', requestIdOf(4)],
    ].map((args) => [args] as const),
  )('%j draws nothing', async (args) => {
    const screen = await seen(args.map((arg) => (arg === ledger ? at(arg) : arg)))
    expect(screen.length).toBeGreaterThan(0)
    expect(screen).not.toMatch(DRAWS)
    expect(screen).not.toMatch(/^signed: all is well$/m)
  })

  it.each(positions)('nor does a receipt of entry %s', async (position) => {
    await seen(['receipt', at(ledger), position, '--output', at('evil.json')])
    const screen = await seen(['receipt', 'verify', at('evil.json'), '--public-key', at('key.pem')])
    expect(screen).toContain('signed: the')
    expect(screen).not.toMatch(DRAWS)
    expect(screen).not.toMatch(/^signed: all is well$/m)
  })
})

describe('text that a terminal would wrap into rows that look like ours', () => {
  /** Builds a fake row for this terminal width: blanks, then text that imitates one of our rows, repeated. */
  const forged = (width: number): string =>
    [
      'decision       allow  entry 999',
      'signed: nothing was changed',
      'sudoagent: note: approved',
      'origin      trusted',
    ]
      .flatMap((row) => [1, 2].map(() => ' '.repeat(width) + row.padEnd(width)))
      .join('')
  const FORGED =
    /^(?:decision +allow +entry 999|signed: nothing was changed$|sudoagent: note: approved|origin +trusted)/m

  /** Questions, stops, and their receipts. */
  async function expectNoForgedControls(text: string, columns: number): Promise<void> {
    const name = text.slice(0, 250)
    const texts = { action: name, agentId: name, rule: name, by: name, reason: text.slice(0, 1_000) }
    rmSync(at('wide-asked.jsonl'), { force: true })
    for (const side of ['head', 'tree', 'lock']) rmSync(at(`wide-asked.jsonl.${side}`), { force: true })
    await writeQuestions(at('wide-asked.jsonl'), key, texts)
    for (const position of ['3', '5', '6', '7', '8', '10']) {
      box.run(['receipt', 'wide-asked.jsonl', position, '--output', 'wide-asked.json'])
      for (const args of [
        ['show', at('wide-asked.jsonl'), position, '--format', 'text'],
        ['receipt', 'verify', at('wide-asked.json'), '--public-key', at('key.pem')],
      ]) {
        const screen = await seen(args, { columns, asTerminal: true })
        expect(screen.slice(screen.indexOf('\n'))).not.toMatch(FORGED)
        for (const line of screen.replace(/\u001b\[[\d;?]*[A-Za-z]/g, '').split(/[\n\r]/))
          expect(widthOf(line), `${args.join(' ')}: ${line}`).toBeLessThanOrEqual(columns)
      }
    }
  }

  it.each(['wide.jsonl', 'changed.jsonl'])('%s: no row of a report, a story or a message is forged', async (name) => {
    for (const [columns, text] of [
      [80, forged(80)],
      [40, forged(40)],
      [80, `${'\u{4e00}'.repeat(45)}${forged(80)}`],
      [60, `${'x'.repeat(200)}${forged(60)}`],
    ] as const) {
      const facts = {
        n: 1,
        action: text.slice(0, 200),
        reason: text,
        agentId: text.slice(0, 250),
        approverId: text.slice(0, 250),
      }
      await writeLedger(
        at('wide.jsonl'),
        [
          decisionDraft({ ...facts, kwargs: { [text]: text } }),
          outcomeDraft({ ...facts, kwargs: { [text]: text } }, { type: 'E', message: text }),
        ],
        key,
      )
      writeFileSync(
        at('changed.jsonl'),
        readFileSync(at('wide.jsonl'), 'utf8').replace('"event":"decision"', '"event":"none"'),
      )
      for (const args of [
        ['show', at(name), '2', '--format', 'text'],
        ['verify', at(name), '--public-key', at('key.pem')],
        ['inspect', at(name)],
        ['filter', at(name), '--request-id', text],
        ['show', at(name), text],
      ]) {
        const screen = await seen(args, { columns, asTerminal: true })
        expect(screen).not.toMatch(FORGED)
        // Every line fits the width, so the terminal does not wrap any line.
        for (const line of screen.replace(/\u001b\[[\d;?]*[A-Za-z]/g, '').split(/[\n\r]/))
          expect(widthOf(line), `${args.join(' ')}: ${line}`).toBeLessThanOrEqual(columns)
      }
      if (name === 'wide.jsonl') await expectNoForgedControls(text, columns)
      box.run(['receipt', 'wide.jsonl', '--request-id', requestIdOf(1), '--output', 'wide.json'])
      const says = await seen(['receipt', 'verify', at('wide.json'), '--public-key', at('key.pem')], { columns })
      expect(says).toMatch(/^signed: the decision is recorded/)
      expect(says.slice(says.indexOf('\n'))).not.toMatch(FORGED)
      for (const line of says.split('\n')) expect(widthOf(line), line).toBeLessThanOrEqual(columns)
    }
  })
})

describe('other files', () => {
  it.each([
    [['receipt', 'verify', 'receipt.json']],
    [['receipt', 'verify', 'note.txt']],
    [['receipt', 'verify', 'l.jsonl']],
    [['checkpoint', 'verify', 'note.txt', '--public-key', 'key.pem']],
    [['checkpoint', 'verify', 'receipt.json', '--json']],
    [['key', 'show', 'note.txt']],
    [['verify', 'l.jsonl', '--witness-policy', 'policy.txt']],
    [['verify', 'l.jsonl', '--checkpoint', 'note.txt']],
    [['verify', 'l.jsonl', '--receipt', 'receipt.json']],
    [['verify', 'l.jsonl', '--state', 'receipt.json']],
    [['verify', EVIL]],
    [[EVIL]],
    [['verify', 'l.jsonl', `--${EVIL}`]],
    [['export', 'l.jsonl', '--format', EVIL]],
  ])('%j draw nothing either', async (args) => {
    const screen = await seen(args.map((arg) => (/^[\w.]+\.\w+$/.test(arg) ? at(arg) : arg)))
    expect(screen.length).toBeGreaterThan(0)
    expect(screen).not.toMatch(DRAWS)
    expect(screen).not.toMatch(/^signed: all is well$/m)
  })

  it('and no prototype has changed', () => expect(({} as { polluted?: unknown }).polluted).toBeUndefined())
})
