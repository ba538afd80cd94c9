import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { userInfo } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { ApprovalAnswer } from '../../src/approval/approval.js'
import { InteractiveApprover } from '../../src/approval/interactive.js'
import { at, requestOf } from '../fixtures/approval.js'
import { ask, FakeTerminal, never, QUESTION } from '../fixtures/terminal.js'

async function answerTo(typed: string): Promise<ApprovalAnswer> {
  const terminal = new FakeTerminal()
  const answer = ask(terminal)
  await terminal.sees(QUESTION)
  terminal.type(typed)
  return answer
}

describe('the answer', () => {
  test.each(['y\n', 'yes\r', 'Y\n', 'YES\r\n', '  y \t\n', 'yno\u007f\u007f\n'])('%j approves', async (typed) => {
    expect(await answerTo(typed)).toEqual({ approved: true, approverId: 'alice' })
  })

  test.each([
    '\n',
    'n\n',
    'no\n',
    'yeah\n',
    'yy\n',
    'y y\n',
    'y.\n',
    'ok\n',
    '1\n',
    'true\n',
    'ｙ\n',
    '\u0443\n',
    'yeſ\n',
    'y\u200b\n',
    'ny\u001b[D\n',
    '\ny\n',
  ])('%j denies', async (typed) => {
    expect(await answerTo(typed)).toEqual({ approved: false, approverId: 'alice', reason: 'denied at the terminal' })
  })

  test.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-C after a yes', 'y\u0003\n'],
    ['Ctrl-D', '\u0004'],
  ])('%s denies in nobody’s name', async (_name, typed) => {
    expect(await answerTo(typed)).toEqual({ approved: false, reason: 'no answer' })
  })

  test('the end of input denies, with an unfinished yes too, and before the question', async () => {
    for (const typed of ['', 'y']) {
      const terminal = new FakeTerminal()
      const answer = ask(terminal)
      await terminal.sees(QUESTION)
      terminal.input.end(typed)
      expect(await answer).toMatchObject({ approved: false })
      expect(await ask(terminal)).toMatchObject({ approved: false, reason: 'no answer' })
    }
  })

  test.each(['input', 'output'] as const)('a broken %s denies', async (side) => {
    const terminal = new FakeTerminal()
    const answer = ask(terminal)
    await terminal.sees(QUESTION)
    terminal[side].destroy(new Error('EIO'))
    expect(await answer).toMatchObject({ approved: false, reason: 'no answer' })
  })

  test.each(['input', 'output'] as const)('a closed %s denies, with an unfinished yes too', async (side) => {
    const terminal = new FakeTerminal()
    const answer = ask(terminal)
    await terminal.sees(QUESTION)
    terminal.type('y')
    await sleep(20)
    terminal[side].destroy()
    expect(await answer).toMatchObject({ approved: false, reason: 'no answer' })
  })
})

describe('the question', () => {
  test('shows the call with everything hostile neutralised, and leaves the terminal as it was', async () => {
    const terminal = new FakeTerminal()
    const answer = ask(
      terminal,
      requestOf('r1', { action: 'a\u001b[2J', reason: '\u202e', kwargs: { note: '\u001b]0;x\u0007' } }),
    )
    await terminal.sees(QUESTION)
    const [prompt] = terminal.shown.split(QUESTION)
    for (const text of ['a\\u{1b}[2J', '\\u{202e}', 'support-bot', 'r1']) expect(prompt).toContain(text)
    expect(prompt).not.toContain('\u202e')
    expect(prompt).not.toContain('\u001b[2J')
    expect(prompt).not.toContain('\u0007')
    expect(terminal.raw).toBe(true)
    terminal.type('n\n')
    await answer
    expect(terminal.raw).toBe(false)
  })

  test('leaves nothing behind that grows with every question', async () => {
    const terminal = new FakeTerminal()
    const counts: string[] = []
    for (let i = 1; i <= 3; i++) {
      const answer = ask(terminal, requestOf(`r${i}`))
      await terminal.sees(QUESTION, i)
      terminal.type('n\n')
      await answer
      const events = ['data', 'keypress', 'end', 'close', 'error', 'resize']
      counts.push(
        events.map((event) => `${terminal.input.listenerCount(event)}${terminal.output.listenerCount(event)}`).join(),
      )
    }
    expect(counts[2]).toBe(counts[0])
  })

  test('what was typed before it was shown does not answer it', async () => {
    const terminal = new FakeTerminal()
    terminal.type('y\n')
    const answer = ask(terminal)
    terminal.type('y\n')
    await sleep(20)
    terminal.type('yes\ny')
    await terminal.sees(QUESTION)
    await sleep(50)
    terminal.type('\n')
    expect(await answer).toMatchObject({ approved: false, reason: 'denied at the terminal' })
  })

  test('two at once are asked one after another, and one yes answers one', async () => {
    const terminal = new FakeTerminal()
    const first = ask(terminal, requestOf('first'))
    const second = ask(terminal, requestOf('second'))
    await terminal.sees(QUESTION)
    expect(terminal.shown).not.toContain('second')
    terminal.type('y\ny\ny\n')
    expect(await first).toMatchObject({ approved: true })
    await terminal.sees(QUESTION, 2)
    expect(terminal.shown).toContain('second')
    await sleep(50)
    terminal.type('n\n')
    expect(await second).toMatchObject({ approved: false })
  })
})

describe('no answer', () => {
  test.each([
    ['input', { input: Object.assign(new FakeTerminal().input, { isTTY: false }) }],
    ['output', { output: Object.assign(new FakeTerminal().output, { isTTY: undefined as unknown as boolean }) }],
  ])('without a terminal for %s it denies at once and shows nothing', async (_side, options) => {
    const terminal = new FakeTerminal()
    expect(await ask(terminal, requestOf('r1'), never, options)).toEqual({
      approved: false,
      reason: 'no terminal is available',
    })
    expect(terminal.shown).toBe('')
  })

  test('an abort withdraws the question at once', async () => {
    const terminal = new FakeTerminal()
    const abort = new AbortController()
    const answer = ask(terminal, requestOf('r1'), abort.signal)
    await terminal.sees(QUESTION)
    abort.abort()
    expect(await answer).toEqual({ approved: false, reason: 'the request was cancelled' })
    await terminal.sees('denied: the request was cancelled')
    expect(terminal.raw).toBe(false)
  })

  test('the deadline withdraws it too', async () => {
    const terminal = new FakeTerminal()
    const answer = ask(terminal, requestOf('r1', {}, 250))
    await terminal.sees(QUESTION)
    terminal.type('y')
    expect(await answer).toEqual({ approved: false, reason: 'no answer before the deadline' })
  })

  test('one that ends while it waits for its turn is answered at once and never shown', async () => {
    const terminal = new FakeTerminal()
    const abort = new AbortController()
    const first = ask(terminal, requestOf('first'))
    const second = ask(terminal, requestOf('second'), abort.signal)
    const third = ask(terminal, requestOf('third'), AbortSignal.abort())
    const fourth = ask(terminal, requestOf('fourth'))
    await terminal.sees(QUESTION)
    abort.abort()
    expect(await second).toMatchObject({ approved: false, reason: 'the request was cancelled' })
    expect(await third).toMatchObject({ approved: false, reason: 'the request was cancelled' })
    terminal.type('n\n')
    await first
    await terminal.sees(QUESTION, 2)
    terminal.type('y\n')
    expect(await fourth).toMatchObject({ approved: true })
    expect(terminal.shown).not.toMatch(/second|third/)
  })

  test('a request that is over is not asked about', async () => {
    const terminal = new FakeTerminal()
    const late = { clock: () => at(60_000) }
    expect(await ask(terminal, requestOf('r1'), never, late)).toEqual({
      approved: false,
      reason: 'no answer before the deadline',
    })
    expect(terminal.shown).toBe('')
  })
})

describe('options', () => {
  test('the approver is the user of the operating system unless given', async () => {
    const terminal = new FakeTerminal()
    const { input, output } = terminal
    const answer = new InteractiveApprover({ input, output, clock: () => at(0) }).approve(requestOf('r1'), {
      signal: never,
    })
    await terminal.sees(QUESTION)
    terminal.type('y\n')
    expect(await answer).toEqual({ approved: true, approverId: userInfo().username })
  })

  test('wrong ones are a TypeError', () => {
    expect(() => new InteractiveApprover({ approver: 'x' } as never)).toThrow(/did you mean `approverId`/)
    for (const maxRows of [0, 1_001, 1.5]) expect(() => new InteractiveApprover({ maxRows })).toThrow(TypeError)
    expect(() => new InteractiveApprover({ approverId: '' })).toThrow(TypeError)
  })
})

const canFakeTerminal = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0
if (!canFakeTerminal) console.info('skipped: the test on a real pseudo-terminal needs util-linux `script`')

describe.skipIf(!canFakeTerminal)('on a real pseudo-terminal', () => {
  test('what stands in the terminal’s buffer answers nothing; then a yes and a no', async () => {
    const script = fileURLToPath(new URL('../fixtures/approver-child.mjs', import.meta.url))
    const child = spawn('script', ['-qec', `'${process.execPath}' '${script}'`, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    let shown = ''
    child.stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString()
    })
    const sees = async (text: string, times = 1): Promise<void> => {
      while (shown.split(text).length <= times) await new Promise((resolve) => child.stdout.once('data', resolve))
    }
    await sees('STARTED')
    child.stdin.write('y\ny\nyes\ny')
    await sees(QUESTION)
    await sleep(200)
    expect(shown).not.toContain('ANSWER')
    child.stdin.write('yes\r')
    await sees(QUESTION, 2)
    child.stdin.write('n\r')
    const lines = () => [...shown.matchAll(/ANSWER (.*)\r\n/g)]
    // The output may arrive in chunks that end within a line.
    while (lines().length < 2) await new Promise((resolve) => child.stdout.once('data', resolve))
    const answers = lines().map(([, json]) => JSON.parse(json ?? ''))
    expect(answers).toMatchObject([{ approved: true, approverId: 'alice' }, { approved: false }])
    // The process exits without a signal only if the approver removed its listeners from the terminal.
    const [status] = await once(child, 'exit')
    expect(status).toBe(0)
  })
})
